output "vpc_id" {
  description = "The network."
  value       = aws_vpc.here.id
}

output "subnet_ids" {
  description = "Its subnets: public, service, worker."
  value       = { for kind in local.kinds : kind => [for key, subnet in local.subnets : aws_subnet.here[key].id if subnet.kind == kind] }
}

output "security_group_ids" {
  description = "Security groups: balancer, api, workers, endpoints."
  value       = { for key, group in aws_security_group.here : key => group.id }
}
