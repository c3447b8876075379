# Who asked for what: the load balancer writes its log here, and S3 who used which signed URL on the two buckets.
# Log deliveries know S3's own keys alone. A log is written once, so the bucket keeps no versions.

data "aws_caller_identity" "here" {}
data "aws_partition" "here" {}
data "aws_region" "here" {}

locals {
  account       = data.aws_caller_identity.here.account_id
  balancer_logs = "balancer"
  bucket_logs   = "buckets"
}

resource "aws_s3_bucket" "logs" {
  # checkov:skip=CKV_AWS_18: a log of the log would fill itself
  # checkov:skip=CKV_AWS_21: a log is written once and expires
  # checkov:skip=CKV_AWS_144: logs are for the region that they tell of
  # checkov:skip=CKV_AWS_145: load balancers deliver to buckets with S3's own keys only
  # checkov:skip=CKV2_AWS_62: nobody waits for a log
  bucket        = "${var.prefix}-logs"
  force_destroy = var.disposable
}

resource "aws_s3_bucket_public_access_block" "logs" {
  bucket                  = aws_s3_bucket.logs.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "logs" {
  bucket = aws_s3_bucket.logs.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "logs" {
  bucket = aws_s3_bucket.logs.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "logs" {
  bucket = aws_s3_bucket.logs.id

  rule {
    id     = "expire-logs"
    status = "Enabled"

    filter {}

    expiration {
      days = var.log_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = local.incomplete_days
    }
  }
}

data "aws_iam_policy_document" "logs" {
  statement {
    sid       = "OnlyOverTls"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.logs.arn, "${aws_s3_bucket.logs.arn}/*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }

  statement {
    sid       = "LoadBalancer"
    actions   = ["s3:PutObject"]
    resources = ["${aws_s3_bucket.logs.arn}/${local.balancer_logs}/AWSLogs/${local.account}/*"]

    principals {
      type        = "Service"
      identifiers = ["logdelivery.elasticloadbalancing.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values = [
        "arn:${data.aws_partition.here.partition}:elasticloadbalancing:${data.aws_region.here.name}:${local.account}:loadbalancer/*",
      ]
    }
  }

  statement {
    sid       = "Buckets"
    actions   = ["s3:PutObject"]
    resources = ["${aws_s3_bucket.logs.arn}/${local.bucket_logs}/*"]

    principals {
      type        = "Service"
      identifiers = ["logging.s3.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [for bucket in aws_s3_bucket.media : bucket.arn]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

resource "aws_s3_bucket_policy" "logs" {
  bucket = aws_s3_bucket.logs.id
  policy = data.aws_iam_policy_document.logs.json

  depends_on = [aws_s3_bucket_public_access_block.logs]
}

resource "aws_s3_bucket_logging" "media" {
  for_each = aws_s3_bucket.media

  bucket        = each.value.id
  target_bucket = aws_s3_bucket_policy.logs.bucket
  target_prefix = "${local.bucket_logs}/"
}
