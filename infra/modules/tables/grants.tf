# What a role may be given on the tables, in the words of adapters/aws/ledger.py and search.py.

# Load, list and commit records of one table. A transaction needs the actions of its parts.
data "aws_iam_policy_document" "keeps" {
  for_each = aws_dynamodb_table.records

  statement {
    actions = [
      "dynamodb:GetItem",
      "dynamodb:PutItem",
      "dynamodb:UpdateItem",
      "dynamodb:DeleteItem",
      "dynamodb:Query",
    ]
    resources = [each.value.arn]
  }
}

# The same for a worker's session: of its owner's items only, and what workers do (they count, remove and send nothing).
# No condition can look at a sort key, so these are all of the owner's jobs. Without a leading key ForAllValues is true.
data "aws_iam_policy_document" "keeps_jobs_of_owner" {
  statement {
    actions   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"]
    resources = [aws_dynamodb_table.records["jobs"].arn]

    condition {
      test     = "ForAllValues:StringEquals"
      variable = "dynamodb:LeadingKeys"
      values   = ["&{aws:PrincipalTag/owner}"]
    }

    condition {
      test     = "Null"
      variable = "dynamodb:LeadingKeys"
      values   = ["false"]
    }
  }
}

# Forget messages that were sent.
data "aws_iam_policy_document" "forgets_messages" {
  statement {
    actions   = ["dynamodb:BatchWriteItem"]
    resources = [aws_dynamodb_table.records["jobs"].arn]
  }
}

# Write the words that media are found by, many at once, and look which of them count; the rest is as for records.
data "aws_iam_policy_document" "keeps_words" {
  statement {
    actions   = ["dynamodb:BatchWriteItem", "dynamodb:BatchGetItem"]
    resources = [aws_dynamodb_table.records["media"].arn]
  }
}

# Find what is overdue or unsent. The API's /readyz asks the same, for nothing.
data "aws_iam_policy_document" "finds_work" {
  statement {
    actions   = ["dynamodb:Query"]
    resources = [for table in aws_dynamodb_table.records : "${table.arn}/index/work"]
  }
}

# Hear of messages as they are committed.
data "aws_iam_policy_document" "hears_messages" {
  statement {
    actions   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
    resources = [aws_dynamodb_table.records["jobs"].stream_arn]
  }

  statement {
    actions   = ["dynamodb:ListStreams"]
    resources = ["${aws_dynamodb_table.records["jobs"].arn}/stream/*"]
  }
}
