# What a role may be given on the buckets, in the words of adapters/aws/{objects,uploads,signing}.py. A role gets those
# of these documents that its component needs.

locals {
  raw       = aws_s3_bucket.media["raw"].arn
  processed = aws_s3_bucket.media["processed"].arn
  models    = aws_s3_bucket.media["models"].arn
}

# Read what owners sent. Without ListBucket, what is not there would be 403 instead of 404.
data "aws_iam_policy_document" "reads_raw" {
  statement {
    actions   = ["s3:GetObject", "s3:GetObjectVersion"]
    resources = ["${local.raw}/raw/*"]
  }

  statement {
    actions   = ["s3:ListBucket"]
    resources = [local.raw]
  }
}

# See uploads through: sign, list, complete, abort, and remove what was refused.
data "aws_iam_policy_document" "receives" {
  source_policy_documents = [data.aws_iam_policy_document.reads_raw.json]

  statement {
    actions = [
      "s3:PutObject",
      "s3:AbortMultipartUpload",
      "s3:ListMultipartUploadParts",
      "s3:DeleteObject",
      "s3:DeleteObjectVersion",
    ]
    resources = ["${local.raw}/raw/*"]
  }

  statement {
    actions   = ["s3:ListBucketVersions"]
    resources = [local.raw]
  }
}

# Find uploads that nobody owns any more.
data "aws_iam_policy_document" "finds_orphans" {
  statement {
    actions   = ["s3:ListBucketMultipartUploads"]
    resources = [local.raw]
  }
}

data "aws_iam_policy_document" "reads_processed" {
  statement {
    actions   = ["s3:GetObject", "s3:GetObjectVersion"]
    resources = ["${local.processed}/media/*"]
  }

  statement {
    actions   = ["s3:ListBucket"]
    resources = [local.processed]
  }
}

data "aws_iam_policy_document" "writes_processed" {
  statement {
    actions   = ["s3:PutObject", "s3:AbortMultipartUpload"]
    resources = ["${local.processed}/media/*"]
  }
}

data "aws_iam_policy_document" "lists_processed" {
  statement {
    actions   = ["s3:ListBucketVersions"]
    resources = [local.processed]
  }
}

data "aws_iam_policy_document" "removes_processed" {
  source_policy_documents = [data.aws_iam_policy_document.lists_processed.json]

  statement {
    actions   = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
    resources = ["${local.processed}/media/*"]
  }
}

# A worker's session (adapters/aws/sessions.py): what its owner sent, what its attempt makes, and the chunks of its
# owner's films, which attempts share and whose listing names the folder that it is bound by. The names are its tags.
# It has no ListBucket: a HEAD, which needs it to be answered 404, names no prefix that it could be bound by, and with
# it a session could list what others have. So to a worker a source that is gone is denied; inspecting has looked before.
data "aws_iam_policy_document" "works_on_attempt" {
  statement {
    actions   = ["s3:GetObject", "s3:GetObjectVersion"]
    resources = ["${local.raw}/raw/&{aws:PrincipalTag/owner}/*"]
  }

  statement {
    actions = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:AbortMultipartUpload"]
    resources = [
      "${local.processed}/media/&{aws:PrincipalTag/owner}/*/&{aws:PrincipalTag/job}-a&{aws:PrincipalTag/attempt}/*",
      "${local.processed}/media/&{aws:PrincipalTag/owner}/*/chunks/*",
    ]
  }

  statement {
    actions   = ["s3:ListBucketVersions"]
    resources = [local.processed]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["media/&{aws:PrincipalTag/owner}/*/chunks/*"]
    }
  }
}

# Keep pictures that an owner has asked for later, in a session that is tagged with the owner.
data "aws_iam_policy_document" "makes_pictures" {
  statement {
    actions   = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"]
    resources = ["${local.processed}/media/&{aws:PrincipalTag/owner}/*/variants/*"]
  }
}

# For whoever reads or writes a bucket with a key of its own: through S3, and for nothing else.
data "aws_iam_policy_document" "uses_key" {
  count = var.kms_key_arn == null ? 0 : 1

  statement {
    actions   = ["kms:GenerateDataKey", "kms:Decrypt"]
    resources = [var.kms_key_arn]

    condition {
      test     = "StringLike"
      variable = "kms:ViaService"
      values   = ["s3.*.amazonaws.com"]
    }
  }
}

# Fetch the model that speech is recognised with (adapters/aws/models.py), and no other. Listing tells which models there
# are; without it, one that is not there would be 403 instead of 404.
data "aws_iam_policy_document" "reads_model" {
  statement {
    actions   = ["s3:GetObject", "s3:GetObjectVersion"]
    resources = ["${local.models}/models/${var.speech_model}/*"]
  }

  statement {
    actions   = ["s3:ListBucket"]
    resources = [local.models]
  }
}

data "aws_partition" "speech" {}

# Have Amazon Transcribe listen to sounds that a worker has made of what was sent (adapters/aws/transcribe.py): those of its
# session's job and attempt. Only the beginning of one cannot be bound by its name.
data "aws_iam_policy_document" "transcribes" {
  statement {
    actions   = ["transcribe:StartTranscriptionJob"]
    resources = ["*"]
  }

  statement {
    actions   = ["transcribe:GetTranscriptionJob", "transcribe:DeleteTranscriptionJob"]
    resources = ["arn:${data.aws_partition.speech.partition}:transcribe:*:*:transcription-job/&{aws:PrincipalTag/job}-a&{aws:PrincipalTag/attempt}.tsk_*"]
  }

  statement {
    actions = [
      "s3:PutObject", "s3:AbortMultipartUpload", "s3:GetObject", "s3:DeleteObject", "s3:DeleteObjectVersion",
    ]
    resources = ["${local.processed}/media/-/speech/&{aws:PrincipalTag/job}-a&{aws:PrincipalTag/attempt}.tsk_*"]
  }
}
