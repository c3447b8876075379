variable "github_repository" {
  description = "The repository on GitHub whose workflows build and deploy: owner/name. Null: none does."
  type        = string

  validation {
    condition     = var.github_repository == null || can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.github_repository))
    error_message = "github_repository is owner/name, with nothing that stands for several."
  }
}

variable "deployments" {
  description = "What a deployment is called (its `environment`) for each of GitHub's environments that deploys one."
  type        = map(string)

  validation {
    condition     = !contains(values(var.deployments), "ci")
    error_message = "A deployment called ci could write the roles of workflows, which are called smmu-ci-…."
  }
}
