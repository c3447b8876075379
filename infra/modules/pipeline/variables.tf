variable "prefix" {
  description = "What every name begins with: smmu-<environment>."
  type        = string
}

variable "functions" {
  description = "ARNs of the functions that the state machine calls: perform, open, collect; and render, which may not be there."
  type        = object({ perform = string, open = string, collect = string, render = string })
}

variable "renders" {
  description = "Whether it is: without it no task is small, and nobody is allowed to call it."
  type        = bool
}

variable "cluster_arn" {
  description = "The cluster that containers run in."
  type        = string
}

variable "cluster_name" {
  description = "Its name."
  type        = string
}

variable "families" {
  description = "Families of task definitions, by the kind of work: transcode, transcribe."
  type        = map(string)
}

variable "passed_role_arns" {
  description = "The roles of those tasks, and of the agent that starts them."
  type        = list(string)
}

variable "subnet_ids" {
  description = "Where containers run."
  type        = list(string)
}

variable "security_group_ids" {
  description = "Their security groups."
  type        = list(string)
}

variable "log_group_arn" {
  description = "Where executions that fail are told of."
  type        = string
}
