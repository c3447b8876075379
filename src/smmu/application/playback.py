"""Playback: leave to play a media, and what whoever holds it is given of it.

Playlists are relative to each other and are handed out as they are stored, so a player finds everything under the
address it began with. They are small; media bytes come from storage, each file at a short-lived address of its own.
Where a delivery network hands out what is stored, its addresses are given instead, and ours are asked by nobody.
"""

import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from smmu.application.library import Library
from smmu.domain import passes
from smmu.domain.errors import Code, Refused, refuse
from smmu.domain.limits import Limits
from smmu.domain.manifest import files_of
from smmu.domain.media import Media, State
from smmu.domain.passes import Pass
from smmu.domain.plan import Role
from smmu.domain.values import ObjectRef
from smmu.domain.variants import not_made_here
from smmu.ports.delivery import Cookie, Delivery
from smmu.ports.errors import Denied, NotFound
from smmu.ports.objects import ObjectStore, ReadLink
from smmu.ports.secrets import Secrets
from smmu.ports.system import Clock

PATH = "/play/"
IMAGE = "image"  # a picture's one name below a pass; files of a manifest are in folders
# What names other files relative to itself has to come from the address that it was asked at.
PLAYLISTS = frozenset({"application/vnd.apple.mpegurl", "application/dash+xml", "text/vtt"})
_KEEP_SECONDS = 300  # so that seeking back asks nobody
_ENTRIES_MAX = 100_000  # of all manifests that are remembered: some 50 MB


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Leave to play one revision until `expires_at`: what there is, as addresses. Our own begin with a slash.

    A browser needs `cookies` where a delivery network hands out the bytes.
    """

    hls: str | None = None
    dash: str | None = None
    mp4: str | None = None
    image: str | None = None
    expires_at: float
    cookies: Sequence[Cookie] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Playlist:
    """A playlist as it is stored, which a player may keep for a while."""

    text: bytes
    content_type: str
    etag: str
    keep_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Where the bytes of a file are, for long enough after `keep_seconds` to fetch them."""

    url: str
    keep_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A file of a manifest, pinned."""

    ref: ObjectRef
    content_type: str
    sha256: str


_Index = Mapping[str, _Entry]


@dataclass(slots=True)
class _Remembered:
    """The files of manifests that were played lately: a player asks for hundreds of one."""

    known: OrderedDict[ObjectRef, _Index] = field(default_factory=OrderedDict)
    entries: int = 0

    def get(self, manifest: ObjectRef) -> _Index | None:
        """The files of a manifest, when they are known."""
        if manifest in self.known:
            self.known.move_to_end(manifest)
        return self.known.get(manifest)

    def put(self, manifest: ObjectRef, index: _Index) -> None:
        """Remember them, and forget those that were not asked for the longest."""
        self.entries += len(index) - len(self.known.get(manifest, ()))
        self.known[manifest] = index
        while self.entries > _ENTRIES_MAX and len(self.known) > 1:
            self.entries -= len(self.known.popitem(last=False)[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Playback:
    """The use cases of playing. Pictures are shown where they are `made` on request."""

    library: Library
    objects: ObjectStore
    secrets: Secrets
    delivery: Delivery | None
    made: bool
    clock: Clock
    limits: Limits
    remembered: _Remembered = field(default_factory=_Remembered)

    async def grant(self, owner: str, media_id: str) -> Grant:
        """A pass to what the newest manifest lists, or to a picture in any size. `Refused` when there is neither."""
        known = (await self.library.get(owner, media_id)).value
        if known.manifest is not None and known.facts.get("image"):
            return await self._shown(known, known.manifest)
        paths = {record.role: record.path for record in reversed(known.renditions)}  # the first of each role
        hls, dash = paths.get(Role.HLS), paths.get(Role.DASH)
        mp4 = paths.get(Role.MP4, paths.get(Role.AUDIO))  # a sound's AAC, which comes first, is an MP4 as well
        if known.manifest is None or not known.playable:
            raise refuse(Code.NOT_PLAYABLE, f"There is nothing to play: {_why_not(known)}.")
        leave = self._leave(known, known.manifest)
        at, cookies = await self._admitted(leave)
        address = partial(_below, at)
        return Grant(
            hls=address(hls), dash=address(dash), mp4=address(mp4), expires_at=leave.expires_at, cookies=cookies
        )

    async def open(self, token: str, path: str) -> Playlist | Elsewhere:
        """What is at a path below a pass: a playlist itself, or where the bytes of any other file are.

        Raises `Denied` for a pass that is none or whose time is over, `Refused` when there is no such file (any more).
        """
        leave = await self.admit(token)
        known = (await self.library.get(leave.owner, leave.media_id)).value
        if known.state is State.REJECTED:
            raise refuse(Code.NOT_FOUND, "There is no such file in this media: it was rejected.")
        entry = (await self._index(leave.manifest)).get(path)
        if entry is None:
            raise refuse(Code.NOT_FOUND, "There is no such file in this media.")
        now = self.clock.now()
        if entry.content_type not in PLAYLISTS:
            ends = min(leave.expires_at, now + self.limits.read_url_seconds)
            return elsewhere(await self.objects.sign_read(entry.ref, expires_at=ends), now)
        return Playlist(
            text=await self._read(entry.ref),
            content_type=entry.content_type,
            etag=entry.sha256[:32],
            keep_seconds=min(_KEEP_SECONDS, int(leave.expires_at - now)),
        )

    async def admit(self, token: str) -> Pass:
        """The leave that a token gives. Raises `Denied` for one that is none or whose time is over."""
        leave = passes.unseal(token, await self._secret())
        if leave is None:
            raise Denied("it was not signed here")
        if leave.expires_at <= self.clock.now():
            raise Denied("its time is over")
        return leave

    async def _shown(self, known: Media, manifest: ObjectRef) -> Grant:
        """A picture is made in the size that is asked for, which no delivery network does."""
        if not self.made:
            raise Refused(not_made_here())
        leave = self._leave(known, manifest)
        return Grant(image=f"{await self._ours(leave)}{IMAGE}", expires_at=leave.expires_at)

    def _leave(self, known: Media, manifest: ObjectRef) -> Pass:
        lasts = max((record.duration_s or 0.0 for record in known.renditions), default=0.0)
        expires_at = self.clock.now() + lasts + self.limits.playback_seconds
        return Pass(owner=known.owner, media_id=known.id, manifest=manifest, expires_at=expires_at)

    async def _admitted(self, leave: Pass) -> tuple[str, Sequence[Cookie]]:
        """Where the manifest's folder is for who has this leave, and the cookies for there."""
        if self.delivery is None:
            return await self._ours(leave), ()
        folder = _folder(leave.manifest)
        return self.delivery.url(folder), await self.delivery.admit(folder, expires_at=leave.expires_at)

    async def _ours(self, leave: Pass) -> str:
        return f"{PATH}{passes.seal(leave, await self._secret())}/"

    async def _secret(self) -> bytes:
        return await self.secrets.secret(passes.SECRET)

    async def _index(self, manifest: ObjectRef) -> _Index:
        """Every file that the manifest lists and that is there as it was listed."""
        index = self.remembered.get(manifest)
        if index is None:
            document = json.loads(await self._read(manifest))
            folder = _folder(manifest)
            there = {ref.key.removeprefix(folder): ref async for ref in self.objects.list(folder)}
            index = dict(_entries(document, there))
            self.remembered.put(manifest, index)
        return index

    async def _read(self, ref: ObjectRef) -> bytes:
        try:
            source = await self.objects.open(ref)
            return await source.read(0, source.size)
        except NotFound as error:
            raise refuse(Code.NOT_FOUND, "What was to be played is no longer kept.") from error


def elsewhere(link: ReadLink, now: float) -> Elsewhere:
    """What a link leads to, which may be kept for half of the time that the link itself lives."""
    lives = max(0.0, link.expires_at - now)
    return Elsewhere(url=link.url, keep_seconds=min(_KEEP_SECONDS, int(lives / 2)))


def _below(at: str, path: str | None) -> str | None:
    return None if path is None else at + path


def _folder(manifest: ObjectRef) -> str:
    return manifest.key.rpartition("/")[0] + "/"


def _entries(document: Mapping[str, Any], there: Mapping[str, ObjectRef]) -> Iterator[tuple[str, _Entry]]:
    for rendition in document["renditions"]:
        for file in files_of(rendition):
            ref = there.get(file["path"])
            if ref is not None and ref.size == file["size"]:
                yield file["path"], _Entry(ref=ref, content_type=file["content_type"], sha256=file["sha256"])


def _why_not(known: Media) -> str:
    return f"the media is {known.state}" if known.manifest is None else "it has neither pictures that move nor sound"
