output "issuer" {
  description = "The issuer, whom its tokens are for, and where its keys are."
  value = local.makes_pool ? {
    issuer   = local.made[0]
    audience = aws_cognito_user_pool_client.here[0].id
    jwks_url = "${local.made[0]}/.well-known/jwks.json"
  } : var.issuer
}

output "user_pool_id" {
  description = "The pool that was made; null where there was an issuer."
  value       = one(aws_cognito_user_pool.here[*].id)
}
