# Whose tokens the API believes: an issuer that there is, or a pool of Cognito that is made here. Nobody signs up by
# himself. An owner is the token's `sub`.

data "aws_region" "here" {}

locals {
  makes_pool = var.issuer == null
  made       = [for pool in aws_cognito_user_pool.here : "https://cognito-idp.${data.aws_region.here.name}.amazonaws.com/${pool.id}"]
}

resource "aws_cognito_user_pool" "here" {
  count = local.makes_pool ? 1 : 0

  name                     = var.prefix
  username_attributes      = ["email"]
  auto_verified_attributes = ["email"]
  mfa_configuration        = "OPTIONAL"
  deletion_protection      = var.disposable ? "INACTIVE" : "ACTIVE"

  admin_create_user_config {
    allow_admin_create_user_only = true
  }

  software_token_mfa_configuration {
    enabled = true
  }

  password_policy {
    minimum_length                   = 14
    require_lowercase                = true
    require_numbers                  = true
    require_symbols                  = false
    require_uppercase                = true
    temporary_password_validity_days = 3
  }

  account_recovery_setting {
    recovery_mechanism {
      name     = "verified_email"
      priority = 1
    }
  }
}

resource "aws_cognito_user_pool_client" "here" {
  count = local.makes_pool ? 1 : 0

  name                          = "${var.prefix}-client"
  user_pool_id                  = aws_cognito_user_pool.here[0].id
  generate_secret               = false
  enable_token_revocation       = true
  prevent_user_existence_errors = "ENABLED"
  access_token_validity         = 60
  id_token_validity             = 60
  refresh_token_validity        = 30

  # By password only for who has AWS credentials that may do so (docs/deploy.md).
  explicit_auth_flows = ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH"]

  token_validity_units {
    access_token  = "minutes"
    id_token      = "minutes"
    refresh_token = "days"
  }
}
