output "urls" {
  description = "The queues' URLs: jobs, dead, relay_failures."
  value       = { for key, queue in local.queues : key => queue.url }
}

output "arns" {
  description = "The queues' ARNs: jobs, dead, relay_failures."
  value       = { for key, queue in local.queues : key => queue.arn }
}

output "names" {
  description = "The queues' names: jobs, dead, relay_failures."
  value       = { for key, queue in local.queues : key => queue.name }
}

output "redrive_policy_arn" {
  description = "The policy to attach to those who run smmu redrive."
  value       = aws_iam_policy.redrives.arn
}

output "grants" {
  description = "Policy documents, each in a list."
  value = {
    sends            = [data.aws_iam_policy_document.sends.json]
    receives         = [data.aws_iam_policy_document.receives.json]
    reports_failures = [data.aws_iam_policy_document.reports_failures.json]
  }
}
