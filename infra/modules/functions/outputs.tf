output "names" {
  description = "The functions' names, by what they do."
  value       = { for key, function in aws_lambda_function.handler : key => function.function_name }
}

output "arns" {
  description = "The functions' ARNs, by what they do; that of render whether there is one or not."
  value       = merge({ render = local.render_arn }, { for key, function in aws_lambda_function.handler : key => function.arn })
}

output "role_arns" {
  description = "Their roles' ARNs."
  value       = { for key, role in aws_iam_role.function : key => role.arn }
}

output "seconds" {
  description = "The functions' time limits: a message of a queue is hidden for six times its function's."
  value       = { for key, function in local.functions : key => function.seconds }
}

output "grants" {
  description = "Policy documents, each in a list."
  value = {
    renders = data.aws_iam_policy_document.renders[*].json
  }
}
