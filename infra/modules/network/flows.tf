# What was refused: a worker that tries to get out, and whoever tries to get in. What was let through is told by those who
# were asked.

data "aws_caller_identity" "here" {}

resource "aws_cloudwatch_log_group" "flows" {
  # checkov:skip=CKV_AWS_158: addresses and ports, under the keys of CloudWatch itself
  # checkov:skip=CKV_AWS_338: for as long as the deployment keeps its other logs
  name              = "/vpc/${var.prefix}"
  retention_in_days = var.log_days
}

data "aws_iam_policy_document" "flows_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["vpc-flow-logs.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.here.account_id]
    }
  }
}

resource "aws_iam_role" "flows" {
  name               = "${var.prefix}-flows"
  assume_role_policy = data.aws_iam_policy_document.flows_trust.json
}

data "aws_iam_policy_document" "flows" {
  statement {
    actions   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.flows.arn}:*"]
  }

  # Listing groups names none (VPC user guide, "IAM role for publishing flow logs to CloudWatch Logs").
  statement {
    actions   = ["logs:DescribeLogGroups"]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "flows" {
  name   = "writes-flows"
  role   = aws_iam_role.flows.id
  policy = data.aws_iam_policy_document.flows.json
}

resource "aws_flow_log" "refused" {
  vpc_id          = aws_vpc.here.id
  traffic_type    = "REJECT"
  log_destination = aws_cloudwatch_log_group.flows.arn
  iam_role_arn    = aws_iam_role.flows.arn

  tags = { Name = var.prefix }

  depends_on = [aws_iam_role_policy.flows]
}
