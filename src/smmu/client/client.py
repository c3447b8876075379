"""The client as a program uses it.

async with open_client("https://media.example", token) as client:
    done = await client.uploads.upload(Wish(path=Path("film.mov")))
    async for glimpse in client.jobs.watch(done.job_id):
        print(glimpse.progress)
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from smmu.client.connection import Connection, connected
from smmu.client.jobs import JobsClient
from smmu.client.media import MediaClient
from smmu.client.patience import Patience
from smmu.client.uploader import PARALLEL, Uploader


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One server, as the owner of one token sees it."""

    connection: Connection
    uploads: Uploader
    jobs: JobsClient
    media: MediaClient


@asynccontextmanager
async def open_client(
    url: str,
    token: str,
    *,
    parallel: int = PARALLEL,
    patience: Patience | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> AsyncIterator[Client]:
    """A client for the server at `url`; `parallel` parts of each file at once.

    Raises `Unusable` for an address or a token that cannot be one.
    """
    async with connected(url, token, patience=patience, transport=transport) as connection:
        yield Client(
            connection=connection,
            uploads=Uploader(connection=connection, parallel=parallel),
            jobs=JobsClient(connection=connection),
            media=MediaClient(connection=connection),
        )
