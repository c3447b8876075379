variable "prefix" {
  description = "What every name begins with: smmu-<environment>."
  type        = string
}

variable "image" {
  description = "The container image of all functions (URI in ECR, by digest). Nothing is built here."
  type        = string
}

variable "architecture" {
  description = "What the image was built for: arm64 or x86_64."
  type        = string
}

variable "settings" {
  description = "Variables SMMU_… that name the deployment's resources."
  type        = map(string)
}

variable "perform_settings" {
  description = "What perform alone is told, beside them: who judges files (and the key that questions are signed with), who labels them."
  type        = map(string)
  default     = {}
}

variable "render" {
  description = "Whether there is the function that renders, and how many of it at once. Null: there is none."
  type        = object({ concurrency = number })
  default     = null
}

variable "render_session_arn" {
  description = "The role that it acts as, narrowed to what it works on."
  type        = string
  default     = null
}

variable "grants" {
  description = "Policy documents of each function, by its name."
  type        = map(list(string))
}

variable "log_groups" {
  description = "The functions' log groups, by the function's name."
  type        = map(object({ name = string, arn = string }))
}

variable "queues" {
  description = "The queues that feed functions, by the function, and how many of it at once: a bound without throttling."
  type        = map(object({ arn = string, concurrency = number }))
}

variable "stream_arn" {
  description = "The stream of the jobs table."
  type        = string
}

variable "relay_failures_arn" {
  description = "The queue that hears of batches of the stream that were given up on."
  type        = string
}

variable "state_machine_arn" {
  description = "The state machine whose executions' ends are heard."
  type        = string
}
