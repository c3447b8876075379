# The cluster, and one task definition for each family of heavy work. The state machine starts tasks of them; command,
# CPU and memory are its overrides. The container itself has no memory limit, so that the task's is the one that holds.

data "aws_region" "here" {}

locals {
  families = toset(["transcode", "transcribe"])

  # Who begins which: roles, by the session's name.
  sessions = merge({ for family in local.families : family => aws_iam_role.worker[family].arn }, var.more_sessions)
}

resource "aws_ecs_cluster" "here" {
  name = var.prefix

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_ecs_cluster_capacity_providers" "here" {
  cluster_name       = aws_ecs_cluster.here.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]

  dynamic "default_capacity_provider_strategy" {
    for_each = { for name, weight in { FARGATE = 4 - var.spot_weight, FARGATE_SPOT = var.spot_weight } : name => weight if weight > 0 }

    content {
      capacity_provider = default_capacity_provider_strategy.key
      weight            = default_capacity_provider_strategy.value
    }
  }
}

resource "aws_ecs_task_definition" "worker" {
  for_each = local.families

  family                   = "${var.prefix}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = "1024"
  memory                   = "2048"
  execution_role_arn       = aws_iam_role.agent.arn
  task_role_arn            = aws_iam_role.worker[each.key].arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.architecture == "arm64" ? "ARM64" : "X86_64"
  }

  ephemeral_storage {
    size_in_gib = var.scratch_gib
  }

  volume {
    name = "scratch"
  }

  container_definitions = jsonencode([{
    name                   = "worker"
    image                  = var.images[each.key]
    essential              = true
    readonlyRootFilesystem = true
    stopTimeout            = 120 # a spot machine's notice, to the end
    mountPoints            = [{ sourceVolume = "scratch", containerPath = "/tmp", readOnly = false }]
    environment            = [for name, value in merge(var.settings, { SMMU_PLATFORM__WORKER_ROLE = aws_iam_role.session[each.key].arn }) : { name = name, value = value }]

    linuxParameters = {
      initProcessEnabled = true
      capabilities       = { add = [], drop = ["ALL"] }
    }

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        "awslogs-group"         = var.log_groups[each.key].name
        "awslogs-region"        = data.aws_region.here.name
        "awslogs-stream-prefix" = "worker"
      }
    }
  }])
}
