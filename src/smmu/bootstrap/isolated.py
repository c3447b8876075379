"""Opens what one isolated worker needs, and no more: no settings tree, no injector, no tokens, no web.

A process is started for every heavy task, so each import here is paid for every time.
"""

import dataclasses
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from smmu.adapters.embedded.lines import JsonLines
from smmu.adapters.embedded.platform import open_platform
from smmu.adapters.media.engine import PyavEngine
from smmu.application.system import System, assemble
from smmu.bootstrap.limits import limits_in
from smmu.bootstrap.speech import local_recognizer, speech_in
from smmu.bootstrap.variables import variable
from smmu.domain.limits import Limits

SCRATCH = "tmp"  # under the data folder, so that finished files are moved and not copied


@asynccontextmanager
async def open_worker(data: str, environment: Mapping[str, str]) -> AsyncIterator[System]:
    """The use cases over a folder that another process serves. Raises `WorldError`, `SettingsError`."""
    limits = limits_in(environment)
    async with open_platform(data, limits, exclusive=False) as platform:
        scratch = os.path.join(data, SCRATCH)  # noqa: PTH118 - no other use of pathlib here
        recognizer = local_recognizer(speech_in(environment), limits, scratch)
        telemetry = JsonLines(platform.clock, component="worker")
        yield assemble(platform, PyavEngine(limits, scratch), limits, telemetry, recognizer)


def worker_environment(limits: Limits) -> dict[str, str]:
    """What a worker process is told of the limits: those that are not the default."""
    told = {field.name: (getattr(limits, field.name), field.default) for field in dataclasses.fields(limits)}
    return {variable(("limits", name)): str(value) for name, (value, default) in told.items() if value != default}
