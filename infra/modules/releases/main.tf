# Repositories of images, and (workflows.tf) whom the workflows that fill and use them are.

data "aws_caller_identity" "here" {}
data "aws_region" "here" {}

locals {
  account = data.aws_caller_identity.here.account_id
}

# One for each target of images/Dockerfile. A tag is a commit, and never another one.
resource "aws_ecr_repository" "image" {
  # checkov:skip=CKV_AWS_136: images hold no secrets; ECR encrypts them with keys of its own
  for_each = toset(["smmu-functions", "smmu-worker", "smmu-transcriber", "smmu-api"])

  name                 = each.key
  image_tag_mutability = "IMMUTABLE"

  image_scanning_configuration {
    scan_on_push = true
  }
}

# The last two hundred commits: each is an index, the image that it names, and what that is made of. There is no rule for
# what has no tag, because the image that runs has none: only its index has.
resource "aws_ecr_lifecycle_policy" "image" {
  for_each = aws_ecr_repository.image

  repository = each.value.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Old commits"
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 600 }
      action       = { type = "expire" }
    }]
  })
}

data "aws_iam_policy_document" "lambda_pulls" {
  statement {
    actions = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:aws:lambda:${data.aws_region.here.name}:${local.account}:function:smmu-*"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

resource "aws_ecr_repository_policy" "lambda_pulls" {
  repository = aws_ecr_repository.image["smmu-functions"].name
  policy     = data.aws_iam_policy_document.lambda_pulls.json
}
