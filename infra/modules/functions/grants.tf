# What a role may be given on the function that renders, in the words of adapters/aws/pictures.py.

data "aws_partition" "here" {}
data "aws_region" "here" {}

locals {
  # By its name, because it is told its own.
  render_arn = "arn:${data.aws_partition.here.partition}:lambda:${data.aws_region.here.name}:${data.aws_caller_identity.here.account_id}:function:${var.prefix}-render"
}

data "aws_iam_policy_document" "renders" {
  count = var.render == null ? 0 : 1

  statement {
    actions   = ["lambda:InvokeFunction"]
    resources = [local.render_arn]
  }
}
