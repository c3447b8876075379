# What a role may be given on the tables, in the words of adapters/aws/ledger.py.

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

# Forget messages that were sent.
data "aws_iam_policy_document" "forgets_messages" {
  statement {
    actions   = ["dynamodb:BatchWriteItem"]
    resources = [aws_dynamodb_table.records["jobs"].arn]
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
