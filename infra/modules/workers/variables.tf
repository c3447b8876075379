variable "prefix" {
  description = "What every name begins with: smmu-<environment>."
  type        = string
}

variable "images" {
  description = "The container image of each family (URIs in ECR, by digest). Nothing is built here."
  type        = map(string)
}

variable "architecture" {
  description = "What the images were built for: arm64 or x86_64."
  type        = string
}

variable "settings" {
  description = "Variables SMMU_… that name the deployment's resources."
  type        = map(string)
}

variable "grants" {
  description = "Policy documents of the sessions that workers work in, by the session's name: the family's, or another's."
  type        = map(list(string))
}

variable "more_sessions" {
  description = "Sessions of workers that are no containers: the ARN of the role that begins each, by its name."
  type        = map(string)
  default     = {}
}

variable "log_groups" {
  description = "Log groups by family, each {name, arn}."
  type        = map(object({ name = string, arn = string }))
}

variable "image_repository_arns" {
  description = "The repositories that images are pulled from."
  type        = list(string)
}

variable "spot_weight" {
  description = "Of four containers, how many run on spot machines. What loses its machine, or gets none, is tried again on demand."
  type        = number

  validation {
    condition     = var.spot_weight >= 0 && var.spot_weight <= 4
    error_message = "spot_weight is 0 to 4."
  }
}

variable "scratch_gib" {
  description = "The disk of a container, where files lie while they are worked on."
  type        = number

  validation {
    condition     = var.scratch_gib >= 21 && var.scratch_gib <= 200
    error_message = "Fargate gives 21 to 200 GiB."
  }
}
