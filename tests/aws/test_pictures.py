"""The function that renders, as the API meets it: what fails is told as the port says, and wishes are bounded twice."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from types import SimpleNamespace
from typing import Any

import pytest

from smmu.adapters.aws.account import Resources, open_service
from smmu.adapters.aws.pictures import FunctionPictures
from smmu.adapters.inmemory.system import MemoryTelemetry
from smmu.domain.errors import Code, Refused
from smmu.domain.facts import ImageFacts
from smmu.domain.values import ObjectRef
from smmu.domain.variants import Variant
from smmu.entrypoints.lambdas.render import render, scope_of
from smmu.ports.errors import Corrupt, Denied, NotFound, Throttled, Unavailable, WorldError
from smmu.ports.pictures import PictureMaker, PictureOrder
from smmu.ports.platform import Scope
from tests.support.aws import moto
from tests.support.aws.machines import functions
from tests.support.aws.mends import mend

ORDER = PictureOrder(
    owner="ada",
    media_id="med_1",
    job_id="job_1",
    source=ObjectRef(key="raw/ada/upl_1/source", version="1", etag="e", size=9),
    image=ImageFacts(width=4000, height=3000),
    variant=Variant(width=640, height=None),
)
PATH = "/2015-03-31/functions/"


@asynccontextmanager
async def maker(function: Callable[[Any], Any]) -> AsyncIterator[PictureMaker]:
    mend()
    async with open_service(moto.account(), "lambda", patience=5) as client:
        with functions({"render": function}) as arns:
            yield FunctionPictures(client, Resources(render_function=arns["render"].rpartition(":")[2]))


def raising(name: str, words: str = "words") -> Callable[[Any], Any]:
    def function(_: Any) -> Any:
        raise type(name, (Exception,), {})(words)

    return function


@pytest.mark.parametrize("error", [Code.WORLD_UNAVAILABLE, Code.DISK_FULL])
async def test_what_the_function_could_not_reach_is_the_worlds_fault(error: str) -> None:
    async with maker(raising(error)) as pictures:
        with pytest.raises(Unavailable):
            await pictures.make(ORDER)


@pytest.mark.parametrize(
    ("error", "words", "code"),
    [
        ("Sandbox.Timedout", "RequestId: r Error: Task timed out after 900.00 seconds", Code.TIMED_OUT),
        ("Runtime.ExitError", "RequestId: r Error: Runtime exited with error: signal: killed", Code.OUT_OF_MEMORY),
        ("KeyError", "'secret'", Code.INTERNAL),
    ],
)
async def test_what_the_function_died_of_is_told_in_our_words(error: str, words: str, code: Code) -> None:
    async with maker(raising(error, words)) as pictures:
        with pytest.raises(Refused) as refused:
            await pictures.make(ORDER)
    assert refused.value.code is code
    assert words not in refused.value.message


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        ("429 Too Many Requests", "TooManyRequestsException", Throttled),
        ("403 Forbidden", "AccessDeniedException", Denied),
        ("404 Not Found", "ResourceNotFoundException", NotFound),
        ("500 Internal Server Error", "ServiceException", Unavailable),
        ("409 Conflict", "ResourceConflictException", Unavailable),
        ("413 Request Entity Too Large", "RequestTooLargeException", Corrupt),
        ("400 Bad Request", "InvalidParameterValueException", Corrupt),
    ],
)
async def test_a_function_that_is_not_to_be_had_is_the_worlds_fault(
    status: str, code: str, kind: type[WorldError]
) -> None:
    asked: list[str] = []

    def watch(environ: dict[str, Any]) -> moto.Answer | None:
        if not environ["PATH_INFO"].startswith(PATH):
            return None
        asked.append(environ["PATH_INFO"])
        return status, f'{{"__type": "{code}", "message": "no"}}'.encode()

    async with maker(lambda _: {}) as pictures:
        with moto.watching(watch), pytest.raises(kind):
            await pictures.make(ORDER)
    assert len(asked) == 1  # it is long work: whoever waits for it asks again


async def test_a_wish_that_nobody_may_have_is_refused_by_the_function_too() -> None:
    event = {"order": asdict(replace(ORDER, variant=Variant(width=641, height=None)))}
    system: Any = SimpleNamespace(telemetry=MemoryTelemetry())
    with pytest.raises(Exception, match="in these steps") as raised:
        await render(system, event)
    assert type(raised.value).__name__ == Code.INVALID_VARIANT


def test_an_event_is_about_an_attempt_or_an_owners_pictures() -> None:
    task = {"owner": "ada", "record_id": "job_7/a2/job[body].1", "tries": 0}
    assert scope_of(task) == Scope(owner="ada", job_id="job_7", attempt=2)
    assert scope_of({"order": asdict(ORDER)}) == Scope(owner="ada", job_id="job_1", attempt=0)
    with pytest.raises(ValueError, match="no record"):
        scope_of({**task, "record_id": "job_7"})
