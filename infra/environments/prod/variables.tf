variable "region" {
  description = "Where it is."
  type        = string
}

variable "environment" {
  description = "What it is called: part of every name."
  type        = string
  default     = "prod"
}

variable "images" {
  description = "Container images (URIs in ECR, by digest): of the functions, the workers of both families, the API."
  type        = object({ functions = string, workers = string, transcribers = string, api = string })
}

variable "image_repository_arns" {
  description = "The repositories of those images."
  type        = list(string)
}

variable "architecture" {
  description = "What the images were built for: arm64 or x86_64."
  type        = string
  default     = "arm64"
}

variable "origins" {
  description = "The web origins whose pages may call the API and the buckets."
  type        = list(string)
  default     = []
}

variable "certificate_arn" {
  description = "The certificate of the API's name, in ACM."
  type        = string
  nullable    = false
}

variable "public_url" {
  description = "What clients reach the API as: https:// and the certificate's name."
  type        = string
  nullable    = false
}

variable "web_acl_arn" {
  description = "A web ACL of WAF (scope REGIONAL) for the API's load balancer. Null: none."
  type        = string
  default     = null
}

variable "issuer" {
  description = "An OIDC issuer that there is already. Null: a pool of Cognito is made."
  type        = object({ issuer = string, audience = string, jwks_url = string })
  default     = null
}

variable "kms_key_arn" {
  description = "A key of KMS for the buckets; null for S3's own keys (modules/storage says what that means)."
  type        = string
  default     = null
}

variable "raw_days" {
  description = "How long what owners sent is kept, and a job can be retried."
  type        = number
  default     = 30
}

variable "alarm_emails" {
  description = "Who is written to when something is wrong."
  type        = list(string)

  validation {
    condition     = length(var.alarm_emails) > 0
    error_message = "Somebody must hear of alarms."
  }
}

variable "api_counts" {
  description = "How many processes of the API at least and at most."
  type        = object({ min = number, max = number })
  default     = { min = 3, max = 12 }
}

variable "dispatch_concurrency" {
  description = "How many dispatchers at once."
  type        = number
  default     = 20
}

variable "cidr" {
  description = "The network's addresses."
  type        = string
  default     = "10.41.0.0/16"
}

variable "monthly_usd" {
  description = "What the account may spend in a month before somebody is written to."
  type        = number
  default     = 500
}

variable "delivery" {
  description = "none, or signed-cookies: CloudFront hands out what is made."
  type        = string
  default     = "none"
}

variable "delivery_site" {
  description = "CloudFront's name, its certificate in ACM of us-east-1, and the domain that it and the API's name are in."
  type        = object({ domain = string, certificate_arn = string, cookie_domain = string })
  default     = null
}

variable "delivery_keys" {
  description = "Names of the keys that CloudFront trusts: one, or two while one takes the other's place."
  type        = set(string)
  default     = ["first"]
}

variable "delivery_signs_with" {
  description = "The one of delivery_keys that the API signs with."
  type        = string
  default     = "first"
}

variable "delivery_web_acl_arn" {
  description = "A web ACL of WAF (scope CLOUDFRONT, in us-east-1) for CloudFront. Null: none."
  type        = string
  default     = null
}

variable "managed_speech" {
  description = "Whether Amazon Transcribe writes down what is said. Sounds that workers make of what was sent go there."
  type        = bool
  default     = false
}

variable "speech_model" {
  description = "The speech model that workers write down what is said with: tiny, base, small, medium, large-v3. Empty: none."
  type        = string
  default     = ""
}

variable "classifier" {
  description = "Who labels pictures and posters (docs/classification.md): rekognition, or a function in the image. Empty: nobody."
  type        = string
  default     = ""
}

variable "policy" {
  description = "Who judges files before they are processed (docs/policy.md): an https:// URL, or a function in the image. Null: nobody."
  type        = object({ hook = string, seconds = optional(number, 10), unanswered = optional(string, "closed") })
  default     = null
}

variable "policy_key" {
  description = "What questions to the policy's URL are signed with: at least 32 characters. TF_VAR_policy_key keeps it out of files."
  type        = string
  default     = null
  sensitive   = true
}

variable "render" {
  description = "The function that does small tasks and makes pictures on request: up to how many predicted seconds a task is small (0: none is), and how many at once. Null: there is none."
  type        = object({ seconds = optional(number, 15), concurrency = optional(number, 10) })
  default     = null
}
