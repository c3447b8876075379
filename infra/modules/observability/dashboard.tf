# The whole on one page, and one job in one query.

locals {
  rows = [
    {
      "API: requests and errors" = [
        ["AWS/ApplicationELB", "RequestCount", "LoadBalancer", var.api.balancer, { stat = "Sum" }],
        ["AWS/ApplicationELB", "HTTPCode_Target_4XX_Count", "LoadBalancer", var.api.balancer, { stat = "Sum" }],
        ["AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "LoadBalancer", var.api.balancer, { stat = "Sum" }],
        ["AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", "LoadBalancer", var.api.balancer, { stat = "Sum" }],
      ]
      "API: seconds to an answer" = [
        for stat in ["p50", "p90", "p99"] :
        ["AWS/ApplicationELB", "TargetResponseTime", "LoadBalancer", var.api.balancer, { stat = stat, label = stat }]
      ]
      "Uploads, pictures made on request, and what was replaced" = [
        ["SMMU", "uploads_completed", "deployment", var.prefix, { stat = "Sum" }],
        ["SMMU", "uploads_rejected", "deployment", var.prefix, { stat = "Sum" }],
        ["SMMU", "uploads_closed", "deployment", var.prefix, { stat = "Sum" }],
        ["SMMU", "variants_made", "deployment", var.prefix, { stat = "Sum" }],
        ["SMMU", "revisions_removed", "deployment", var.prefix, { stat = "Sum" }],
        ["SMMU", "replaced_files", "deployment", var.prefix, { stat = "Sum" }],
        ["SMMU", "variant_bytes", "deployment", var.prefix, { stat = "Sum", yAxis = "right" }],
        ["SMMU", "upload_bytes", "deployment", var.prefix, { stat = "Sum", yAxis = "right" }],
      ]
    },
    {
      "Jobs: how they ended" = [
        ["SMMU", "jobs_succeeded", "deployment", var.prefix, { stat = "Sum" }],
        ["SMMU", "jobs_failed", "deployment", var.prefix, "fault", "file", { stat = "Sum", label = "failed: the file" }],
        ["SMMU", "jobs_failed", "deployment", var.prefix, "fault", "service", { stat = "Sum", label = "failed: us" }],
        ["SMMU", "jobs_cancelled", "deployment", var.prefix, { stat = "Sum" }],
        ["SMMU", "jobs_retried", "deployment", var.prefix, { stat = "Sum" }],
        ["SMMU", "renditions_asked", "deployment", var.prefix, { stat = "Sum" }],
        ["SMMU", "policy_rejections", "deployment", var.prefix, { stat = "Sum" }],
        ["SMMU", "policy_unanswered", "deployment", var.prefix, { stat = "Sum" }],
        ["SMMU", "classified", "deployment", var.prefix, { stat = "Sum" }],
        ["SMMU", "moderated", "deployment", var.prefix, { stat = "Sum" }],
        ["SMMU", "classifier_unanswered", "deployment", var.prefix, { stat = "Sum" }],
      ]
      "Jobs: seconds to the end, by kind" = [
        for kind in ["image", "video", "audio"] :
        ["SMMU", "job_seconds", "deployment", var.prefix, "kind", kind, { stat = "p90", label = "${kind} p90" }]
      ]
      "Waiting: seconds to a run, to a worker, to what can be played first" = [
        ["SMMU", "dispatch_seconds", "deployment", var.prefix, { stat = "p90" }],
        ["SMMU", "reveal_seconds", "deployment", var.prefix, { stat = "p90" }],
        ["SMMU", "task_wait_seconds", "deployment", var.prefix, "weight", "light", { stat = "p90", label = "light" }],
        ["SMMU", "task_wait_seconds", "deployment", var.prefix, "weight", "heavy", { stat = "p90", label = "heavy" }],
      ]
    },
    {
      "Runs" = [
        ["AWS/States", "ExecutionsStarted", "StateMachineArn", var.state_machine_arn, { stat = "Sum" }],
        ["AWS/States", "ExecutionsSucceeded", "StateMachineArn", var.state_machine_arn, { stat = "Sum" }],
        ["AWS/States", "ExecutionsFailed", "StateMachineArn", var.state_machine_arn, { stat = "Sum" }],
        ["AWS/States", "ExecutionsTimedOut", "StateMachineArn", var.state_machine_arn, { stat = "Sum" }],
      ]
      "Tasks" = [
        ["SMMU", "tasks", "deployment", var.prefix, { stat = "Sum" }],
        ["SMMU", "task_failures", "deployment", var.prefix, { stat = "Sum" }],
        ["SMMU", "task_seconds", "deployment", var.prefix, { stat = "p90", yAxis = "right" }],
        ["ECS/ContainerInsights", "TaskCount", "ClusterName", var.prefix, { stat = "Maximum", label = "containers" }],
      ]
      "Tasks: tries that failed, by cause" = [
        for cause in ["interrupted", "crashed", "out_of_memory", "timed_out", "world_unavailable", "internal"] :
        ["SMMU", "task_failures", "deployment", var.prefix, "does", "render", "error", cause, { stat = "Sum", label = cause }]
      ]
    },
    {
      "Messages" = [
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "${var.prefix}-jobs-queue", { stat = "Maximum" }],
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "${var.prefix}-jobs-dlq", { stat = "Maximum", label = "dead letters" }],
        ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", "${var.prefix}-jobs-queue", { stat = "Maximum", yAxis = "right" }],
        ["AWS/Lambda", "IteratorAge", "FunctionName", "${var.prefix}-relay", { stat = "Maximum", yAxis = "right" }],
      ]
      "Sweeper" = [
        ["SMMU", "sweeps", "deployment", var.prefix, { stat = "Sum" }],
        ["SMMU", "swept_records", "deployment", var.prefix, { stat = "Sum" }],
        ["SMMU", "stuck_records", "deployment", var.prefix, { stat = "Maximum" }],
        ["SMMU", "orphans", "deployment", var.prefix, { stat = "Sum" }],
        ["SMMU", "orphan_parts", "deployment", var.prefix, { stat = "Sum" }],
        ["SMMU", "orphan_bytes", "deployment", var.prefix, { stat = "Sum", yAxis = "right" }],
      ]
      "Trouble" = [
        ["SMMU", "bugs", "deployment", var.prefix, { stat = "Sum" }],
        ["SMMU", "world_failures", "deployment", var.prefix, { stat = "Sum" }],
        ["SMMU", "lines_dropped", "deployment", var.prefix, { stat = "Sum" }],
      ]
    },
  ]

  # Three to a row.
  graphs = flatten([
    for row, graphs in local.rows : [
      for column, title in keys(graphs) : {
        type   = "metric"
        x      = 8 * column
        y      = 6 * row
        width  = 8
        height = 6
        properties = {
          title   = title
          region  = data.aws_region.here.name
          period  = 300
          view    = "timeSeries"
          stacked = false
          metrics = graphs[title]
        }
      }
    ]
  ])
}

resource "aws_cloudwatch_dashboard" "here" {
  dashboard_name = var.prefix
  dashboard_body = jsonencode({ widgets = local.graphs })
}

# Give it a job's id in place of the one that is there.
resource "aws_cloudwatch_query_definition" "one_job" {
  name = "${var.prefix}/trace one job"

  log_group_names = concat(
    [for group in aws_cloudwatch_log_group.function : group.name],
    [for group in aws_cloudwatch_log_group.container : group.name],
  )

  query_string = <<-QUERY
    fields @timestamp, component, event, level, attempt, task, state, seconds, code, error, detail, traceId, taskId
    | filter jobId = "job_…"
    | sort @timestamp asc
    | limit 1000
  QUERY
}

# What went wrong anywhere, the newest first.
resource "aws_cloudwatch_query_definition" "trouble" {
  name            = "${var.prefix}/trouble"
  log_group_names = aws_cloudwatch_query_definition.one_job.log_group_names

  query_string = <<-QUERY
    fields @timestamp, component, event, jobId, error, message, stack
    | filter level in ["error", "warning"]
    | sort @timestamp desc
    | limit 200
  QUERY
}
