# What somebody has to know. An alarm for each way in which work can stop without anybody being told.
#
# Errors of perform, open and collect are answers to the state machine and are no alarm by themselves.

locals {
  alarms = merge(
    {
      dead-letters = {
        says      = "Messages could not be dispatched: see the log of dispatch, then smmu redrive."
        namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum"
        names     = { QueueName = "${var.prefix}-jobs-dlq" }
        above     = 0, seconds = 60, times = 1, silence = "notBreaching"
      }
      oldest-message = {
        says      = "Jobs wait for longer than five minutes to be dispatched."
        namespace = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", statistic = "Maximum"
        names     = { QueueName = "${var.prefix}-jobs-queue" }
        above     = 300, seconds = 60, times = 3, silence = "notBreaching"
      }
      relay-failures = {
        says      = "A batch of the stream was given up on; the sweeper sends its messages."
        namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum"
        names     = { QueueName = "${var.prefix}-relay-failures" }
        above     = 0, seconds = 60, times = 1, silence = "notBreaching"
      }
      relay-late = {
        says      = "Committed messages wait for longer than a minute to be sent."
        namespace = "AWS/Lambda", metric = "IteratorAge", statistic = "Maximum"
        names     = { FunctionName = "${var.prefix}-relay" }
        above     = 60000, seconds = 60, times = 3, silence = "notBreaching"
      }
      failed-jobs = {
        says      = "More jobs fail than usual."
        namespace = "AWS/States", metric = "ExecutionsFailed", statistic = "Sum"
        names     = { StateMachineArn = var.state_machine_arn }
        above     = var.failed_jobs_max, seconds = 900, times = 1, silence = "notBreaching"
      }
      timed-out-jobs = {
        says      = "A job took longer than any may."
        namespace = "AWS/States", metric = "ExecutionsTimedOut", statistic = "Sum"
        names     = { StateMachineArn = var.state_machine_arn }
        above     = 0, seconds = 300, times = 1, silence = "notBreaching"
      }
      api-errors = {
        says      = "The API answers with errors of its own."
        namespace = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", statistic = "Sum"
        names     = { LoadBalancer = var.api.balancer }
        above     = 5, seconds = 300, times = 1, silence = "notBreaching"
      }
      api-unreachable = {
        says      = "The load balancer finds nobody who answers."
        namespace = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", statistic = "Sum"
        names     = { LoadBalancer = var.api.balancer }
        above     = 5, seconds = 300, times = 1, silence = "notBreaching"
      }
      api-unhealthy = {
        says      = "A process of the API does not answer."
        namespace = "AWS/ApplicationELB", metric = "UnHealthyHostCount", statistic = "Minimum"
        names     = { LoadBalancer = var.api.balancer, TargetGroup = var.api.target_group }
        above     = 0, seconds = 60, times = 5, silence = "notBreaching"
      }
    },
    {
      for function in ["dispatch", "relay", "status", "sweep"] : "${function}-errors" => {
        says      = "The function ${function} fails."
        namespace = "AWS/Lambda", metric = "Errors", statistic = "Sum"
        names     = { FunctionName = "${var.prefix}-${function}" }
        above     = 0, seconds = 300, times = 2, silence = "notBreaching"
      }
    },
    {
      for function in local.functions : "${function}-throttled" => {
        says      = "The function ${function} is throttled: the account's concurrency is used up."
        namespace = "AWS/Lambda", metric = "Throttles", statistic = "Sum"
        names     = { FunctionName = "${var.prefix}-${function}" }
        above     = 0, seconds = 300, times = 2, silence = "notBreaching"
      }
    },
  )
}

resource "aws_cloudwatch_metric_alarm" "above" {
  for_each = local.alarms

  alarm_name          = "${var.prefix}-${each.key}"
  alarm_description   = each.value.says
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  statistic           = each.value.statistic
  dimensions          = each.value.names
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.above
  period              = each.value.seconds
  evaluation_periods  = each.value.times
  treat_missing_data  = each.value.silence
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# Everything else can be put right by the sweeper, so its silence is the one that must be heard.
resource "aws_cloudwatch_metric_alarm" "no_sweep" {
  alarm_name          = "${var.prefix}-no-sweep"
  alarm_description   = "The sweeper has not run for five minutes."
  namespace           = "AWS/Lambda"
  metric_name         = "Invocations"
  statistic           = "Sum"
  dimensions          = { FunctionName = "${var.prefix}-sweep" }
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}
