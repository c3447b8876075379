output "deployment" {
  description = "What was made: see modules/deployment/outputs.tf."
  value       = module.deployment
}
