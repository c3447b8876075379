# The keys that cookies are signed with. Each is made in KMS and never leaves it; CloudFront is given its public half.
#
# To rotate: add a name to `keys`, apply; make it `signs_with`, apply; when the last cookie of the old one is over (a
# media's length and six hours, SMMU_LIMITS__PLAYBACK_SECONDS), take its name away.

resource "aws_kms_key" "signer" {
  # checkov:skip=CKV2_AWS_64: IAM decides who signs (grants.tf), as a key without a policy of its own says
  for_each = var.keys

  description              = "${var.prefix}: cookies for CloudFront, ${each.key}"
  customer_master_key_spec = "RSA_2048"
  key_usage                = "SIGN_VERIFY"
  deletion_window_in_days  = var.disposable ? 7 : 30
}

data "aws_kms_public_key" "signer" {
  for_each = aws_kms_key.signer

  key_id = each.value.key_id
}

resource "aws_cloudfront_public_key" "signer" {
  for_each = data.aws_kms_public_key.signer

  name        = "${var.prefix}-${each.key}"
  comment     = "Its private half is in KMS."
  encoded_key = each.value.public_key_pem
}

resource "aws_cloudfront_key_group" "signers" {
  name    = "${var.prefix}-signers"
  comment = "Whose signatures let a browser in."
  items   = [for key in aws_cloudfront_public_key.signer : key.id]
}
