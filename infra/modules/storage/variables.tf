variable "prefix" {
  description = "What every name begins with: smmu-<environment>."
  type        = string
}

variable "origins" {
  description = "The web origins whose pages may send to and read from the buckets. None: no page may."
  type        = list(string)
}

variable "raw_days" {
  description = "How long what owners sent is kept. A job can be retried for as long; then it answers source_expired."
  type        = number
}

variable "kms_key_arn" {
  description = "A key of KMS for the buckets; null for S3's own keys, with which an ETag is an MD5 (see main.tf)."
  type        = string
}

variable "disposable" {
  description = "Whether destroying the deployment may destroy what is in the buckets."
  type        = bool
}

variable "distribution_arns" {
  description = "The distributions of CloudFront that may read what is made."
  type        = list(string)
}

variable "log_days" {
  description = "How long it is kept who asked for what."
  type        = number
}

variable "speech_model" {
  description = "The speech model that reads_model lets fetch."
  type        = string
}
