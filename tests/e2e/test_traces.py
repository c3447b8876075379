"""One trace from a request to the worker's lines, on one machine: the server's log has those of its workers too."""

import pytest

from tests.e2e.conftest import Files
from tests.support.served import Server
from tests.support.told import TRACE_ID, TRACEPARENT, lines_of, processed

pytestmark = pytest.mark.served

LIFE = {"job_created", "job_dispatched", "task_started", "task_ended", "job_succeeded"}


@pytest.mark.parametrize("when", ["begins", "completes"])
async def test_every_line_of_a_job_has_the_trace_of_the_request_that_made_it(
    server: Server, files: Files, when: str
) -> None:
    job_id = await processed(server.url, server.token(), files.photo, **{when: TRACEPARENT})
    told = await lines_of(job_id, server.log.read_text, LIFE)
    assert {line["traceId"] for line in told} == {TRACE_ID}
    heavy = [line for line in told if line["event"] == "task_started" and line["weight"] == "heavy"]
    assert [line["component"] for line in heavy] == ["worker"]
    assert {(line["owner"], line["attempt"]) for line in told} == {("ada", 1)}


async def test_a_job_of_nobodys_trace_has_one_all_the_same(server: Server, files: Files) -> None:
    job_id = await processed(server.url, server.token(), files.song)
    (trace,) = {str(line["traceId"]) for line in await lines_of(job_id, server.log.read_text, LIFE)}
    assert (len(trace), trace == TRACE_ID) == (32, False)
