# The environment `prod`. State: docs/deploy.md says how its place is made (infra/bootstrap) and given to `terraform init`.

terraform {
  required_version = ">= 1.9, < 2.0"

  backend "s3" {
    key     = "smmu/prod.tfstate"
    encrypt = true
  }

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = {
      Product     = "smmu"
      Environment = var.environment
    }
  }
}

module "deployment" {
  source = "../../modules/deployment"

  environment           = var.environment
  images                = var.images
  image_repository_arns = var.image_repository_arns
  architecture          = var.architecture
  origins               = var.origins
  certificate_arn       = var.certificate_arn
  public_url            = var.public_url
  web_acl_arn           = var.web_acl_arn
  delivery              = var.delivery
  delivery_site         = var.delivery_site
  delivery_keys         = var.delivery_keys
  delivery_signs_with   = var.delivery_signs_with
  delivery_web_acl_arn  = var.delivery_web_acl_arn
  issuer                = var.issuer
  kms_key_arn           = var.kms_key_arn
  raw_days              = var.raw_days
  alarm_emails          = var.alarm_emails
  monthly_usd           = var.monthly_usd
  api_counts            = var.api_counts
  dispatch_concurrency  = var.dispatch_concurrency
  managed_speech        = var.managed_speech
  speech_model          = var.speech_model
  classifier            = var.classifier
  policy                = var.policy
  render                = var.render
  policy_key            = var.policy_key
  network               = { cidr = var.cidr, zone_count = 3, endpoints_in_every_zone = true }
}
