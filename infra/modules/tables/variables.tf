variable "prefix" {
  description = "What every name begins with: smmu-<environment>."
  type        = string
}

variable "disposable" {
  description = "Whether destroying the deployment may destroy the tables."
  type        = bool
}
