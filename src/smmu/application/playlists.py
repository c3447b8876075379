"""The playlists that players open, completed: the texts of a film are put in when all that was made of it is there.

What the film's task wrote stays where it is and is listed no more; the new ones are under the claim that publishes, as
everything that a claim makes. A film without texts keeps its own. It refuses to read anything but these playlists.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from smmu.domain import text_tracks
from smmu.domain.errors import Code, refuse
from smmu.domain.manifest import Check, Proof, RenderedFile, Rendition
from smmu.domain.plan import Role
from smmu.domain.plan_tracks import unique
from smmu.domain.text_tracks import WEBVTT, Text, upwards
from smmu.ports.objects import ObjectStore

_CUES = "cues"  # what the proof of a text counts: one in which nothing is said is offered to nobody
_TEXTS = "texts that it offers"
_Named = Sequence[tuple[Text, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Playlists:
    """Completes the playlists of what one attempt made. Paths are relative to `prefix`, new ones below `folder`."""

    objects: ObjectStore
    prefix: str
    folder: str

    async def complete(self, made: Sequence[Rendition]) -> tuple[Rendition, ...]:
        """All that was made, with playlists that name the texts. `Refused` for a playlist that is none."""
        texts = tuple(_texts(made))
        if not texts:
            return tuple(made)
        return tuple([await self._completed(one, texts) for one in made])

    async def _completed(self, one: Rendition, texts: Sequence[Text]) -> Rendition:
        if one.role == Role.HLS:  # names playlists, each of one file
            files = [await self._playlist(one, text) for text in texts]
            known = [(text, file.path.rpartition("/")[2]) for text, file in zip(texts, files, strict=True)]
            new = await self._rewritten(one, text_tracks.in_hls, text_tracks.hls_names, known)
            return replace(new, files=(*new.files, *files))
        if one.role == Role.DASH:  # names the files themselves
            known = [(text, upwards(one.path) + text.path) for text in texts]
            return await self._rewritten(one, text_tracks.in_dash, text_tracks.dash_names, known)
        return one

    async def _playlist(self, one: Rendition, text: Text) -> RenderedFile:
        path = f"{self.folder}hls/{text.name}.m3u8"
        playlist = text_tracks.media_playlist(upwards(path) + text.path, one.duration_s or 0.0)
        return await self._put(path, playlist, one.files[0].content_type)

    async def _rewritten(
        self, one: Rendition, write: Callable[[str, str, _Named], str], count: Callable[[str], int], known: _Named
    ) -> Rendition:
        """The rendition with what `write` makes of its file, which must then offer as many texts as are known."""
        path = f"{self.folder}hls/{one.path.rpartition('/')[2]}"
        below = upwards(path) + one.path[: one.path.rfind("/") + 1]
        try:
            text = write(await self._read(one.path), below, known)
        except ValueError as error:
            raise refuse(Code.PROOF_FAILED, f"{one.name} cannot be completed: {error}.") from error
        file = await self._put(path, text, one.files[0].content_type)
        expected, measured = str(len(known)), str(count(text))
        check = Check(name=_TEXTS, ok=measured == expected, expected=expected, measured=measured)
        proof = Proof(checks=(*one.proof.checks, check), measures={**one.proof.measures, "texts": len(known)})
        return replace(one, files=(file, *one.files[1:]), proof=proof)

    async def _read(self, path: str) -> str:
        info = await self.objects.stat(self.prefix + path)
        if info is None:
            raise refuse(Code.PROOF_FAILED, f"{path} is not in storage as it was made.")
        source = await self.objects.open(info.ref)
        return (await source.read(0, source.size)).decode()

    async def _put(self, path: str, text: str, content_type: str) -> RenderedFile:
        body = text.encode()
        await self.objects.put(self.prefix + path, body, content_type=content_type)
        return RenderedFile(
            path=path, size=len(body), sha256=hashlib.sha256(body).hexdigest(), content_type=content_type
        )


def _texts(made: Sequence[Rendition]) -> Iterator[Text]:
    """What may be read beside a film, subtitles before captions; no two are called alike."""
    seconds = max((one.duration_s or 0.0 for one in made if one.role == Role.HLS), default=0.0)
    found = [
        one
        for role in (Role.SUBTITLES, Role.CAPTIONS)
        for one in made
        if one.role == role and one.files[0].content_type == WEBVTT and one.proof.measures.get(_CUES, 0) != 0
    ]
    for one, title in zip(found, unique([one.title or one.name for one in found]), strict=True):
        yield Text(
            name=one.name,
            path=one.path,
            bitrate_bps=max(1, round(one.files[0].size * 8 / seconds)) if seconds else 1,
            title=title,
            language=one.language or "",
            purpose=one.purpose or "",
        )
