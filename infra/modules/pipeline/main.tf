# The state machine of every job. Its definition is the output of `smmu asl`, kept beside this file: tests/infra fails
# when it is another one. The limits on states and on the whole execution are in it.

data "aws_caller_identity" "here" {}
data "aws_partition" "here" {}
data "aws_region" "here" {}

locals {
  name    = "${var.prefix}-pipeline"
  account = data.aws_caller_identity.here.account_id
  region  = data.aws_region.here.name
  aws     = "arn:${data.aws_partition.here.partition}"

  # By its name, because those who are told of it are part of what it calls.
  arn        = "${local.aws}:states:${local.region}:${local.account}:stateMachine:${local.name}"
  executions = "${local.aws}:states:${local.region}:${local.account}:execution:${local.name}:*"
}

resource "aws_sfn_state_machine" "pipeline" {
  # checkov:skip=CKV_AWS_285: failures are logged; execution data says whose file it is
  name     = local.name
  type     = "STANDARD"
  role_arn = aws_iam_role.pipeline.arn

  definition = templatefile("${path.module}/pipeline.asl.json.tftpl", {
    perform         = var.functions.perform
    open            = var.functions.open
    collect         = var.functions.collect
    render          = var.functions.render
    cluster         = var.cluster_arn
    family_prefix   = var.prefix
    subnets         = join(",", var.subnet_ids)
    security_groups = join(",", var.security_group_ids)
  })

  # Without execution data: it says whose file it is.
  logging_configuration {
    level                  = "ERROR"
    include_execution_data = false
    log_destination        = "${var.log_group_arn}:*"
  }

  # Under the trace that a job's record has: the dispatcher tells it when it starts a run.
  tracing_configuration {
    enabled = true
  }

  depends_on = [aws_iam_role_policy.pipeline]
}
