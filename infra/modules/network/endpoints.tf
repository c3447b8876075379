# AWS, reached from inside. Through the gateways only this deployment's buckets and tables can be reached (and the bucket
# that ECR keeps layers in), whatever credentials are used: a way to take data elsewhere less.

data "aws_iam_policy_document" "s3" {
  # checkov:skip=CKV_AWS_283: an endpoint's policy takes away; who may do what is said by roles
  statement {
    actions = [
      "s3:AbortMultipartUpload",
      "s3:DeleteObject",
      "s3:DeleteObjectVersion",
      "s3:GetObject",
      "s3:GetObjectVersion",
      "s3:ListBucket",
      "s3:ListBucketVersions",
      "s3:ListMultipartUploadParts",
      "s3:PutObject",
    ]
    resources = concat(var.bucket_arns, [for arn in var.bucket_arns : "${arn}/*"])

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
  }

  # Nothing inside writes a model.
  statement {
    actions   = ["s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"]
    resources = concat(var.read_bucket_arns, [for arn in var.read_bucket_arns : "${arn}/*"])

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
  }

  statement {
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::prod-${data.aws_region.here.name}-starport-layer-bucket/*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
  }
}

data "aws_iam_policy_document" "dynamodb" {
  # checkov:skip=CKV_AWS_283: an endpoint's policy takes away; who may do what is said by roles
  statement {
    actions = [
      "dynamodb:BatchGetItem",
      "dynamodb:BatchWriteItem",
      "dynamodb:DeleteItem",
      "dynamodb:GetItem",
      "dynamodb:PutItem",
      "dynamodb:Query",
      "dynamodb:UpdateItem",
    ]
    resources = concat(var.table_arns, [for arn in var.table_arns : "${arn}/index/work"])

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
  }
}

resource "aws_vpc_endpoint" "gateway" {
  for_each = {
    s3       = data.aws_iam_policy_document.s3.json
    dynamodb = data.aws_iam_policy_document.dynamodb.json
  }

  vpc_id            = aws_vpc.here.id
  vpc_endpoint_type = "Gateway"
  service_name      = "com.amazonaws.${data.aws_region.here.name}.${each.key}"
  route_table_ids   = [aws_route_table.here["service"].id, aws_route_table.here["worker"].id]
  policy            = each.value

  tags = { Name = "${var.prefix}-${each.key}" }
}

resource "aws_vpc_endpoint" "interface" {
  for_each = toset(concat(var.interface_endpoints, var.more_endpoints))

  vpc_id              = aws_vpc.here.id
  vpc_endpoint_type   = "Interface"
  service_name        = "com.amazonaws.${data.aws_region.here.name}.${each.key}"
  private_dns_enabled = true
  subnet_ids          = [for key, subnet in local.subnets : aws_subnet.here[key].id if subnet.kind == "worker" && (var.endpoints_in_every_zone || subnet.zone == local.zones[0])]
  security_group_ids  = [aws_security_group.here["endpoints"].id]

  tags = { Name = "${var.prefix}-${each.key}" }
}
