# A role for the containers of each family, and one for the agent that starts them (pulls the image, opens the log).

data "aws_caller_identity" "here" {}
data "aws_partition" "here" {}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.here.account_id]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values = [
        "arn:${data.aws_partition.here.partition}:ecs:${data.aws_region.here.name}:${data.aws_caller_identity.here.account_id}:*",
      ]
    }
  }
}

resource "aws_iam_role" "worker" {
  for_each = local.families

  name               = "${var.prefix}-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

data "aws_iam_policy_document" "worker" {
  source_policy_documents = var.grants
}

resource "aws_iam_role_policy" "worker" {
  for_each = local.families

  name   = "does-its-work"
  role   = aws_iam_role.worker[each.key].id
  policy = data.aws_iam_policy_document.worker.json
}

resource "aws_iam_role" "agent" {
  name               = "${var.prefix}-workers-agent"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

data "aws_iam_policy_document" "agent" {
  # A token for the registry belongs to no repository.
  statement {
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = var.image_repository_arns
  }

  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = [for group in var.log_groups : "${group.arn}:*"]
  }
}

resource "aws_iam_role_policy" "agent" {
  name   = "starts-containers"
  role   = aws_iam_role.agent.id
  policy = data.aws_iam_policy_document.agent.json
}
