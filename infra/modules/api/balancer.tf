# The load balancer. It suits events that are streamed for long, which an API Gateway cuts off at half a minute.

locals {
  tls = var.certificate_arn != null
}

resource "aws_lb" "api" {
  # checkov:skip=CKV_AWS_150: a deployment that is not disposable has it
  # checkov:skip=CKV2_AWS_20: with a certificate the listener redirects (below)
  # checkov:skip=CKV2_AWS_76: no Java runs behind it; a deployment may bring a web ACL of its own
  # checkov:skip=CKV2_AWS_28: all routes but health want a token, no media passes, client_cidrs says who may ask
  name                       = "${var.prefix}-api"
  load_balancer_type         = "application"
  internal                   = false
  subnets                    = var.subnet_ids.public
  security_groups            = [var.security_group_ids.balancer]
  drop_invalid_header_fields = true
  enable_deletion_protection = !var.disposable
  idle_timeout               = 120 # several heartbeats of a stream of events

  access_logs {
    enabled = true
    bucket  = var.access_logs.bucket
    prefix  = var.access_logs.prefix
  }
}

resource "aws_lb_target_group" "api" {
  # checkov:skip=CKV_AWS_378: TLS ends at the load balancer; from there one security group speaks to another
  name                 = "${var.prefix}-api"
  vpc_id               = var.vpc_id
  target_type          = "ip"
  protocol             = "HTTP"
  port                 = local.port
  deregistration_delay = 30

  health_check {
    path                = "/healthz"
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

resource "aws_lb_listener" "https" {
  count = local.tls ? 1 : 0

  load_balancer_arn = aws_lb.api.arn
  protocol          = "HTTPS"
  port              = 443
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.api.arn
  }
}

resource "aws_lb_listener" "http" {
  # checkov:skip=CKV_AWS_2: with a certificate it only redirects; without one the deployment is for a first look
  load_balancer_arn = aws_lb.api.arn
  protocol          = "HTTP"
  port              = 80

  default_action {
    type             = local.tls ? "redirect" : "forward"
    target_group_arn = local.tls ? null : aws_lb_target_group.api.arn

    dynamic "redirect" {
      for_each = local.tls ? ["443"] : []

      content {
        protocol    = "HTTPS"
        port        = redirect.value
        status_code = "HTTP_301"
      }
    }
  }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = { for pair in setproduct(var.client_cidrs, local.tls ? [80, 443] : [80]) : "${pair[0]}:${pair[1]}" => pair }

  description       = "Clients"
  security_group_id = var.security_group_ids.balancer
  cidr_ipv4         = each.value[0]
  ip_protocol       = "tcp"
  from_port         = each.value[1]
  to_port           = each.value[1]
}

resource "aws_vpc_security_group_egress_rule" "balancer" {
  description                  = "To the API"
  security_group_id            = var.security_group_ids.balancer
  referenced_security_group_id = var.security_group_ids.api
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
}

resource "aws_vpc_security_group_ingress_rule" "api" {
  description                  = "From the load balancer"
  security_group_id            = var.security_group_ids.api
  referenced_security_group_id = var.security_group_ids.balancer
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
}

resource "aws_wafv2_web_acl_association" "api" {
  count = var.web_acl_arn == null ? 0 : 1

  resource_arn = aws_lb.api.arn
  web_acl_arn  = var.web_acl_arn
}
