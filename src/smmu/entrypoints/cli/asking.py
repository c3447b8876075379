"""How a command asks a server: a client for as long as the question takes."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import anyio

if TYPE_CHECKING:
    from smmu.client.client import Client

R = TypeVar("R")


def ask(url: str, token: str, question: Callable[["Client"], Awaitable[R]]) -> R:
    """The answer of the server at `url` to whom this token is of."""

    async def main() -> R:
        from smmu.client.client import open_client

        async with open_client(url, token) as client:
            return await question(client)

    return anyio.run(main, backend="asyncio")
