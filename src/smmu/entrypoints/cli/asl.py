"""`smmu asl`: the state machine that AWS runs for every job, as `infra/` deploys it."""

import json

from smmu.entrypoints.cli.terminal import say


def asl() -> None:
    """Print the compiled state machine. It is JSON, with ${…} where a deployment's names belong."""
    from smmu.adapters.aws.asl import compile_pipeline
    from smmu.bootstrap.settings import load_settings
    from smmu.domain.catalogue import pipeline

    limits = load_settings().limits
    say(json.dumps(compile_pipeline(pipeline(limits), seconds_max=limits.job_seconds_max), indent=2, sort_keys=True))
