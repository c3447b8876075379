output "arn" {
  description = "The distribution."
  value       = aws_cloudfront_distribution.media.arn
}

output "domain_name" {
  description = "What the site's name has to point at (a CNAME)."
  value       = aws_cloudfront_distribution.media.domain_name
}

output "settings" {
  description = "Variables SMMU_… of the API."
  value = {
    SMMU_PLATFORM__DELIVERY__URL           = "https://${var.site.domain}"
    SMMU_PLATFORM__DELIVERY__COOKIE_DOMAIN = var.site.cookie_domain
    SMMU_PLATFORM__DELIVERY__PUBLIC_KEY_ID = aws_cloudfront_public_key.signer[var.signs_with].id
    SMMU_PLATFORM__DELIVERY__SIGNING_KEY   = aws_kms_key.signer[var.signs_with].arn
  }
}

output "grants" {
  description = "Policy documents, each in a list."
  value = {
    admits = [data.aws_iam_policy_document.admits.json]
  }
}
