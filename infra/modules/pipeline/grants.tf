# What a role may be given on the state machine, in the words of adapters/aws/orchestrator.py.

data "aws_iam_policy_document" "starts" {
  statement {
    actions   = ["states:StartExecution"]
    resources = [local.arn]
  }
}

data "aws_iam_policy_document" "stops" {
  statement {
    actions   = ["states:StopExecution", "states:DescribeExecution"]
    resources = [local.executions]
  }
}
