variable "prefix" {
  description = "What every name begins with: smmu-<environment>."
  type        = string
}

variable "issuer" {
  description = "An OIDC issuer that there is already. Null: a pool of Cognito is made."
  type        = object({ issuer = string, audience = string, jwks_url = string })
}

variable "disposable" {
  description = "Whether destroying the deployment may destroy its users."
  type        = bool
}
