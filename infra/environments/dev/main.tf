# The environment `dev`. State: docs/deploy.md says how its place is made (infra/bootstrap) and given to `terraform init`.

terraform {
  required_version = ">= 1.9, < 2.0"

  backend "s3" {
    key     = "smmu/dev.tfstate"
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
  delivery              = var.delivery
  delivery_site         = var.delivery_site
  client_cidrs          = var.client_cidrs
  managed_speech        = var.managed_speech
  speech_model          = var.speech_model
  classifier            = var.classifier
  policy                = var.policy
  render                = var.render
  policy_key            = var.policy_key

  # It costs less, and may be thrown away.
  disposable  = true
  raw_days    = 7
  log_days    = 14
  monthly_usd = 100
  api_counts  = { min = 1, max = 2 }
  spot_weight = 4
  network     = { cidr = "10.40.0.0/16", zone_count = 2, endpoints_in_every_zone = false }
}
