# What wakes functions by itself: the sweeper's two schedules, and the ends of runs.

locals {
  rules = {
    sweep = {
      function    = "sweep"
      description = "What is overdue, each minute."
      schedule    = "rate(1 minute)"
      pattern     = null
      input       = jsonencode({})
    }
    orphans = {
      function    = "sweep"
      description = "What is overdue, and storage that no upload owns: each hour, because listing it costs."
      schedule    = "rate(1 hour)"
      pattern     = null
      input       = jsonencode({ orphans = true })
    }
    status = {
      function    = "status"
      description = "Runs that have ended, one way or another."
      schedule    = null
      pattern = jsonencode({
        source        = ["aws.states"]
        "detail-type" = ["Step Functions Execution Status Change"]
        detail = {
          stateMachineArn = [var.state_machine_arn]
          status          = ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]
        }
      })
      input = null
    }
  }
}

resource "aws_cloudwatch_event_rule" "wakes" {
  for_each = local.rules

  name                = "${var.prefix}-${each.key}"
  description         = each.value.description
  schedule_expression = each.value.schedule
  event_pattern       = each.value.pattern
}

resource "aws_cloudwatch_event_target" "wakes" {
  for_each = local.rules

  rule  = aws_cloudwatch_event_rule.wakes[each.key].name
  arn   = aws_lambda_function.handler[each.value.function].arn
  input = each.value.input
}

resource "aws_lambda_permission" "wakes" {
  for_each = local.rules

  statement_id   = "${each.key}-rule"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.handler[each.value.function].function_name
  principal      = "events.amazonaws.com"
  source_arn     = aws_cloudwatch_event_rule.wakes[each.key].arn
  source_account = data.aws_caller_identity.here.account_id
}

# A sweep that failed is not repeated: the next one comes within the minute.
resource "aws_lambda_function_event_invoke_config" "asked" {
  for_each = { sweep = 0, status = 2 }

  function_name                = aws_lambda_function.handler[each.key].function_name
  maximum_retry_attempts       = each.value
  maximum_event_age_in_seconds = each.key == "sweep" ? 60 : 3600
}
