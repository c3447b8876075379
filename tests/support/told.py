"""What a deployment's processes told operators, read from their logs; and a file sent by requests that bear a trace."""

import json
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import anyio
import httpx

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"

_ENDED = ("succeeded", "failed", "cancelled")
_PATIENCE = 90
_LINES_PATIENCE = 20


def lines_in(text: str) -> list[dict[str, Any]]:
    """The lines of ours in a log, which may begin in the middle of one."""
    return [line for line in map(_line, text.splitlines()) if "event" in line]


async def lines_of(job_id: str, read: Callable[[], str], events: AbstractSet[str]) -> list[dict[str, Any]]:
    """The lines about a job in a log, once all of `events` are there: a line is written after what it tells of."""
    with anyio.fail_after(_LINES_PATIENCE):
        while True:
            told = [line for line in lines_in(read()) if line.get("jobId") == job_id]
            if events <= {line["event"] for line in told}:
                return told
            await anyio.sleep(0.05)


def _line(text: str) -> dict[str, Any]:
    try:
        known = json.loads(text)
    except ValueError:
        return {}
    return known if isinstance(known, dict) else {}


async def processed(url: str, token: str, file: Path, *, begins: str = "", completes: str = "") -> str:
    """Send a file by one PUT, and wait until its job has succeeded; its id. `begins` and `completes` are traces."""
    async with httpx.AsyncClient(base_url=url, headers={"authorization": f"Bearer {token}"}, timeout=60) as client:
        asked = {"filename": file.name, "size": file.stat().st_size}
        begun = await client.post("/media/upload/init", json=asked, headers=_traced(begins))
        part = begun.json()["parts"][0]
        async with httpx.AsyncClient(timeout=60) as plain:
            sent = await plain.put(part["url"], content=file.read_bytes(), headers=part.get("headers") or {})
        sent.raise_for_status()
        upload = {"upload_id": begun.json()["upload_id"]}
        made = await client.post("/media/upload/complete", json=upload, headers=_traced(completes))
        job_id = str(made.json()["job_id"])
        known = await _ended(client, job_id)
    assert known["state"] == "succeeded", known
    return job_id


async def _ended(client: httpx.AsyncClient, job_id: str) -> dict[str, Any]:
    with anyio.fail_after(_PATIENCE):
        while True:
            known: dict[str, Any] = (await client.get(f"/jobs/{job_id}")).json()
            if known["state"] in _ENDED:
                return known
            await anyio.sleep(0.1)


def _traced(trace: str) -> dict[str, str]:
    return {"traceparent": trace} if trace else {}
