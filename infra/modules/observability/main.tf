# Log groups of everything that runs, and who hears of alarms.

data "aws_caller_identity" "here" {}
data "aws_region" "here" {}

locals {
  always     = ["arrived", "dispatch", "perform", "open", "collect", "relay", "sweep", "status"]
  functions  = toset(concat(local.always, var.renders ? ["render"] : []))
  containers = toset(["api", "transcode", "transcribe"])
}

resource "aws_cloudwatch_log_group" "function" {
  # checkov:skip=CKV_AWS_158: under the keys of CloudWatch itself; what our processes log names no file and no address
  for_each = local.functions

  name              = "/aws/lambda/${var.prefix}-${each.key}"
  retention_in_days = var.log_days
}

resource "aws_cloudwatch_log_group" "container" {
  # checkov:skip=CKV_AWS_158: under the keys of CloudWatch itself; what our processes log names no file and no address
  for_each = local.containers

  name              = "/ecs/${var.prefix}-${each.key}"
  retention_in_days = var.log_days
}

resource "aws_cloudwatch_log_group" "pipeline" {
  # checkov:skip=CKV_AWS_158: as above; it has no execution data
  name              = "/aws/vendedlogs/states/${var.prefix}-pipeline"
  retention_in_days = var.log_days
}

resource "aws_sns_topic" "alarms" {
  # checkov:skip=CKV_AWS_26: alarms name resources; CloudWatch cannot tell a topic under SNS's default key anything
  name = "${var.prefix}-alarms"
}

data "aws_iam_policy_document" "alarms" {
  statement {
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms.arn]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.here.account_id]
    }
  }
}

resource "aws_sns_topic_policy" "alarms" {
  arn    = aws_sns_topic.alarms.arn
  policy = data.aws_iam_policy_document.alarms.json
}

resource "aws_sns_topic_subscription" "email" {
  for_each = toset(var.alarm_emails)

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.value
}
