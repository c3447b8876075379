variable "prefix" {
  description = "What every name begins with: smmu-<environment>."
  type        = string
}

variable "receives_max" {
  description = "How often a message is tried before it is a dead letter (SMMU_LIMITS__QUEUE_RECEIVES_MAX)."
  type        = number
  default     = 5
}

variable "dispatch_seconds" {
  description = "The time limit of the function that receives from the queue; a message is hidden for six times that."
  type        = number
}

variable "arrived_seconds" {
  description = "The time limit of the function that hears of arrivals; a message is hidden for six times that."
  type        = number
}

variable "telling_bucket" {
  description = "The bucket that tells what has arrived."
  type        = string
}
