# The buckets: what owners send (raw/…), what is made of it (media/…), and the speech models that workers fetch (models/…),
# which are nobody's and so in neither of the others. All keep versions, because a version that was looked at must stay
# what it is, and none is ever read or written but over TLS by a role, a signed URL or our CloudFront.
#
# With S3's own keys the ETag of a part is its MD5, and so the ETag of a whole object follows from its parts': by that
# alone the product knows, after a lost answer, that an upload was completed. With a key of KMS ETags are no MD5s; then
# such an upload ends as unavailable until its client asks again. So a key of KMS is a choice, not the default.

locals {
  names = {
    raw       = "${var.prefix}-raw-media"
    processed = "${var.prefix}-processed-media"
    models    = "${var.prefix}-models"
  }

  # An upload lives a day (SMMU_LIMITS__UPLOAD_SECONDS); the sweeper aborts what is left of it. This is behind both.
  incomplete_days = 2
}

resource "aws_s3_bucket" "media" {
  # checkov:skip=CKV_AWS_18: aws_s3_bucket_logging.media has all (logs.tf), as below
  # checkov:skip=CKV_AWS_21: aws_s3_bucket_versioning.media has all, which checkov does not see through for_each
  # checkov:skip=CKV_AWS_144: what was sent expires, all else can be made or fetched again; a copy elsewhere is a choice
  # checkov:skip=CKV_AWS_145: an ETag that is an MD5 is worth more here (above); kms_key_arn is there for those who must
  # checkov:skip=CKV2_AWS_6: aws_s3_bucket_public_access_block.media has all, as above
  # checkov:skip=CKV2_AWS_62: nobody has to hear of what is made
  for_each = local.names

  bucket        = each.value
  force_destroy = var.disposable
}

resource "aws_s3_bucket_versioning" "media" {
  for_each = aws_s3_bucket.media

  bucket = each.value.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_public_access_block" "media" {
  for_each = aws_s3_bucket.media

  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "media" {
  for_each = aws_s3_bucket.media

  bucket = each.value.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "media" {
  for_each = aws_s3_bucket.media

  bucket = each.value.id

  rule {
    bucket_key_enabled = var.kms_key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

data "aws_iam_policy_document" "access" {
  for_each = aws_s3_bucket.media

  statement {
    sid       = "OnlyOverTls"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [each.value.arn, "${each.value.arn}/*"]

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

  statement {
    sid       = "OnlyOverTlsOfToday"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [each.value.arn, "${each.value.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "NumericLessThan"
      variable = "s3:TlsVersion"
      values   = ["1.2"]
    }
  }

  # CloudFront may read what is made, for these distributions and no other's.
  dynamic "statement" {
    for_each = each.key == "processed" && length(var.distribution_arns) > 0 ? [var.distribution_arns] : []

    content {
      sid       = "HandedOutByCloudFront"
      actions   = ["s3:GetObject"]
      resources = ["${each.value.arn}/media/*"]

      principals {
        type        = "Service"
        identifiers = ["cloudfront.amazonaws.com"]
      }

      condition {
        test     = "StringEquals"
        variable = "aws:SourceArn"
        values   = statement.value
      }
    }
  }
}

resource "aws_s3_bucket_policy" "access" {
  for_each = aws_s3_bucket.media

  bucket = each.value.id
  policy = data.aws_iam_policy_document.access[each.key].json

  # Two changes of one bucket's access at once are refused.
  depends_on = [aws_s3_bucket_public_access_block.media]
}

# Storage tells what has arrived, to whom it concerns (modules/queues/arrivals.tf).
resource "aws_s3_bucket_notification" "raw" {
  bucket      = aws_s3_bucket.media["raw"].id
  eventbridge = true
}

# What browsers may do. Without ETag exposed, uploaders hang at the end of a multipart upload.
resource "aws_s3_bucket_cors_configuration" "raw" {
  count = length(var.origins) > 0 ? 1 : 0

  bucket = aws_s3_bucket.media["raw"].id

  cors_rule {
    allowed_origins = var.origins
    allowed_methods = ["GET", "PUT", "POST", "DELETE"]
    allowed_headers = [
      "authorization",
      "content-type",
      "if-none-match",
      "x-amz-checksum-*",
      "x-amz-content-sha256",
      "x-amz-date",
    ]
    expose_headers  = ["ETag", "Location"]
    max_age_seconds = 3000
  }
}

resource "aws_s3_bucket_cors_configuration" "processed" {
  count = length(var.origins) > 0 ? 1 : 0

  bucket = aws_s3_bucket.media["processed"].id

  # A page whose player was sent here by the API comes as `null`: its browser does not tell who asked (Fetch standard,
  # redirect taint). An address here is a signed one, and no credentials are sent with it.
  cors_rule {
    allowed_origins = ["*"]
    allowed_methods = ["GET", "HEAD"]
    allowed_headers = ["range"]
    expose_headers  = ["ETag", "Content-Length", "Content-Range"]
    max_age_seconds = 3000
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "raw" {
  bucket = aws_s3_bucket.media["raw"].id

  rule {
    id     = "abort-incomplete"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = local.incomplete_days
    }
  }

  # A version that somebody overwrote may be the one that a job is pinned to: it is kept for just as long.
  rule {
    id     = "expire-raw"
    status = "Enabled"

    filter {
      prefix = "raw/"
    }

    expiration {
      days = var.raw_days
    }

    noncurrent_version_expiration {
      noncurrent_days = var.raw_days
    }
  }

  rule {
    id     = "forget-delete-markers"
    status = "Enabled"

    filter {}

    expiration {
      expired_object_delete_marker = true
    }
  }

  depends_on = [aws_s3_bucket_versioning.media]
}

# What was made is kept until its owner deletes it, which removes every version by itself. A sound on its way to Amazon
# Transcribe is removed by the worker that sent it, and here if that worker died.
resource "aws_s3_bucket_lifecycle_configuration" "processed" {
  bucket = aws_s3_bucket.media["processed"].id

  rule {
    id     = "abort-incomplete"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = local.incomplete_days
    }
  }

  rule {
    id     = "expire-sounds"
    status = "Enabled"

    filter {
      prefix = "media/-/speech/"
    }

    expiration {
      days = 1
    }

    noncurrent_version_expiration {
      noncurrent_days = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.media]
}

# A model is replaced by a newer one, which takes other names; what was overwritten or removed is kept for a month.
resource "aws_s3_bucket_lifecycle_configuration" "models" {
  bucket = aws_s3_bucket.media["models"].id

  rule {
    id     = "abort-incomplete"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = local.incomplete_days
    }
  }

  rule {
    id     = "expire-replaced"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 30
    }
  }

  depends_on = [aws_s3_bucket_versioning.media]
}
