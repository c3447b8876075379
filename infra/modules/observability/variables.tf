variable "prefix" {
  description = "What every name begins with: smmu-<environment>."
  type        = string
}

variable "log_days" {
  description = "How long logs are kept: one of the numbers of days that CloudWatch knows."
  type        = number
}

variable "alarm_emails" {
  description = "Who is written to when something is wrong. Each has to confirm once."
  type        = list(string)
}

variable "api" {
  description = "How metrics call the API: its load balancer and target group."
  type        = object({ balancer = string, target_group = string })
}

variable "state_machine_arn" {
  description = "The state machine."
  type        = string
}

variable "failed_jobs_max" {
  description = "How many jobs may fail in a quarter of an hour without an alarm: files that are refused count, too."
  type        = number
}

variable "orphan_bytes_max" {
  description = "How many bytes a day may lie in storage without an upload before somebody is told."
  type        = number
}

variable "monthly_usd" {
  description = "What the account may spend in a month before somebody is told."
  type        = number
}

variable "renders" {
  description = "Whether there is the function that renders."
  type        = bool
}
