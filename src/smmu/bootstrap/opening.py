"""Opens a whole product from its settings, and closes it in the reverse order: one exit stack owns every lifetime.

The container is filled here and nowhere else. What is opened serves nothing yet: `System.serve` does, when it is run.
"""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from anyio import to_thread

from smmu.adapters.embedded.identity import HmacVerifier
from smmu.adapters.embedded.lines import JsonLines
from smmu.adapters.embedded.platform import open_platform, token_secret
from smmu.adapters.embedded.system import RandomIds, SystemClock
from smmu.adapters.inmemory.identity import StaticVerifier
from smmu.adapters.inmemory.platform import memory_platform
from smmu.adapters.inmemory.tasks import InlineTaskRunner
from smmu.application.system import System
from smmu.bootstrap.classifier import classifier_of
from smmu.bootstrap.container import Container
from smmu.bootstrap.deployed import aws_platform
from smmu.bootstrap.isolated import SCRATCH, worker_environment
from smmu.bootstrap.policy import policy_of
from smmu.bootstrap.settings import AwsPlatform, EmbeddedPlatform, InMemoryPlatform, Settings
from smmu.bootstrap.speech import kept_recognizer, local_recognizer
from smmu.bootstrap.variables import SettingsError, variable
from smmu.domain.limits import Limits
from smmu.ports.identity import TokenVerifier
from smmu.ports.platform import Platform, Scope
from smmu.ports.speech import SpeechRecognizer
from smmu.ports.system import Clock, Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The pieces of one open product that its shells need."""

    settings: Settings
    system: System
    verifier: TokenVerifier


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """What a kind of platform brings; `inline` when heavy tasks are done in this very process."""

    platform: Platform
    verifier: TokenVerifier
    scratch: str
    inline: InlineTaskRunner | None = None


@asynccontextmanager
async def open_system(
    settings: Settings,
    *,
    exclusive: bool = True,
    inline: bool = False,
    telemetry: Telemetry | None = None,
    scope: Scope | None = None,
) -> AsyncIterator[Running]:
    """The product that `settings` describe, until the block ends. Without `telemetry`, it tells `lines_of` a command.

    `exclusive`: nobody else serves the same data. `inline`: heavy tasks run here, not in processes of their own.
    `scope`: what it is opened for, where it has the rights to nothing else (on AWS).
    Raises `WorldError` when the platform cannot be opened.
    """
    async with AsyncExitStack() as stack:
        opened = await _open(stack, settings, scope, exclusive=exclusive, inline=inline)
        container = Container(
            settings=settings,
            platform=opened.platform,
            verifier=opened.verifier,
            telemetry=telemetry or lines_of(settings, "command"),
            scratch=opened.scratch,
            recognizer=_recognizer(settings, opened),
            policy=policy_of(settings.policy, opened.platform.clock),
            classifier=classifier_of(settings.classifier, opened.platform.classifier),
        )
        system = container.system()
        if opened.inline is not None:
            await stack.enter_async_context(opened.inline.working(system.perform))
        yield Running(settings=settings, system=system, verifier=opened.verifier)


def lines_of(settings: Settings, component: str) -> JsonLines:
    """What a component tells operators: lines of JSON on standard error; on AWS, with metrics in them."""
    extras = None
    if isinstance(settings.platform, AwsPlatform):
        from smmu.adapters.aws.metrics import EmbeddedMetrics  # noqa: PLC0415 - what belongs to AWS is loaded there

        extras = EmbeddedMetrics(settings.platform.deployment)
    return JsonLines(SystemClock(), component=component, debug=settings.debug, extras=extras)


def _recognizer(settings: Settings, opened: _Opened) -> SpeechRecognizer | None:
    """The platform's own engine when it was chosen, else Whisper with its models or one of this machine."""
    if settings.speech.engine != "transcribe":
        models = opened.platform.models
        if models is not None and settings.speech.engine == "faster-whisper":
            return kept_recognizer(settings.speech, models, settings.limits, opened.scratch)
        return local_recognizer(settings.speech, settings.limits, opened.scratch)
    if opened.platform.recognizer is None:
        raise SettingsError(
            f"{variable(('speech', 'engine'))} is transcribe, which is there on the platform aws alone."
        )
    return opened.platform.recognizer


def verifier_of(data: Path) -> HmacVerifier:
    """What issues and verifies the tokens of an embedded platform's folder. Raises `WorldError`."""
    return HmacVerifier(token_secret(str(data)), SystemClock())


async def _open(
    stack: AsyncExitStack, settings: Settings, scope: Scope | None, *, exclusive: bool, inline: bool
) -> _Opened:
    match settings.platform:
        case EmbeddedPlatform(data=data):
            return await _open_embedded(stack, data, settings.limits, exclusive=exclusive, inline=inline)
        case InMemoryPlatform(tokens=tokens):
            return _open_in_memory(stack, tokens, settings.limits)
        case AwsPlatform() as named:
            return await _open_on_aws(stack, named, settings, scope)


async def _open_embedded(
    stack: AsyncExitStack, data: Path, limits: Limits, *, exclusive: bool, inline: bool
) -> _Opened:
    environment = {**os.environ, **worker_environment(limits)}
    opening = open_platform(str(data), limits, exclusive=exclusive, environment=environment)
    platform = await stack.enter_async_context(opening)
    scratch = data / SCRATCH
    if exclusive:  # whoever worked here before is dead
        await to_thread.run_sync(partial(shutil.rmtree, scratch, ignore_errors=True))
    runner = InlineTaskRunner() if inline else None
    if runner is not None:
        platform = replace(platform, tasks=runner, starter=runner)
    return _Opened(platform=platform, verifier=verifier_of(data), scratch=str(scratch), inline=runner)


async def _open_on_aws(stack: AsyncExitStack, named: AwsPlatform, settings: Settings, scope: Scope | None) -> _Opened:
    clock = SystemClock()
    opening = aws_platform(
        named, settings.limits, clock, speech=settings.speech, labels=settings.classifier, scope=scope
    )
    return _Opened(
        platform=await stack.enter_async_context(opening),
        verifier=_verifier_on_aws(named, clock),
        scratch=stack.enter_context(tempfile.TemporaryDirectory(prefix="smmu-")),
    )


def _verifier_on_aws(named: AwsPlatform, clock: Clock) -> TokenVerifier:
    from smmu.adapters.aws.identity import Issuer, JwksVerifier  # noqa: PLC0415 - the SDK is an extra of its own

    if named.identity is None:
        return StaticVerifier({}, clock)  # nobody comes here with a token
    return JwksVerifier(issuer=Issuer(**named.identity.model_dump()), clock=clock)


def _open_in_memory(stack: AsyncExitStack, tokens: Mapping[str, str], limits: Limits) -> _Opened:
    runner, clock = InlineTaskRunner(), SystemClock()
    scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="smmu-"))
    return _Opened(
        platform=memory_platform(limits, clock=clock, ids=RandomIds(clock), tasks=runner),
        verifier=StaticVerifier(tokens, clock),
        scratch=scratch,
        inline=runner,
    )
