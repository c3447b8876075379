output "cluster_name" {
  description = "The cluster."
  value       = aws_ecs_cluster.here.name
}

output "cluster_arn" {
  description = "Its ARN."
  value       = aws_ecs_cluster.here.arn
}

output "families" {
  description = "Families of task definitions, by the kind of work."
  value       = { for kind, made in aws_ecs_task_definition.worker : kind => made.family }
}

output "role_arns" {
  description = "The roles that whoever starts tasks has to pass."
  value       = concat([for role in aws_iam_role.worker : role.arn], [aws_iam_role.agent.arn])
}

output "session_arns" {
  description = "The roles that workers act as, by the session's name."
  value       = { for name, role in aws_iam_role.session : name => role.arn }
}

output "grants" {
  description = "Policy documents, each in a list."
  value = {
    inspects = [data.aws_iam_policy_document.inspects.json]
  }
}
