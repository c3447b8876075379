variable "environment" {
  description = "What this deployment is called. Bucket names are unique in all of AWS, so that a name of yours is best."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,15}$", var.environment))
    error_message = "environment is up to 16 lower-case letters, digits and dashes."
  }
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
  description = "What the images were built for."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture is arm64 or x86_64."
  }
}

variable "disposable" {
  description = "Whether `terraform destroy` may destroy data."
  type        = bool
  default     = false
}

variable "origins" {
  description = "The web origins whose pages may call the API and the buckets: https://app.example."
  type        = list(string)
  default     = []

  validation {
    condition     = !contains(var.origins, "*")
    error_message = "Name the origins: pages send tokens."
  }
}

variable "public_url" {
  description = "What clients reach the API as. Null: as they asked."
  type        = string
  default     = null
}

variable "certificate_arn" {
  description = "The certificate of that name, in ACM. Null: plain HTTP, for a first look only."
  type        = string
  default     = null
}

variable "web_acl_arn" {
  description = "A web ACL of WAF (scope REGIONAL) for the API's load balancer. Null: none."
  type        = string
  default     = null
}

variable "client_cidrs" {
  description = "Who may ask the API."
  type        = list(string)
  default     = ["0.0.0.0/0"]
}

variable "issuer" {
  description = "An OIDC issuer that there is already. Null: a pool of Cognito is made."
  type        = object({ issuer = string, audience = string, jwks_url = string })
  default     = null
}

variable "raw_days" {
  description = "How long what owners sent is kept."
  type        = number
  default     = 30
}

variable "kms_key_arn" {
  description = "A key of KMS for the buckets; null for S3's own keys (modules/storage says what that means)."
  type        = string
  default     = null
}

variable "network" {
  description = "The network's addresses, its zones, and whether each has interface endpoints of its own."
  type        = object({ cidr = string, zone_count = number, endpoints_in_every_zone = bool })
  default     = { cidr = "10.40.0.0/16", zone_count = 2, endpoints_in_every_zone = true }
}

variable "api_counts" {
  description = "How many processes of the API at least and at most."
  type        = object({ min = number, max = number })
  default     = { min = 2, max = 6 }
}

variable "dispatch_concurrency" {
  description = "How many dispatchers at once."
  type        = number
  default     = 10
}

variable "spot_weight" {
  description = "Of four workers, how many run on spot machines."
  type        = number
  default     = 3
}

variable "scratch_gib" {
  description = "The disk of a worker."
  type        = number
  default     = 100
}

variable "log_days" {
  description = "How long logs are kept."
  type        = number
  default     = 90
}

variable "alarm_emails" {
  description = "Who is written to when something is wrong."
  type        = list(string)
  default     = []
}

variable "failed_jobs_max" {
  description = "How many jobs may fail in a quarter of an hour without an alarm."
  type        = number
  default     = 20
}

variable "orphan_bytes_max" {
  description = "How many bytes a day may lie in storage without an upload, without an alarm."
  type        = number
  default     = 107374182400 # 100 GiB
}

variable "monthly_usd" {
  description = "What the account may spend in a month, without an alarm."
  type        = number
  default     = 500
}

variable "delivery" {
  description = "How what is made reaches browsers: by the API and signed URLs (none), or by CloudFront and signed cookies."
  type        = string
  default     = "none"

  validation {
    condition     = contains(["none", "signed-cookies"], var.delivery)
    error_message = "delivery is none or signed-cookies."
  }

  validation {
    condition     = var.delivery == "none" || var.delivery_site != null
    error_message = "signed-cookies needs delivery_site."
  }
}

variable "delivery_site" {
  description = "CloudFront's name, its certificate in ACM of us-east-1, and the domain that it and the API's name are in."
  type        = object({ domain = string, certificate_arn = string, cookie_domain = string })
  default     = null

  validation {
    condition     = var.delivery_site == null || endswith(try(var.delivery_site.domain, ""), ".${try(var.delivery_site.cookie_domain, "")}")
    error_message = "The site's domain must be in cookie_domain."
  }
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

  validation {
    condition     = contains(var.delivery_keys, var.delivery_signs_with)
    error_message = "delivery_signs_with is one of delivery_keys."
  }
}

variable "delivery_web_acl_arn" {
  description = "A web ACL of WAF (scope CLOUDFRONT, in us-east-1) for CloudFront. Null: none."
  type        = string
  default     = null
}

variable "delivery_price_class" {
  description = "Where CloudFront hands out."
  type        = string
  default     = "PriceClass_100"
}

variable "managed_speech" {
  description = "Whether Amazon Transcribe writes down what is said. Sounds that workers make of what was sent go there."
  type        = bool
  default     = false
}

variable "speech_model" {
  description = "The model of faster-whisper that workers write down what is said with, from the bucket of models. Empty: none."
  type        = string
  default     = ""

  validation {
    condition     = contains(["", "tiny", "base", "small", "medium", "large-v3"], var.speech_model)
    error_message = "speech_model is tiny, base, small, medium or large-v3, or empty."
  }

  validation {
    condition     = var.speech_model == "" || !var.managed_speech
    error_message = "Of managed_speech and speech_model a deployment has one."
  }
}

variable "classifier" {
  description = "Who labels pictures and posters (docs/classification.md): rekognition, or a function in the image. Empty: nobody."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^(|rekognition|[\\w.]+:\\w+)$", var.classifier))
    error_message = "classifier is rekognition, package.module:function, or empty."
  }
}

variable "policy" {
  description = "Who judges files before they are processed (docs/policy.md): an https:// URL, or a function in the image. Null: nobody."
  type        = object({ hook = string, seconds = optional(number, 10), unanswered = optional(string, "closed") })
  default     = null

  validation {
    condition     = var.policy == null || can(regex("^(https://[^@/]+(/.*)?|[\\w.]+:\\w+)$", var.policy.hook))
    error_message = "policy.hook is https:// and a host, or package.module:function."
  }

  validation {
    condition     = contains(["closed", "open"], try(var.policy.unanswered, "closed"))
    error_message = "policy.unanswered is closed or open."
  }
}

variable "policy_key" {
  description = "What questions to the policy's URL are signed with: at least 32 characters. TF_VAR_policy_key keeps it out of files."
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = var.policy_key == null ? !startswith(try(var.policy.hook, ""), "https://") : length(var.policy_key) >= 32
    error_message = "A policy at a URL needs policy_key, of at least 32 characters."
  }
}

variable "render" {
  description = "The function that does small tasks and makes pictures on request: up to how many predicted seconds a task is small (0: none is), and how many at once. Null: there is none."
  type        = object({ seconds = optional(number, 15), concurrency = optional(number, 10) })
  default     = null

  validation {
    condition     = var.render == null || try(var.render.seconds >= 0 && var.render.seconds <= 300 && var.render.concurrency >= 1, false)
    error_message = "render.seconds is 0 to 300, render.concurrency at least 1."
  }

  validation {
    condition     = var.render == null || try(floor(var.render.seconds) == var.render.seconds && floor(var.render.concurrency) == var.render.concurrency, false)
    error_message = "render.seconds and render.concurrency are whole numbers."
  }
}
