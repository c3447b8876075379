output "names" {
  description = "The functions' names, by what they do."
  value       = { for key, function in aws_lambda_function.handler : key => function.function_name }
}

output "arns" {
  description = "The functions' ARNs, by what they do."
  value       = { for key, function in aws_lambda_function.handler : key => function.arn }
}

output "dispatch_seconds" {
  description = "The time limit of the dispatcher: a message is hidden for six times that."
  value       = local.functions.dispatch.seconds
}
