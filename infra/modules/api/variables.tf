variable "prefix" {
  description = "What every name begins with: smmu-<environment>."
  type        = string
}

variable "image" {
  description = "The container image of the API (URI in ECR, by digest). Nothing is built here."
  type        = string
}

variable "architecture" {
  description = "What the image was built for: arm64 or x86_64."
  type        = string
}

variable "settings" {
  description = "Variables SMMU_… of the API."
  type        = map(string)
}

variable "grants" {
  description = "Policy documents of the API."
  type        = list(string)
}

variable "cluster" {
  description = "The cluster that it runs in."
  type        = object({ name = string, arn = string })
}

variable "log_group" {
  description = "Its log group."
  type        = object({ name = string, arn = string })
}

variable "image_repository_arns" {
  description = "The repositories that its image is pulled from."
  type        = list(string)
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "subnet_ids" {
  description = "Where the load balancer (public) and the API (service) are."
  type        = object({ public = list(string), service = list(string) })
}

variable "security_group_ids" {
  description = "Their security groups."
  type        = object({ balancer = string, api = string })
}

variable "access_logs" {
  description = "Where the load balancer writes who asked for what."
  type        = object({ bucket = string, prefix = string })
}

variable "certificate_arn" {
  description = "The certificate of the API's name, in ACM. Null: plain HTTP, which is for a first look and for no token."
  type        = string
}

variable "client_cidrs" {
  description = "Who may ask."
  type        = list(string)
}

variable "counts" {
  description = "How many processes at least and at most."
  type        = object({ min = number, max = number })
}

variable "disposable" {
  description = "Whether destroying the deployment may destroy the load balancer."
  type        = bool
}

variable "web_acl_arn" {
  description = "A web ACL of WAF (scope REGIONAL) that looks at requests first. Null: none does."
  type        = string
}
