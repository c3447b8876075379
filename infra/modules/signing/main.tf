# What playback addresses are signed with: a key for HMAC that never leaves KMS (adapters/aws/secrets.py).

resource "aws_kms_key" "signing" {
  # checkov:skip=CKV2_AWS_64: IAM decides who signs (grants.tf), as a key without a policy of its own says
  description              = "${var.prefix}: playback addresses"
  customer_master_key_spec = "HMAC_256"
  key_usage                = "GENERATE_VERIFY_MAC"
  deletion_window_in_days  = var.disposable ? 7 : 30
}

resource "aws_kms_alias" "signing" {
  name          = "alias/${var.prefix}-signing"
  target_key_id = aws_kms_key.signing.key_id
}
