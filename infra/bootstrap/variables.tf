variable "region" {
  description = "Where the state and the images are kept."
  type        = string
}

variable "github_repository" {
  description = "The repository on GitHub whose workflows build and deploy: owner/name. Null: none does."
  type        = string
  default     = null
}

variable "deployments" {
  description = "What a deployment is called (its `environment`) for each of GitHub's environments that deploys one."
  type        = map(string)
  default     = { dev = "dev", prod = "prod" }
}
