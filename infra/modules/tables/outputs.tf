output "names" {
  description = "The tables' names: jobs, uploads, media."
  value       = { for key, table in local.tables : key => table.name }
}

output "arns" {
  description = "The tables' ARNs: jobs, uploads, media."
  value       = { for key, table in aws_dynamodb_table.records : key => table.arn }
}

output "stream_arn" {
  description = "The stream of the jobs table, where messages leave from."
  value       = aws_dynamodb_table.records["jobs"].stream_arn
}

output "grants" {
  description = "Policy documents, each in a list."
  value = {
    keeps_jobs          = [data.aws_iam_policy_document.keeps["jobs"].json]
    keeps_uploads       = [data.aws_iam_policy_document.keeps["uploads"].json]
    keeps_media         = [data.aws_iam_policy_document.keeps["media"].json]
    keeps_jobs_of_owner = [data.aws_iam_policy_document.keeps_jobs_of_owner.json]
    forgets_messages    = [data.aws_iam_policy_document.forgets_messages.json]
    keeps_words         = [data.aws_iam_policy_document.keeps_words.json]
    finds_work          = [data.aws_iam_policy_document.finds_work.json]
    hears_messages      = [data.aws_iam_policy_document.hears_messages.json]
  }
}
