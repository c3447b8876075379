# Who may do what: each component has the documents of what it does (application/*.py), and no others.

# Show pictures to Amazon Rekognition (adapters/aws/rekognition.py).
data "aws_iam_policy_document" "classifies" {
  # checkov:skip=CKV_AWS_356: what is shown is no resource, and these two actions know none
  statement {
    actions   = ["rekognition:DetectLabels", "rekognition:DetectModerationLabels"]
    resources = ["*"]
  }
}

locals {
  may = merge(
    module.storage.grants,
    module.tables.grants,
    module.pipeline.grants,
    module.workers.grants,
    module.signing.grants,
    module.functions.grants,
    { admits = flatten(module.delivery[*].grants.admits) },
    {
      sends            = module.queues.grants.sends
      takes_messages   = module.queues.grants.takes_messages
      takes_arrivals   = module.queues.grants.takes_arrivals
      reports_failures = module.queues.grants.reports_failures
    },
  )

  keeps_all = concat(local.may.keeps_jobs, local.may.keeps_uploads, local.may.keeps_media)

  function_grants = {
    # Completes what a client forgot, as the API would.
    arrived = concat(local.may.takes_arrivals, local.keeps_all, local.may.receives, local.may.uses_key)

    # Starts the run of a job; stops that of a cancelled one, and tells its media.
    dispatch = concat(
      local.may.takes_messages, local.may.keeps_jobs, local.may.keeps_media, local.may.starts, local.may.stops,
    )

    # Inspects what was sent; has what was made labelled, proves and publishes it; it is then found by its words.
    perform = concat(
      local.may.keeps_jobs, local.may.keeps_media, local.may.keeps_words, local.may.reads_raw,
      local.may.reads_processed, local.may.writes_processed, local.may.lists_processed, local.may.uses_key,
      var.classifier == "rekognition" ? [data.aws_iam_policy_document.classifies.json] : [],
    )

    open    = local.may.keeps_jobs
    collect = concat(local.may.keeps_jobs, local.may.inspects)

    relay = concat(
      local.may.hears_messages, local.may.forgets_messages, local.may.sends, local.may.reports_failures,
    )

    # Does whatever somebody else has left undone. Reads manifests: what was replaced is what only an older one lists.
    sweep = concat(
      local.keeps_all, local.may.finds_work, local.may.forgets_messages, local.may.sends, local.may.starts,
      local.may.stops, local.may.receives, local.may.finds_orphans, local.may.reads_processed,
      local.may.removes_processed, local.may.uses_key, local.may.keeps_words,
    )

    # Begins sessions, and does nothing else itself.
    render = []
    # Settles a job by its run.
    status = concat(local.may.keeps_jobs, local.may.keeps_media, local.may.starts, local.may.stops)
  }

  # Workers know their job and nothing else: not its media's record, and not who else is there. It is what their
  # sessions may do; their own roles may begin one. Who transcribes has what his engine needs.
  works = concat(local.may.keeps_jobs_of_owner, local.may.works_on_attempt, local.may.uses_key)
  worker_grants = {
    transcode = local.works
    # Small tasks, and pictures on request.
    render = concat(local.works, local.may.makes_pictures)
    transcribe = concat(
      local.works,
      var.managed_speech ? local.may.transcribes : [],
      var.speech_model == "" ? [] : local.may.reads_model,
    )
  }

  # A signed URL may do what its signer may. Deleting a media stops its run and removes what was made.
  api_grants = concat(
    local.keeps_all, local.may.finds_work, local.may.receives, local.may.reads_processed,
    local.may.removes_processed, local.may.stops, local.may.uses_key, local.may.admits, local.may.signs,
    local.may.keeps_words, local.may.renders,
  )
}
