variable "prefix" {
  description = "What every name begins with: smmu-<environment>."
  type        = string
}

variable "cidr" {
  description = "The network's addresses: a /16 to a /20."
  type        = string
}

variable "zone_count" {
  description = "In how many zones: the load balancer wants two at least."
  type        = number

  validation {
    condition     = var.zone_count >= 2 && var.zone_count <= 4
    error_message = "zone_count is 2 to 4."
  }
}

variable "endpoints_in_every_zone" {
  description = "Whether each zone has interface endpoints of its own. In one zone only they cost less, and fail with it."
  type        = bool
}

variable "interface_endpoints" {
  description = "The services that are reached inside the network. What workers have no endpoint for they cannot reach."
  type        = list(string)
  default     = ["ecr.api", "ecr.dkr", "logs", "monitoring", "secretsmanager", "sqs", "ssm", "states", "sts"]
}

variable "bucket_arns" {
  description = "The buckets that can be read and written from inside."
  type        = list(string)
}

variable "read_bucket_arns" {
  description = "The buckets that can only be read from inside. There are no others."
  type        = list(string)
}

variable "table_arns" {
  description = "The tables that can be reached from inside, and no others."
  type        = list(string)
}

variable "log_days" {
  description = "How long it is kept what was refused."
  type        = number
}

variable "more_endpoints" {
  description = "Services that workers speak to beside the usual ones."
  type        = list(string)
  default     = []
}
