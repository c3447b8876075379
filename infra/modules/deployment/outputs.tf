output "api_url" {
  description = "Where the API answers."
  value       = module.api.url
}

output "url" {
  description = "What clients reach the API as."
  value       = coalesce(var.public_url, module.api.url)
}

output "service" {
  description = "The API's service in ECS: {cluster, name, task_definition}."
  value       = module.api.service
}

output "images" {
  description = "The images that it was told to run: what a later one goes back to."
  value       = var.images
}

output "issuer" {
  description = "Whose tokens the API believes."
  value       = module.identity.issuer
}

output "user_pool_id" {
  description = "The pool of Cognito that was made; null where there was an issuer."
  value       = module.identity.user_pool_id
}

output "settings" {
  description = "Variables SMMU_… that name what was made, for smmu redrive and smmu sweep from an operator's machine."
  value       = local.settings
}

output "state_machine_arn" {
  description = "The state machine."
  value       = module.pipeline.made_arn
}

output "redrive_policy_arn" {
  description = "The policy to attach to those who run smmu redrive."
  value       = module.queues.redrive_policy_arn
}

output "delivery_domain_name" {
  description = "What the name of `delivery_site` has to point at (a CNAME); null without."
  value       = one(module.delivery[*].domain_name)
}

output "alarms_topic_arn" {
  description = "Where alarms are told."
  value       = module.observability.alarms_topic_arn
}
