output "arn" {
  description = "The key."
  value       = aws_kms_key.signing.arn
}

output "grants" {
  description = "Policy documents, each in a list."
  value = {
    signs = [data.aws_iam_policy_document.signs.json]
  }
}
