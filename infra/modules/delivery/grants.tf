# What a role may be given on the signing keys, in the words of adapters/aws/cookies.py.

data "aws_iam_policy_document" "admits" {
  statement {
    actions   = ["kms:Sign"]
    resources = [aws_kms_key.signer[var.signs_with].arn]
  }
}
