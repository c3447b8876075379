# What has to be there before any environment: a bucket and a lock for Terraform's state, and repositories for images.
# Applied once for each account, with its own state kept beside it (docs/deploy.md).

provider "aws" {
  region = var.region

  default_tags {
    tags = { Product = "smmu" }
  }
}

data "aws_caller_identity" "here" {}

locals {
  account = data.aws_caller_identity.here.account_id
}

resource "aws_s3_bucket" "state" {
  # checkov:skip=CKV_AWS_18: there are a few files for administrators alone, and CloudTrail knows who changed them
  # checkov:skip=CKV_AWS_144: lost, the state can be imported again
  # checkov:skip=CKV2_AWS_62: nobody waits for the state
  bucket = "smmu-state-${local.account}-${var.region}"

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_versioning" "state" {
  bucket = aws_s3_bucket.state.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "state" {
  bucket = aws_s3_bucket.state.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "aws:kms"
    }
  }
}

# What the state was before is kept for a year.
resource "aws_s3_bucket_lifecycle_configuration" "state" {
  bucket = aws_s3_bucket.state.id

  rule {
    id     = "forget-old-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 365
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 2
    }
  }

  depends_on = [aws_s3_bucket_versioning.state]
}

resource "aws_s3_bucket_public_access_block" "state" {
  bucket                  = aws_s3_bucket.state.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

data "aws_iam_policy_document" "state" {
  statement {
    sid       = "OnlyOverTls"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.state.arn, "${aws_s3_bucket.state.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "state" {
  bucket = aws_s3_bucket.state.id
  policy = data.aws_iam_policy_document.state.json

  depends_on = [aws_s3_bucket_public_access_block.state]
}

resource "aws_dynamodb_table" "lock" {
  # checkov:skip=CKV_AWS_119: a lock is no secret; DynamoDB encrypts it with keys of its own
  name                        = "smmu-state-lock"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "LockID"
  deletion_protection_enabled = true

  attribute {
    name = "LockID"
    type = "S"
  }

  point_in_time_recovery {
    enabled = true
  }
}

module "releases" {
  source = "../modules/releases"

  github_repository = var.github_repository
  deployments       = var.deployments
}
