output "names" {
  description = "The buckets' names: raw, processed and models."
  value       = local.names
}

output "telling" {
  description = "The bucket of what owners send, which tells of what arrives."
  value       = aws_s3_bucket_notification.raw.bucket
}

output "arns" {
  description = "The buckets' ARNs: raw, processed and models."
  value       = { for name, bucket in aws_s3_bucket.media : name => bucket.arn }
}

output "processed_domain_name" {
  description = "Where the bucket of what is made answers, in its region."
  value       = aws_s3_bucket.media["processed"].bucket_regional_domain_name
}

output "balancer_logs" {
  description = "Where a load balancer may write its log."
  value       = { bucket = aws_s3_bucket_policy.logs.bucket, prefix = local.balancer_logs }
}

output "grants" {
  description = "Policy documents, each in a list (uses_key is empty without a key)."
  value = {
    reads_raw         = [data.aws_iam_policy_document.reads_raw.json]
    receives          = [data.aws_iam_policy_document.receives.json]
    finds_orphans     = [data.aws_iam_policy_document.finds_orphans.json]
    reads_processed   = [data.aws_iam_policy_document.reads_processed.json]
    writes_processed  = [data.aws_iam_policy_document.writes_processed.json]
    lists_processed   = [data.aws_iam_policy_document.lists_processed.json]
    removes_processed = [data.aws_iam_policy_document.removes_processed.json]
    works_on_attempt  = [data.aws_iam_policy_document.works_on_attempt.json]
    makes_pictures    = [data.aws_iam_policy_document.makes_pictures.json]
    transcribes       = [data.aws_iam_policy_document.transcribes.json]
    reads_model       = [data.aws_iam_policy_document.reads_model.json]
    uses_key          = data.aws_iam_policy_document.uses_key[*].json
  }
}
