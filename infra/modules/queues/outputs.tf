output "urls" {
  description = "The queues' URLs: arrivals, dead, jobs, relay_failures."
  value       = { for key, queue in local.queues : key => queue.url }
}

output "arns" {
  description = "The queues' ARNs: arrivals, dead, jobs, relay_failures."
  value       = { for key, queue in local.queues : key => queue.arn }
}

output "names" {
  description = "The queues' names: arrivals, dead, jobs, relay_failures."
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
    takes_messages   = [data.aws_iam_policy_document.receives["jobs"].json]
    takes_arrivals   = [data.aws_iam_policy_document.receives["arrivals"].json]
    reports_failures = [data.aws_iam_policy_document.reports_failures.json]
  }
}
