# What decides: eight handlers of one image (smmu.entrypoints.lambdas). They run outside of the network, because all
# they talk to is AWS, by roles. Concurrency is bounded at the event source and nowhere reserved. A ninth, render, is a
# worker, for those who want it: how many of it there are at once is what is reserved for it, and a bound.

locals {
  handlers = "smmu.entrypoints.lambdas"

  # `seconds` of perform: a light task's own limit and its last words (asl_tasks.py); its memory has room for the child
  # process that opens the file (SMMU_LIMITS__CHILD_MEMORY_BYTES).
  # Those of render are what plans reckon with (domain/machines.py).
  handled = {
    arrived  = { handler = "arrived.handle", seconds = 60, memory = 512 }
    dispatch = { handler = "dispatch.handle", seconds = 60, memory = 512 }
    perform  = { handler = "perform.handle_perform", seconds = 330, memory = 3008 }
    open     = { handler = "perform.handle_open", seconds = 60, memory = 512 }
    collect  = { handler = "perform.handle_collect", seconds = 60, memory = 512 }
    relay    = { handler = "relay.handle", seconds = 60, memory = 512 }
    sweep    = { handler = "sweep.handle", seconds = 300, memory = 1024 }
    status   = { handler = "status.handle", seconds = 60, memory = 512 }
    render   = { handler = "render.handle", seconds = 900, memory = 3008 }
  }
  functions = { for name, function in local.handled : name => function if name != "render" || var.render != null }

  told = {
    perform = var.perform_settings
    render  = { SMMU_PLATFORM__WORKER_ROLE = var.render_session_arn }
  }
}

resource "aws_lambda_function" "handler" {
  # checkov:skip=CKV_AWS_115: bounded at the event source; a reservation would make dead letters (render has one)
  # checkov:skip=CKV_AWS_116: the queue and the stream have theirs; what else fails the sweeper finds in the tables
  # checkov:skip=CKV_AWS_117: they talk to AWS alone, by roles; a network would add a way out to guard
  # checkov:skip=CKV_AWS_173: names of resources; the policy's key, which only proves who asks, lies there encrypted by AWS
  # checkov:skip=CKV_AWS_272: Lambda checks signatures of archives, and these are images, named by digest
  for_each = local.functions

  function_name = "${var.prefix}-${each.key}"
  role          = aws_iam_role.function[each.key].arn
  package_type  = "Image"
  image_uri     = var.image
  architectures = [var.architecture]
  timeout       = each.value.seconds
  memory_size   = each.value.memory

  # Whom it has no room for is told so at once: a task is done by a container, a picture is asked for again.
  reserved_concurrent_executions = each.key == "render" ? var.render.concurrency : -1

  image_config {
    command = ["${local.handlers}.${each.value.handler}"]
  }

  environment {
    variables = merge(var.settings, lookup(local.told, each.key, {}))
  }

  # Lambda's own lines as JSON, beside ours; and its part of a run's trace.
  logging_config {
    log_format = "JSON"
    log_group  = var.log_groups[each.key].name
  }

  tracing_config {
    mode = "Active"
  }

  # A role without its policy would fail the first events.
  depends_on = [aws_iam_role_policy.function]
}

# The queues: of a batch, only the messages that failed come back.
resource "aws_lambda_event_source_mapping" "queue" {
  for_each = var.queues

  function_name                      = aws_lambda_function.handler[each.key].arn
  event_source_arn                   = each.value.arn
  batch_size                         = 10
  maximum_batching_window_in_seconds = 0
  function_response_types            = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = each.value.concurrency
  }
}

# The stream: only messages of the outbox wake the function (rows.py, `message_in`). A batch that fails is split until
# the bad record is alone, and given up on before it is an hour old: the sweeper finds its message in the table.
resource "aws_lambda_event_source_mapping" "stream" {
  function_name                      = aws_lambda_function.handler["relay"].arn
  event_source_arn                   = var.stream_arn
  starting_position                  = "TRIM_HORIZON"
  batch_size                         = 100
  maximum_batching_window_in_seconds = 0
  bisect_batch_on_function_error     = true
  maximum_retry_attempts             = 5
  maximum_record_age_in_seconds      = 3600

  filter_criteria {
    filter {
      pattern = jsonencode({
        eventName = ["INSERT", "MODIFY"]
        dynamodb  = { Keys = { jobId = { S = ["#outbox"] } } }
      })
    }
  }

  destination_config {
    on_failure {
      destination_arn = var.relay_failures_arn
    }
  }
}
