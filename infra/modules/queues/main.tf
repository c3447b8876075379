# The queue of jobs to dispatch and its dead letters. What the stream could not deliver has a queue of its own: it says
# where in the stream a batch was, and is no message that `smmu redrive` could send again.

locals {
  dead_seconds = 14 * 24 * 3600
}

resource "aws_sqs_queue" "dead" {
  name                      = "${var.prefix}-jobs-dlq"
  message_retention_seconds = local.dead_seconds
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue" "jobs" {
  name                       = "${var.prefix}-jobs-queue"
  message_retention_seconds  = 4 * 24 * 3600 # a dead letter keeps its age: it must have days left when it dies
  visibility_timeout_seconds = 6 * var.dispatch_seconds
  receive_wait_time_seconds  = 20
  sqs_managed_sse_enabled    = true

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = var.receives_max
  })
}

resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  queue_url = aws_sqs_queue.dead.id

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.jobs.arn]
  })
}

resource "aws_sqs_queue" "relay_failures" {
  name                      = "${var.prefix}-relay-failures"
  message_retention_seconds = local.dead_seconds
  sqs_managed_sse_enabled   = true
}

locals {
  queues = {
    arrivals       = aws_sqs_queue.arrivals
    dead           = aws_sqs_queue.dead
    jobs           = aws_sqs_queue.jobs
    relay_failures = aws_sqs_queue.relay_failures
  }
}

data "aws_iam_policy_document" "tls_only" {
  for_each = local.queues

  statement {
    sid       = "OnlyOverTls"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [each.value.arn]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_sqs_queue_policy" "tls_only" {
  for_each = local.queues

  queue_url = each.value.id
  policy    = each.key == "arrivals" ? data.aws_iam_policy_document.arrivals.json : data.aws_iam_policy_document.tls_only[each.key].json
}
