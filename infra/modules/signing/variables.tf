variable "prefix" {
  description = "What the name begins with."
  type        = string
}

variable "disposable" {
  description = "Whether `terraform destroy` may destroy it soon."
  type        = bool
}
