# Who asked for what, and was it let in. CloudFront's log writes by access control lists, so this bucket has them.

resource "aws_s3_bucket" "log" {
  # checkov:skip=CKV_AWS_18: a log of the log would fill itself
  # checkov:skip=CKV_AWS_21: a log is written once and expires
  # checkov:skip=CKV_AWS_144: nobody needs it where it is not
  # checkov:skip=CKV_AWS_145: CloudFront writes its log with S3's own keys
  # checkov:skip=CKV2_AWS_62: nobody waits for a log
  bucket        = "${var.prefix}-delivery-log"
  force_destroy = var.disposable
}

resource "aws_s3_bucket_ownership_controls" "log" {
  # checkov:skip=CKV2_AWS_65: CloudFront writes its log by access control lists
  bucket = aws_s3_bucket.log.id

  rule {
    object_ownership = "BucketOwnerPreferred"
  }
}

resource "aws_s3_bucket_public_access_block" "log" {
  bucket                  = aws_s3_bucket.log.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "log" {
  bucket = aws_s3_bucket.log.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "log" {
  bucket = aws_s3_bucket.log.id

  rule {
    id     = "expire"
    status = "Enabled"

    filter {}

    expiration {
      days = var.log_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 2
    }
  }
}

data "aws_iam_policy_document" "log" {
  statement {
    sid       = "OnlyOverTls"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.log.arn, "${aws_s3_bucket.log.arn}/*"]

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

resource "aws_s3_bucket_policy" "log" {
  bucket = aws_s3_bucket.log.id
  policy = data.aws_iam_policy_document.log.json

  # Two changes of one bucket's access at once are refused.
  depends_on = [aws_s3_bucket_public_access_block.log]
}
