output "state" {
  description = "What `terraform init -backend-config` is told."
  value = {
    bucket         = aws_s3_bucket.state.id
    dynamodb_table = aws_dynamodb_table.lock.name
    region         = var.region
  }
}

output "repositories" {
  description = "URLs and ARNs of the repositories of images."
  value       = module.releases.repositories
}

output "workflow_roles" {
  description = "The roles of workflows on GitHub, by what they do; none without a repository there."
  value       = module.releases.workflow_roles
}
