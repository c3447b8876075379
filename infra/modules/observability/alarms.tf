# What somebody has to know: an alarm for each way in which work can stop, or go wrong, without anybody being told.
# docs/operations.md has a section for each, by its name here.
#
# `silence`: what it means that there is no number. Most of these are only told when something happens, so that silence
# is good; where something must be heard all the time, it is bad ("breaching"). Errors of perform, open and collect are
# answers to the state machine and are no alarm by themselves.

locals {
  here = { deployment = var.prefix } # of metrics that our own lines make (adapters/aws/metrics.py)

  of_messages = {
    dead-letters = {
      says      = "Messages could not be dispatched."
      namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum"
      names     = { QueueName = "${var.prefix}-jobs-dlq" }
      is        = ">", limit = 0, seconds = 60, times = 1, silence = "notBreaching"
    }
    oldest-message = {
      says      = "Jobs wait for longer than five minutes to be dispatched."
      namespace = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", statistic = "Maximum"
      names     = { QueueName = "${var.prefix}-jobs-queue" }
      is        = ">", limit = 300, seconds = 60, times = 3, silence = "notBreaching"
    }
    relay-failures = {
      says      = "A batch of the stream was given up on; the sweeper sends its messages."
      namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum"
      names     = { QueueName = "${var.prefix}-relay-failures" }
      is        = ">", limit = 0, seconds = 60, times = 1, silence = "notBreaching"
    }
    relay-late = {
      says      = "Committed messages wait for longer than a minute to be sent."
      namespace = "AWS/Lambda", metric = "IteratorAge", statistic = "Maximum"
      names     = { FunctionName = "${var.prefix}-relay" }
      is        = ">", limit = 60000, seconds = 60, times = 3, silence = "notBreaching"
    }
  }

  of_jobs = {
    failed-jobs = {
      says      = "More jobs fail than usual, whoever is at fault."
      namespace = "AWS/States", metric = "ExecutionsFailed", statistic = "Sum"
      names     = { StateMachineArn = var.state_machine_arn }
      is        = ">", limit = var.failed_jobs_max, seconds = 900, times = 1, silence = "notBreaching"
    }
    timed-out-jobs = {
      says      = "A job took longer than any may."
      namespace = "AWS/States", metric = "ExecutionsTimedOut", statistic = "Sum"
      names     = { StateMachineArn = var.state_machine_arn }
      is        = ">", limit = 0, seconds = 300, times = 1, silence = "notBreaching"
    }
    runs-throttled = {
      says      = "Step Functions throttles the runs of jobs."
      namespace = "AWS/States", metric = "ExecutionThrottled", statistic = "Sum"
      names     = { StateMachineArn = var.state_machine_arn }
      is        = ">", limit = 0, seconds = 300, times = 3, silence = "notBreaching"
    }
    bugs = {
      says      = "Something happened that our code did not foresee."
      namespace = "SMMU", metric = "bugs", statistic = "Sum"
      names     = local.here
      is        = ">", limit = 0, seconds = 300, times = 1, silence = "notBreaching"
    }
  }

  # Everything else can be put right by the sweeper, so its silence is the one that must be heard.
  of_sweeps = {
    no-sweep = {
      says      = "No sweep has come to its end for five minutes."
      namespace = "SMMU", metric = "sweeps", statistic = "Sum"
      names     = local.here
      is        = "<", limit = 1, seconds = 300, times = 1, silence = "breaching"
    }
    stuck-records = {
      says      = "The sweeper cannot put right what is overdue, again and again."
      namespace = "SMMU", metric = "stuck_records", statistic = "Minimum"
      names     = local.here
      is        = ">", limit = 0, seconds = 300, times = 3, silence = "missing"
    }
    orphan-bytes = {
      says      = "More than usual lay in storage that no upload owned; the sweeper has removed it."
      namespace = "SMMU", metric = "orphan_bytes", statistic = "Sum"
      names     = local.here
      is        = ">", limit = var.orphan_bytes_max, seconds = 86400, times = 1, silence = "notBreaching"
    }
  }

  of_api = {
    api-errors = {
      says      = "The API answers with errors of its own."
      namespace = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", statistic = "Sum"
      names     = { LoadBalancer = var.api.balancer }
      is        = ">", limit = 5, seconds = 300, times = 1, silence = "notBreaching"
    }
    api-unreachable = {
      says      = "The load balancer finds nobody who answers."
      namespace = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", statistic = "Sum"
      names     = { LoadBalancer = var.api.balancer }
      is        = ">", limit = 5, seconds = 300, times = 1, silence = "notBreaching"
    }
    api-unhealthy = {
      says      = "A process of the API does not answer."
      namespace = "AWS/ApplicationELB", metric = "UnHealthyHostCount", statistic = "Minimum"
      names     = { LoadBalancer = var.api.balancer, TargetGroup = var.api.target_group }
      is        = ">", limit = 0, seconds = 60, times = 5, silence = "notBreaching"
    }
    api-gone = {
      says      = "No process of the API answers."
      namespace = "AWS/ApplicationELB", metric = "HealthyHostCount", statistic = "Maximum"
      names     = { LoadBalancer = var.api.balancer, TargetGroup = var.api.target_group }
      is        = "<", limit = 1, seconds = 60, times = 3, silence = "breaching"
    }
    api-slow = {
      says      = "One answer of the API in a hundred takes longer than two seconds."
      namespace = "AWS/ApplicationELB", metric = "TargetResponseTime", statistic = "p99"
      names     = { LoadBalancer = var.api.balancer }
      is        = ">", limit = 2, seconds = 300, times = 3, silence = "notBreaching"
    }
  }

  of_functions = merge(
    {
      for function in ["dispatch", "relay", "status", "sweep"] : "${function}-errors" => {
        says      = "The function ${function} fails."
        namespace = "AWS/Lambda", metric = "Errors", statistic = "Sum"
        names     = { FunctionName = "${var.prefix}-${function}" }
        is        = ">", limit = 0, seconds = 300, times = 2, silence = "notBreaching"
      }
    },
    {
      for function in local.functions : "${function}-throttled" => {
        says      = "The function ${function} is throttled: the account's concurrency is used up."
        namespace = "AWS/Lambda", metric = "Throttles", statistic = "Sum"
        names     = { FunctionName = "${var.prefix}-${function}" }
        is        = ">", limit = 0, seconds = 300, times = 2, silence = "notBreaching"
      }
    },
  )

  of_render = {
    render-errors = {
      says      = "The function render fails: small tasks are done by containers instead, pictures on request are not."
      namespace = "AWS/Lambda", metric = "Errors", statistic = "Sum"
      names     = { FunctionName = "${var.prefix}-render" }
      is        = ">", limit = 5, seconds = 300, times = 2, silence = "notBreaching"
    }
  }

  alarms = merge(
    local.of_messages, local.of_jobs, local.of_sweeps, local.of_api, local.of_functions,
    { for name, alarm in local.of_render : name => alarm if var.renders },
  )
}

resource "aws_cloudwatch_metric_alarm" "here" {
  for_each = local.alarms

  alarm_name          = "${var.prefix}-${each.key}"
  alarm_description   = "${each.value.says} See docs/operations.md, ${each.key}."
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  dimensions          = each.value.names
  comparison_operator = each.value.is == ">" ? "GreaterThanThreshold" : "LessThanThreshold"
  threshold           = each.value.limit
  period              = each.value.seconds
  evaluation_periods  = each.value.times
  treat_missing_data  = each.value.silence
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# Of jobs that ended, how many failed by our fault and not their file's. Of few, one is no rate.
resource "aws_cloudwatch_metric_alarm" "failure_rate" {
  alarm_name          = "${var.prefix}-failure-rate"
  alarm_description   = "One job in twenty fails by our fault. See docs/operations.md, failure-rate."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 5
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "rate"
    label       = "% of jobs that failed by our fault"
    expression  = "IF(failed > 2, 100 * mean, 0)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { failed = "Sum", mean = "Average" }

    content {
      id = metric_query.key

      metric {
        namespace   = "SMMU"
        metric_name = "job_faults"
        dimensions  = local.here
        period      = 900
        stat        = metric_query.value
      }
    }
  }
}

# What the account spends, and will have spent by the end of the month: a budget, because AWS tells alarms of spending
# in one region only.
resource "aws_budgets_budget" "spend" {
  name         = "${var.prefix}-spend"
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.monthly_usd)
  limit_unit   = "USD"

  dynamic "notification" {
    for_each = { ACTUAL = 80, FORECASTED = 100 }

    content {
      notification_type         = notification.key
      threshold                 = notification.value
      threshold_type            = "PERCENTAGE"
      comparison_operator       = "GREATER_THAN"
      subscriber_sns_topic_arns = [aws_sns_topic.alarms.arn]
    }
  }

  depends_on = [aws_sns_topic_policy.alarms]
}
