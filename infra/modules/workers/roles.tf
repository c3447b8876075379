# For each family a role for its containers and one for the sessions that they work in; and one for the agent that starts
# all of them (pulls the image, opens the log).
#
# A container's own role may do nothing but begin a session that is tagged with whose work it does: the session's rights
# follow from its tags (adapters/aws/sessions.py). The function that does small tasks has its session here, too.

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
  for_each = local.families

  statement {
    actions   = ["sts:AssumeRole", "sts:TagSession"]
    resources = [aws_iam_role.session[each.key].arn]
  }
}

resource "aws_iam_role_policy" "worker" {
  for_each = local.families

  name   = "begins-sessions"
  role   = aws_iam_role.worker[each.key].id
  policy = data.aws_iam_policy_document.worker[each.key].json
}

# All three tags, and no other: a session without one would have no rights, one with more could be mistaken for others'.
data "aws_iam_policy_document" "session_trust" {
  for_each = local.sessions

  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]

    principals {
      type        = "AWS"
      identifiers = [each.value]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalAccount"
      values   = [data.aws_caller_identity.here.account_id]
    }

    condition {
      test     = "ForAllValues:StringEquals"
      variable = "aws:TagKeys"
      values   = ["owner", "job", "attempt"]
    }

    condition {
      test     = "StringLike"
      variable = "aws:RequestTag/owner"
      values   = ["?*"]
    }

    condition {
      test     = "StringLike"
      variable = "aws:RequestTag/job"
      values   = ["job_?*"]
    }

    condition {
      test     = "StringLike"
      variable = "aws:RequestTag/attempt"
      values   = ["?*"]
    }
  }
}

resource "aws_iam_role" "session" {
  for_each = local.sessions

  name                 = "${var.prefix}-${each.key}-session"
  assume_role_policy   = data.aws_iam_policy_document.session_trust[each.key].json
  max_session_duration = 3600
}

data "aws_iam_policy_document" "session" {
  for_each = local.sessions

  source_policy_documents = var.grants[each.key]
}

resource "aws_iam_role_policy" "session" {
  for_each = local.sessions

  name   = "does-its-work"
  role   = aws_iam_role.session[each.key].id
  policy = data.aws_iam_policy_document.session[each.key].json
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
