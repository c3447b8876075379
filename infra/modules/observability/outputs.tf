output "function_log_groups" {
  description = "The functions' log groups, by what they do."
  value       = { for key, group in aws_cloudwatch_log_group.function : key => { name = group.name, arn = group.arn } }
}

output "container_log_groups" {
  description = "Log groups of containers: api, transcode, transcribe."
  value       = { for key, group in aws_cloudwatch_log_group.container : key => { name = group.name, arn = group.arn } }
}

output "pipeline_log_group_arn" {
  description = "The state machine's log group."
  value       = aws_cloudwatch_log_group.pipeline.arn
}

output "alarms_topic_arn" {
  description = "Where alarms are told."
  value       = aws_sns_topic.alarms.arn
}
