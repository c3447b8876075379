# What a role may be given on the key, in the words of adapters/aws/secrets.py.

# Sign, and check what was signed.
data "aws_iam_policy_document" "signs" {
  statement {
    actions   = ["kms:GenerateMac"]
    resources = [aws_kms_key.signing.arn]
  }
}
