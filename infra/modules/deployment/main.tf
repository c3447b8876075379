# One deployment: the modules, and what each is told of the others.

data "aws_region" "here" {}

locals {
  prefix = "smmu-${var.environment}"

  # Who says what is to be seen, which publishing alone has to know.
  classifier = var.classifier == "" ? {} : { SMMU_CLASSIFIER__ENGINE = var.classifier }

  # Who judges files, which inspection alone has to know.
  policy = var.policy == null ? {} : merge(
    {
      SMMU_POLICY__HOOK       = var.policy.hook
      SMMU_POLICY__SECONDS    = tostring(var.policy.seconds)
      SMMU_POLICY__UNANSWERED = var.policy.unanswered
    },
    var.policy_key == null ? {} : { SMMU_POLICY__KEY = var.policy_key },
  )

  # What every process is told (docs/settings.md). The API is told more: see below.
  settings = merge(
    {
      SMMU_PLATFORM__KIND             = "aws"
      SMMU_PLATFORM__REGION           = data.aws_region.here.name
      SMMU_PLATFORM__RAW_BUCKET       = module.storage.names.raw
      SMMU_PLATFORM__PROCESSED_BUCKET = module.storage.names.processed
      SMMU_PLATFORM__JOBS_TABLE       = module.tables.names.jobs
      SMMU_PLATFORM__UPLOADS_TABLE    = module.tables.names.uploads
      SMMU_PLATFORM__MEDIA_TABLE      = module.tables.names.media
      SMMU_PLATFORM__JOBS_QUEUE       = module.queues.urls.jobs
      SMMU_PLATFORM__DEAD_LETTERS     = module.queues.urls.dead
      SMMU_PLATFORM__STATE_MACHINE    = module.pipeline.arn
      SMMU_PLATFORM__CLUSTER          = module.workers.cluster_name
      SMMU_PLATFORM__MODELS_BUCKET    = module.storage.names.models
      SMMU_PLATFORM__DEPLOYMENT       = local.prefix
      SMMU_LIMITS__PROGRESS_PERCENT   = "10" # each news is four requests (docs/cost.md)
    },
    var.render == null ? {} : {
      SMMU_PLATFORM__RENDER_FUNCTION = "${local.prefix}-render"
      SMMU_LIMITS__SMALL_SECONDS_MAX = tostring(var.render.seconds)
    },
    var.managed_speech ? { SMMU_SPEECH__ENGINE = "transcribe" } : {},
    var.speech_model == "" ? {} : { SMMU_SPEECH__ENGINE = "faster-whisper", SMMU_SPEECH__MODEL = var.speech_model },
  )
}

module "storage" {
  source = "../storage"

  prefix      = local.prefix
  origins     = var.origins
  raw_days    = var.raw_days
  log_days    = var.log_days
  kms_key_arn = var.kms_key_arn
  disposable  = var.disposable

  speech_model      = var.speech_model
  distribution_arns = module.delivery[*].arn
}

module "delivery" {
  source = "../delivery"
  count  = var.delivery == "signed-cookies" ? 1 : 0

  prefix      = local.prefix
  bucket      = { domain_name = module.storage.processed_domain_name }
  site        = var.delivery_site
  origins     = var.origins
  keys        = var.delivery_keys
  signs_with  = var.delivery_signs_with
  web_acl_arn = var.delivery_web_acl_arn
  price_class = var.delivery_price_class
  log_days    = var.log_days
  disposable  = var.disposable
}

module "tables" {
  source = "../tables"

  prefix     = local.prefix
  disposable = var.disposable
}

module "queues" {
  source = "../queues"

  prefix           = local.prefix
  dispatch_seconds = module.functions.seconds.dispatch
  arrived_seconds  = module.functions.seconds.arrived
  telling_bucket   = module.storage.telling
}

module "network" {
  source = "../network"

  prefix                  = local.prefix
  cidr                    = var.network.cidr
  zone_count              = var.network.zone_count
  endpoints_in_every_zone = var.network.endpoints_in_every_zone
  more_endpoints          = var.managed_speech ? ["transcribe"] : []
  log_days                = var.log_days
  bucket_arns             = [module.storage.arns.raw, module.storage.arns.processed]
  read_bucket_arns        = [module.storage.arns.models]
  table_arns              = values(module.tables.arns)
}

module "identity" {
  source = "../identity"

  prefix     = local.prefix
  issuer     = var.issuer
  disposable = var.disposable
}

module "signing" {
  source = "../signing"

  prefix     = local.prefix
  disposable = var.disposable
}

module "observability" {
  source = "../observability"

  prefix            = local.prefix
  log_days          = var.log_days
  alarm_emails      = var.alarm_emails
  failed_jobs_max   = var.failed_jobs_max
  orphan_bytes_max  = var.orphan_bytes_max
  monthly_usd       = var.monthly_usd
  renders           = var.render != null
  state_machine_arn = module.pipeline.made_arn
  api               = { balancer = module.api.balancer, target_group = module.api.target_group }
}

module "functions" {
  source = "../functions"

  prefix             = local.prefix
  image              = var.images.functions
  architecture       = var.architecture
  settings           = local.settings
  perform_settings   = merge(local.policy, local.classifier)
  render             = var.render == null ? null : { concurrency = var.render.concurrency }
  render_session_arn = lookup(module.workers.session_arns, "render", null)
  grants             = local.function_grants
  log_groups         = module.observability.function_log_groups
  stream_arn         = module.tables.stream_arn
  relay_failures_arn = module.queues.arns.relay_failures
  state_machine_arn  = module.pipeline.arn

  queues = {
    dispatch = { arn = module.queues.arns.jobs, concurrency = var.dispatch_concurrency }
    arrived  = { arn = module.queues.arns.arrivals, concurrency = 2 }
  }
}

module "workers" {
  source = "../workers"

  prefix                = local.prefix
  images                = { transcode = var.images.workers, transcribe = var.images.transcribers }
  architecture          = var.architecture
  settings              = local.settings
  grants                = local.worker_grants
  more_sessions         = var.render == null ? {} : { render = module.functions.role_arns["render"] }
  image_repository_arns = var.image_repository_arns
  spot_weight           = var.spot_weight
  scratch_gib           = var.scratch_gib

  log_groups = { for family in ["transcode", "transcribe"] : family => module.observability.container_log_groups[family] }
}

module "pipeline" {
  source = "../pipeline"

  prefix             = local.prefix
  functions          = { for name in ["perform", "open", "collect", "render"] : name => module.functions.arns[name] }
  renders            = var.render != null
  cluster_arn        = module.workers.cluster_arn
  cluster_name       = module.workers.cluster_name
  families           = module.workers.families
  passed_role_arns   = module.workers.role_arns
  subnet_ids         = module.network.subnet_ids.worker
  security_group_ids = [module.network.security_group_ids.workers]
  log_group_arn      = module.observability.pipeline_log_group_arn
}

module "api" {
  source = "../api"

  prefix                = local.prefix
  image                 = var.images.api
  architecture          = var.architecture
  grants                = local.api_grants
  cluster               = { name = module.workers.cluster_name, arn = module.workers.cluster_arn }
  log_group             = module.observability.container_log_groups["api"]
  image_repository_arns = var.image_repository_arns
  vpc_id                = module.network.vpc_id
  subnet_ids            = { public = module.network.subnet_ids.public, service = module.network.subnet_ids.service }
  access_logs           = module.storage.balancer_logs
  certificate_arn       = var.certificate_arn
  web_acl_arn           = var.web_acl_arn
  client_cidrs          = var.client_cidrs
  counts                = var.api_counts
  disposable            = var.disposable

  security_group_ids = {
    balancer = module.network.security_group_ids.balancer
    api      = module.network.security_group_ids.api
  }

  settings = merge(
    local.settings,
    {
      SMMU_PLATFORM__IDENTITY__ISSUER   = module.identity.issuer.issuer
      SMMU_PLATFORM__IDENTITY__AUDIENCE = module.identity.issuer.audience
      SMMU_PLATFORM__IDENTITY__JWKS_URL = module.identity.issuer.jwks_url
      SMMU_PLATFORM__SIGNING_KEY        = module.signing.arn
      SMMU_ORIGINS                      = jsonencode(var.origins)
    },
    var.public_url == null ? {} : { SMMU_PUBLIC_URL = var.public_url },
    module.delivery[*].settings...
  )
}
