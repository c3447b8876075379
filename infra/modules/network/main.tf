# Three kinds of subnets in each zone: `public` for the load balancer, `service` for the API, which reaches an issuer's
# keys through a NAT gateway, and `worker` for containers that open hostile files: from there no way leads out.

data "aws_availability_zones" "here" {
  # checkov:skip=CKV_AWS_394: the first of the region's zones; naming them would bind the module to one region
  state = "available"

  # Not the Local Zones that an account may have: they have no Fargate.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

data "aws_region" "here" {}

locals {
  zones = slice(data.aws_availability_zones.here.names, 0, var.zone_count)
  kinds = ["public", "service", "worker"]

  # A sixteenth of the network each: public from 0, service from 4, worker from 8.
  subnets = merge([
    for place, kind in local.kinds : {
      for number, zone in local.zones : "${kind}-${number}" => {
        kind = kind
        zone = zone
        cidr = cidrsubnet(var.cidr, 4, 4 * place + number)
      }
    }
  ]...)
}

resource "aws_vpc" "here" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = var.prefix }
}

# Whoever forgets to name a security group gets one that allows nothing.
resource "aws_default_security_group" "none" {
  vpc_id = aws_vpc.here.id
}

resource "aws_subnet" "here" {
  for_each = local.subnets

  vpc_id                  = aws_vpc.here.id
  availability_zone       = each.value.zone
  cidr_block              = each.value.cidr
  map_public_ip_on_launch = false

  tags = { Name = "${var.prefix}-${each.key}" }
}

resource "aws_route_table" "here" {
  for_each = toset(local.kinds)

  vpc_id = aws_vpc.here.id

  tags = { Name = "${var.prefix}-${each.key}" }
}

resource "aws_route_table_association" "here" {
  for_each = local.subnets

  subnet_id      = aws_subnet.here[each.key].id
  route_table_id = aws_route_table.here[each.value.kind].id
}

# --- the way out: of the load balancer, and of the API through one NAT gateway

resource "aws_internet_gateway" "here" {
  vpc_id = aws_vpc.here.id

  tags = { Name = var.prefix }
}

resource "aws_eip" "nat" {
  domain = "vpc"

  tags = { Name = "${var.prefix}-nat" }
}

resource "aws_nat_gateway" "here" {
  allocation_id = aws_eip.nat.id
  subnet_id     = aws_subnet.here["public-0"].id

  tags = { Name = var.prefix }

  depends_on = [aws_internet_gateway.here]
}

resource "aws_route" "public" {
  route_table_id         = aws_route_table.here["public"].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.here.id
}

resource "aws_route" "service" {
  route_table_id         = aws_route_table.here["service"].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.here.id
}
