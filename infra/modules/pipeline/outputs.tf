output "arn" {
  description = "The state machine's ARN, known before it is made."
  value       = local.arn
}

output "made_arn" {
  description = "The same, once it is made."
  value       = aws_sfn_state_machine.pipeline.arn
}

output "grants" {
  description = "Policy documents, each in a list."
  value = {
    starts = [data.aws_iam_policy_document.starts.json]
    stops  = [data.aws_iam_policy_document.stops.json]
  }
}
