variable "region" {
  description = "Where it is."
  type        = string
}

variable "environment" {
  description = "What it is called: part of every name."
  type        = string
  default     = "dev"
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

variable "client_cidrs" {
  description = "Who may ask the API. Without a certificate tokens travel in the clear: name your own address."
  type        = list(string)
}

variable "certificate_arn" {
  description = "The certificate of the API's name, in ACM. Null: plain HTTP, for a first look only."
  type        = string
  default     = null
}

variable "public_url" {
  description = "What clients reach the API as."
  type        = string
  default     = null
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
