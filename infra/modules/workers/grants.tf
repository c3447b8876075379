# What a role may be given on the cluster's tasks, in the words of adapters/aws/tasks.py.

locals {
  tasks = "arn:${data.aws_partition.here.partition}:ecs:${data.aws_region.here.name}:${data.aws_caller_identity.here.account_id}:task/${var.prefix}/*"
}

data "aws_iam_policy_document" "inspects" {
  # Listing names no task: it is bound by the cluster (ECS developer guide, "Identity-based policy examples").
  statement {
    actions   = ["ecs:ListTasks"]
    resources = ["*"]

    condition {
      test     = "ArnEquals"
      variable = "ecs:cluster"
      values   = [aws_ecs_cluster.here.arn]
    }
  }

  statement {
    actions   = ["ecs:DescribeTasks"]
    resources = [local.tasks]

    condition {
      test     = "ArnEquals"
      variable = "ecs:cluster"
      values   = [aws_ecs_cluster.here.arn]
    }
  }
}
