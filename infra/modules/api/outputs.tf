output "url" {
  description = "Where the load balancer answers; with a certificate, point its name here and use that."
  value       = "${local.tls ? "https" : "http"}://${aws_lb.api.dns_name}"
}

output "balancer" {
  description = "How metrics call the load balancer."
  value       = aws_lb.api.arn_suffix
}

output "target_group" {
  description = "How metrics call its target group."
  value       = aws_lb_target_group.api.arn_suffix
}

output "service" {
  description = "The service in ECS, and what it was told to run."
  value = {
    cluster         = var.cluster.name
    name            = aws_ecs_service.api.name
    task_definition = aws_ecs_task_definition.api.arn
  }
}
