# Whom workflows on GitHub are here. They have no keys: GitHub says in a token which repository runs for what, and a role
# believes exactly one sentence or two of that (its `sub`; AWS reads no other claim of GitHub's).
#
#   smmu-ci-push            main                    puts images into ECR, and reads their scans
#   smmu-ci-plan            pull requests, main     reads what is deployed, and no media, records or logs
#   smmu-ci-deploy-<name>   an environment          changes what is deployed; who approves that is the environment's rule
#
# Whoever may write the roles of functions can write himself any right. So deploying is as much as administering the
# account, whatever else the role is refused: an environment's reviewers decide about all of it.

locals {
  issuer = "token.actions.githubusercontent.com"
  main   = "ref:refs/heads/main"

  trusted = var.github_repository == null ? {} : merge(
    { push = [local.main], plan = ["pull_request", local.main] },
    { for name in keys(var.deployments) : "deploy-${name}" => ["environment:${name}"] },
  )
  deploying = var.github_repository == null ? {} : var.deployments
}

resource "aws_iam_openid_connect_provider" "github" {
  count = var.github_repository == null ? 0 : 1

  url            = "https://${local.issuer}"
  client_id_list = ["sts.amazonaws.com"]
}

data "aws_iam_policy_document" "trust" {
  for_each = local.trusted

  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.github[0].arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:sub"
      values   = [for one in each.value : "repo:${var.github_repository}:${one}"]
    }
  }
}

resource "aws_iam_role" "workflow" {
  for_each = local.trusted

  name                 = "smmu-ci-${each.key}"
  assume_role_policy   = data.aws_iam_policy_document.trust[each.key].json
  max_session_duration = 3600
}

# --- push

data "aws_iam_policy_document" "pushes" {
  # A token for the registry belongs to no repository.
  statement {
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    actions = [
      "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:DescribeImages",
      "ecr:DescribeImageScanFindings", "ecr:GetDownloadUrlForLayer", "ecr:InitiateLayerUpload", "ecr:PutImage",
      "ecr:StartImageScan", "ecr:UploadLayerPart",
    ]
    resources = [for made in aws_ecr_repository.image : made.arn]
  }
}

resource "aws_iam_role_policy" "pushes" {
  count = var.github_repository == null ? 0 : 1

  name   = "pushes-images"
  role   = aws_iam_role.workflow["push"].id
  policy = data.aws_iam_policy_document.pushes.json
}

# --- plan

resource "aws_iam_role_policy_attachment" "plan_reads" {
  count = var.github_repository == null ? 0 : 1

  role       = aws_iam_role.workflow["plan"].name
  policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}

# A pull request runs what its author wrote. The state it may read (it has no secrets), owners' data it may not, and no
# logs of who asked for what: signed URLs are in them.
data "aws_iam_policy_document" "sees_no_data" {
  statement {
    effect    = "Deny"
    actions   = ["s3:GetObject", "s3:GetObjectVersion"]
    resources = ["arn:aws:s3:::smmu-*-logs/*", "arn:aws:s3:::smmu-*-media/*"]
  }

  statement {
    effect = "Deny"
    actions = [
      "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:GetRecords", "dynamodb:PartiQLSelect", "dynamodb:Query",
      "dynamodb:Scan",
    ]
    resources = [
      "arn:aws:dynamodb:*:${local.account}:table/smmu-*-jobs*",
      "arn:aws:dynamodb:*:${local.account}:table/smmu-*-media*",
      "arn:aws:dynamodb:*:${local.account}:table/smmu-*-upload-sessions*",
    ]
  }

  statement {
    effect    = "Deny"
    actions   = ["logs:FilterLogEvents", "logs:GetLogEvents", "logs:StartLiveTail", "logs:StartQuery"]
    resources = ["arn:aws:logs:*:${local.account}:log-group:*smmu-*"]
  }

  statement {
    effect    = "Deny"
    actions   = ["states:DescribeExecution", "states:GetExecutionHistory"]
    resources = ["arn:aws:states:*:${local.account}:execution:smmu-*"]
  }
}

resource "aws_iam_role_policy" "sees_no_data" {
  count = var.github_repository == null ? 0 : 1

  name   = "sees-no-data"
  role   = aws_iam_role.workflow["plan"].id
  policy = data.aws_iam_policy_document.sees_no_data.json
}

# --- deploy

resource "aws_iam_role_policy_attachment" "deploys" {
  for_each = local.deploying

  role       = aws_iam_role.workflow["deploy-${each.key}"].name
  policy_arn = "arn:aws:iam::aws:policy/PowerUserAccess" # everything but identities
}

# The roles and policies of this deployment, by their names; never those of workflows.
data "aws_iam_policy_document" "keeps_roles" {
  for_each = local.deploying

  statement {
    actions = [
      "iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:GetRole", "iam:GetRolePolicy",
      "iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole", "iam:ListRolePolicies", "iam:ListRoleTags",
      "iam:PutRolePolicy", "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole",
      "iam:UpdateRoleDescription",
    ]
    resources = ["arn:aws:iam::${local.account}:role/smmu-${each.value}-*"]
  }

  statement {
    actions = [
      "iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion", "iam:GetPolicy",
      "iam:GetPolicyVersion", "iam:ListPolicyVersions", "iam:TagPolicy", "iam:UntagPolicy",
    ]
    resources = ["arn:aws:iam::${local.account}:policy/smmu-${each.value}-*"]
  }

  statement {
    actions   = ["iam:PassRole"]
    resources = ["arn:aws:iam::${local.account}:role/smmu-${each.value}-*"]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com", "lambda.amazonaws.com", "states.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "keeps_roles" {
  for_each = local.deploying

  name   = "keeps-roles"
  role   = aws_iam_role.workflow["deploy-${each.key}"].id
  policy = data.aws_iam_policy_document.keeps_roles[each.key].json
}
