# The three tables as adapters/aws/rows.py lays them out: an owner's records under sort keys, and the sparse index `work`
# of what waits for the sweeper. The index holds keys, the owner and, where messages are, their bodies.
# DynamoDB encrypts them with keys of its own.

locals {
  tables = {
    jobs    = { name = "${var.prefix}-jobs", sort_key = "jobId", has_messages = true, expires = false }
    uploads = { name = "${var.prefix}-upload-sessions", sort_key = "uploadId", has_messages = false, expires = true }
    media   = { name = "${var.prefix}-media", sort_key = "mediaId", has_messages = false, expires = false }
  }
}

resource "aws_dynamodb_table" "records" {
  # checkov:skip=CKV_AWS_119: encrypted with DynamoDB's own keys; one of ours could be lost, and its requests cost
  for_each = local.tables

  name                        = each.value.name
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "userId"
  range_key                   = each.value.sort_key
  stream_enabled              = each.value.has_messages
  stream_view_type            = each.value.has_messages ? "NEW_IMAGE" : null
  deletion_protection_enabled = !var.disposable

  attribute {
    name = "userId"
    type = "S"
  }

  attribute {
    name = each.value.sort_key
    type = "S"
  }

  attribute {
    name = "work"
    type = "S"
  }

  attribute {
    name = "workAt"
    type = "N"
  }

  global_secondary_index {
    name               = "work"
    hash_key           = "work"
    range_key          = "workAt"
    projection_type    = "INCLUDE"
    non_key_attributes = each.value.has_messages ? ["message", "owner"] : ["owner"]
  }

  dynamic "ttl" {
    for_each = each.value.expires ? ["expiresAt"] : []

    content {
      attribute_name = ttl.value
      enabled        = true
    }
  }

  point_in_time_recovery {
    enabled = true
  }
}
