variable "prefix" {
  description = "What every name begins with: smmu-<environment>."
  type        = string
}

variable "bucket" {
  description = "The bucket of what is made: where it answers in its region."
  type        = object({ domain_name = string })
}

variable "site" {
  description = "The distribution's name, a certificate of it in ACM of us-east-1, and the domain of its cookies."
  type        = object({ domain = string, certificate_arn = string, cookie_domain = string })
}

variable "origins" {
  description = "The web origins whose pages may read what is handed out."
  type        = list(string)
}

variable "keys" {
  description = "Names of the keys that CloudFront trusts: one, or two while one takes the other's place."
  type        = set(string)
}

variable "signs_with" {
  description = "The one of them that the API signs with."
  type        = string
}

variable "web_acl_arn" {
  description = "A web ACL of WAF (scope CLOUDFRONT) that looks at requests first. Null: none does."
  type        = string
}

variable "price_class" {
  description = "Where CloudFront hands out: PriceClass_100, PriceClass_200 or PriceClass_All."
  type        = string
}

variable "log_days" {
  description = "How long its log is kept."
  type        = number
}

variable "disposable" {
  description = "Whether `terraform destroy` may destroy the log, and the keys soon."
  type        = bool
}
