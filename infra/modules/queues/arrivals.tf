# What storage tells of files that have arrived, for uploads whose clients forget to say so. It waits for a quarter of an
# hour, the longest that a queue may: a client has the first word, with the checksum that only it knows. What nobody could
# complete within the day that an upload lives is the sweeper's, so there are no dead letters.

data "aws_caller_identity" "here" {}

resource "aws_sqs_queue" "arrivals" {
  name                       = "${var.prefix}-arrivals"
  delay_seconds              = 900
  message_retention_seconds  = 24 * 3600
  visibility_timeout_seconds = 6 * var.arrived_seconds
  receive_wait_time_seconds  = 20
  sqs_managed_sse_enabled    = true
}

resource "aws_cloudwatch_event_rule" "arrivals" {
  name        = "${var.prefix}-arrivals"
  description = "Files that owners have sent."

  event_pattern = jsonencode({
    source        = ["aws.s3"]
    "detail-type" = ["Object Created"]
    detail = {
      bucket = { name = [var.telling_bucket] }
      object = { key = [{ prefix = "raw/" }] }
    }
  })
}

resource "aws_cloudwatch_event_target" "arrivals" {
  rule = aws_cloudwatch_event_rule.arrivals.name
  arn  = aws_sqs_queue.arrivals.arn
}

data "aws_iam_policy_document" "arrivals" {
  source_policy_documents = [data.aws_iam_policy_document.tls_only["arrivals"].json]

  statement {
    sid       = "TheRule"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.arrivals.arn]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_cloudwatch_event_rule.arrivals.arn]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.here.account_id]
    }
  }
}
