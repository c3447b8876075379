"""Server-sent events (WHATWG HTML, 9.2) as this service sends them: the few lines of the format that are needed."""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerEvent:
    """One event. `id` is the last one that was set, as the format wants it."""

    id: str
    type: str
    data: str


async def server_events(lines: AsyncIterator[str]) -> AsyncGenerator[ServerEvent]:
    """The events in lines of text, each as soon as its empty line has come. Comments keep a connection warm."""
    last_id, kind, data = "", "message", list[str]()
    async for line in lines:
        if not line:
            if data:
                yield ServerEvent(id=last_id, type=kind, data="\n".join(data))
            kind, data = "message", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            data.append(value)
        elif field == "event":
            kind = value
        elif field == "id":
            last_id = value
