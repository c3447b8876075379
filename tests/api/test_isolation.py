"""Two owners at one service: neither can see, change or even notice anything of the other's.

Random operations on whatever there is, one's own and the other's. What is the other's answers exactly as what does
not exist, byte by byte but for the ids themselves, and nothing that is stored of the other changes.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.service import CLIP, Service, a_service, begun, completed, sent

OWNERS = ("ada", "grace")
Call = tuple[str, str, Any]

ON_UPLOAD: Sequence[Call] = (
    ("GET", "/media/upload/{id}", None),
    ("DELETE", "/media/upload/{id}", None),
    ("POST", "/media/upload/{id}/parts", {"numbers": [1]}),
    ("POST", "/media/upload/complete", {"upload_id": "{id}"}),
)
ON_JOB: Sequence[Call] = (
    ("GET", "/jobs/{id}", None),
    ("POST", "/jobs/{id}/cancel", None),
    ("POST", "/jobs/{id}/retry", None),
    ("GET", "/jobs/{id}/events?after=9999999999", None),
)
ON_MEDIA: Sequence[Call] = (
    ("GET", "/media/{id}", None),
    ("PATCH", "/media/{id}", {"filename": "b.mp4"}),
    ("DELETE", "/media/{id}", None),
    ("GET", "/media/{id}/renditions/source", None),
    ("GET", "/media/{id}/renditions/poster", None),
    ("POST", "/media/{id}/playback", None),
    ("GET", "/media/{id}/image?w=320", None),
)
CALLS: Mapping[str, Sequence[Call]] = {"upl": ON_UPLOAD, "job": ON_JOB, "med": ON_MEDIA}
MAKING = st.sampled_from(["begun", "sent", "completed"])
STEPS = st.lists(
    st.tuples(
        st.sampled_from(OWNERS), MAKING | st.tuples(st.sampled_from(OWNERS), st.integers(0, 50), st.integers(0, 50))
    ),
    min_size=4,
    max_size=25,
)


@dataclass(slots=True)
class Town:
    """The service, a client for each owner, and the ids that each of them has."""

    service: Service
    clients: Mapping[str, httpx.AsyncClient]
    ids: Mapping[str, list[str]] = field(default_factory=lambda: {owner: [] for owner in OWNERS})

    async def make(self, owner: str, how: str) -> None:
        make = {"begun": begun, "sent": sent, "completed": completed}[how]
        made = await make(self.clients[owner], CLIP)
        self.ids[owner].append(made["upload_id"])
        if how == "completed":
            self.ids[owner] += [made["job_id"], made["media_id"]]

    async def touch(self, asker: str, owner: str, which: int, how: int) -> None:
        if not self.ids[owner]:
            return
        name = self.ids[owner][which % len(self.ids[owner])]
        calls = CALLS[name[:3]]
        call = calls[how % len(calls)]
        if asker == owner and "/events" in call[1]:
            return  # this job never ends, and neither does its stream
        before = self.held_by(owner)
        answer = await self._call(asker, call, name)
        if asker == owner:
            assert answer.status_code != 404 or self._may_be_gone(call, name)
            if answer.status_code == 202 and name.startswith("upl_"):
                self.ids[owner] += [answer.json()["job_id"], answer.json()["media_id"]]
            return
        missing = await self._call(asker, call, f"{name[:4]}{'0' * 26}")
        assert answer.status_code == 404
        assert alike(answer) == alike(missing)
        assert self.held_by(owner) == before

    async def check_lists(self) -> None:
        for owner in OWNERS:
            for path, key, name in (("/jobs", "jobs", "job_id"), ("/media", "media", "media_id")):
                listed = (await self.clients[owner].get(f"{path}?limit=200")).json()[key]
                assert {item[name] for item in listed} <= set(self.ids[owner])

    def held_by(self, owner: str) -> object:
        """Everything that is stored of an owner, as it is stored."""
        world = self.service.world
        records = {
            (table, name): (row.data, row.version)
            for (table, whose), shelf in world.records.items()
            if whose == owner
            for name, row in shelf.rows.items()
        }
        files = {key: row.data for key, row in world.objects.rows.items() if f"/{owner}/" in key}
        return records, files, dict(world.counters.get(owner, {}))

    def _may_be_gone(self, call: Call, name: str) -> bool:
        """An owner's own media may be deleted by now, and a poster may not be made yet."""
        return name.startswith("med_") or "renditions" in call[1]

    async def _call(self, asker: str, call: Call, name: str) -> httpx.Response:
        method, path, body = call
        if body is not None and body.get("upload_id"):
            body = {"upload_id": name}
        return await self.clients[asker].request(method, path.replace("{id}", name), json=body)


def alike(answer: httpx.Response) -> tuple[object, ...]:
    """An answer without the ids in it."""
    return _blank(answer.text), sorted((k, _blank(v)) for k, v in answer.headers.items())


def _blank(text: str) -> str:
    return re.sub(r"(upl|job|med)_[0-9a-z]{26}", "…", re.sub(r"req_[0-9a-f]{16}", "…", text))


@settings(max_examples=40)
@given(steps=STEPS)
async def test_owners_never_meet(steps: list[tuple[str, Any]]) -> None:
    service = a_service()
    async with service.client("ada") as ada, service.client("grace") as grace:
        town = Town(service, {"ada": ada, "grace": grace})
        for owner in OWNERS:
            await town.make(owner, "completed")
        for asker, step in steps:
            if isinstance(step, str):
                await town.make(asker, step)
            else:
                await town.touch(asker, *step)
        await town.check_lists()
    assert service.telemetry.named("bug") == []


async def test_every_call_on_what_is_anothers_is_as_on_what_is_missing() -> None:
    service = a_service()
    async with service.client("ada") as ada, service.client("grace") as grace:
        town = Town(service, {"ada": ada, "grace": grace})
        await town.make("ada", "completed")
        await town.make("ada", "begun")
        for which, name in enumerate(town.ids["ada"]):
            for how in range(len(CALLS[name[:3]])):
                await town.touch("grace", "ada", which, how)
