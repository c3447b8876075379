output "names" {
  description = "The functions' names, by what they do."
  value       = { for key, function in aws_lambda_function.handler : key => function.function_name }
}

output "arns" {
  description = "The functions' ARNs, by what they do."
  value       = { for key, function in aws_lambda_function.handler : key => function.arn }
}

output "seconds" {
  description = "The functions' time limits: a message of a queue is hidden for six times its function's."
  value       = { for key, function in local.functions : key => function.seconds }
}
