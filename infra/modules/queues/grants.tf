# What a role may be given on the queues, in the words of adapters/aws/queue.py.

data "aws_iam_policy_document" "sends" {
  statement {
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.jobs.arn]
  }
}

# For a function that Lambda feeds from a queue.
data "aws_iam_policy_document" "receives" {
  for_each = { jobs = aws_sqs_queue.jobs.arn, arrivals = aws_sqs_queue.arrivals.arn }

  statement {
    actions = [
      "sqs:ReceiveMessage",
      "sqs:DeleteMessage",
      "sqs:ChangeMessageVisibility",
      "sqs:GetQueueAttributes",
    ]
    resources = [each.value]
  }
}

data "aws_iam_policy_document" "reports_failures" {
  statement {
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.relay_failures.arn]
  }
}

# `smmu redrive`: for whoever operates the deployment. No component has it.
data "aws_iam_policy_document" "redrives" {
  source_policy_documents = [data.aws_iam_policy_document.sends.json]

  statement {
    actions = [
      "sqs:ReceiveMessage",
      "sqs:DeleteMessage",
      "sqs:ChangeMessageVisibility",
    ]
    resources = [aws_sqs_queue.dead.arn]
  }
}

resource "aws_iam_policy" "redrives" {
  name        = "${var.prefix}-redrive"
  description = "What smmu redrive needs: to be attached to those who operate the deployment."
  policy      = data.aws_iam_policy_document.redrives.json
}
