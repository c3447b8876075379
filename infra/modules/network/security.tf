# Who may talk to whom. The load balancer's own rules are with the API.

locals {
  groups = {
    balancer  = "The load balancer."
    api       = "The API: asked by the load balancer alone."
    workers   = "Workers: asked by nobody, and they ask AWS alone."
    endpoints = "Interface endpoints: asked from inside."
  }
}

resource "aws_security_group" "here" {
  # checkov:skip=CKV2_AWS_5: they are attached in the modules of those that they are for
  for_each = local.groups

  name        = "${var.prefix}-${each.key}"
  description = each.value
  vpc_id      = aws_vpc.here.id

  tags = { Name = "${var.prefix}-${each.key}" }
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  for_each = toset(["api", "workers"])

  description                  = "HTTPS from ${each.key}"
  security_group_id            = aws_security_group.here["endpoints"].id
  referenced_security_group_id = aws_security_group.here[each.key].id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_egress_rule" "workers_to_endpoints" {
  description                  = "HTTPS to the endpoints"
  security_group_id            = aws_security_group.here["workers"].id
  referenced_security_group_id = aws_security_group.here["endpoints"].id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_egress_rule" "workers_to_gateways" {
  for_each = aws_vpc_endpoint.gateway

  description       = "HTTPS to ${each.key}"
  security_group_id = aws_security_group.here["workers"].id
  prefix_list_id    = each.value.prefix_list_id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# To AWS, and to whoever publishes the keys of tokens: an issuer may be anywhere.
resource "aws_vpc_security_group_egress_rule" "api" {
  description       = "HTTPS to AWS and to the issuer of tokens"
  security_group_id = aws_security_group.here["api"].id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
