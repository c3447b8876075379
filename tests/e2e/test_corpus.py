"""The whole open corpus through one real server: every file ends as its row says, and the service lives on.

What inspection measures of each file is compared in tests/media; here it is what a user of the service sees. The
smallest preset keeps it to minutes: every stage runs, for fewer outputs.
"""

import time
from dataclasses import dataclass, field

import anyio
import pytest

from smmu.client.client import Client, open_client
from smmu.client.errors import ServerRefused
from smmu.client.uploader import Wish
from tests.support.corpus import Corpus, CorpusFile
from tests.support.served import Server

SENDERS = 4
WAIT_SECONDS = 420.0
PREVIEW = {"preset": "preview-only"}


@dataclass(slots=True)
class Ends:
    """How each file ended: "succeeded", or the code of its refusal or failure."""

    jobs: dict[str, str] = field(default_factory=dict)
    how: dict[str, str] = field(default_factory=dict)
    found_type: dict[str, str] = field(default_factory=dict)


async def send(client: Client, file: CorpusFile, ends: Ends) -> None:
    try:
        completed = await client.uploads.upload(Wish(path=file.path, options=PREVIEW))
    except ServerRefused as refusal:
        ends.how[file.name] = refusal.code
    else:
        ends.jobs[file.name] = completed.job_id


async def end(client: Client, name: str, ends: Ends) -> None:
    while True:
        job = await client.jobs.get(ends.jobs[name])
        if job.state in ("succeeded", "failed"):
            break
        await anyio.sleep(0.5)
    ends.how[name] = job.state if job.error is None else job.error.code
    if job.error is None:
        ends.found_type[name] = (await client.media.get(job.media_id)).content_type


async def through(server: Server, corpus: Corpus) -> Ends:
    ends = Ends()
    async with open_client(server.url, server.token("corpus")) as client:
        limiter = anyio.CapacityLimiter(SENDERS)

        async def one(file: CorpusFile) -> None:
            async with limiter:
                await send(client, file, ends)

        async with anyio.create_task_group() as group:
            for file in corpus.files:
                group.start_soon(one, file)
        with anyio.fail_after(WAIT_SECONDS):
            for name in ends.jobs:
                await end(client, name, ends)
    return ends


def is_refusal(code: str) -> bool:
    return code.startswith("rejected_") or code in ("type_not_admitted", "type_unrecognised", "type_mismatch")


@pytest.mark.timeout(600)
async def test_every_file_ends_as_its_row_says(server: Server, corpus: Corpus) -> None:
    began = time.monotonic()
    ends = await through(server, corpus)
    expected = {file.name: file.expected["should_accept"] for file in corpus.files}
    assert set(ends.how) == set(expected)
    lost = {
        name: ends.how[name] for name, word in expected.items() if word == "accept" and ends.how[name] != "succeeded"
    }
    taken = {
        name: ends.how[name] for name, word in expected.items() if word == "reject" and not is_refusal(ends.how[name])
    }
    unclean = {
        name: how
        for name, how in ends.how.items()
        if expected[name] == "policy" and not (how == "succeeded" or is_refusal(how))
    }
    assert (lost, taken, unclean) == ({}, {}, {})
    print(f"{len(ends.how)} files, {len(ends.jobs)} jobs in {time.monotonic() - began:.0f} s")  # noqa: T201 - for -s
