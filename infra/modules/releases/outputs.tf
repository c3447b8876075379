output "repositories" {
  description = "URLs and ARNs of the repositories of images."
  value       = { for name, made in aws_ecr_repository.image : name => { url = made.repository_url, arn = made.arn } }
}

output "workflow_roles" {
  description = "The roles of workflows on GitHub, by what they do."
  value       = { for name, role in aws_iam_role.workflow : name => role.arn }
}
