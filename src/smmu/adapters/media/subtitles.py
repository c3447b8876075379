"""A text track of the source as WebVTT: what is said and when, without the fonts, colours and places of its format.

FFmpeg gives every text format as lines of ASS; overrides in braces are dropped. A cue that does not say how long it
lasts ends where the next begins. Refuses pictures of text (DVD, Blu-ray): the planner leaves them out.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from operator import attrgetter

from av.error import FFmpegError
from av.packet import Packet
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import AssSubtitle

from smmu.adapters.media.decode import Survey, only
from smmu.adapters.media.proof import check
from smmu.adapters.media.workbench import Workbench
from smmu.domain.manifest import Check, Proof, Rendition
from smmu.domain.plan import PlannedTask, SubtitlesSpec
from smmu.domain.webvtt import TIMED_HEAD, Cue, cues_in, to_webvtt

CONTENT_TYPE = "text/vtt"
CUES_MAX, CUE_CHARS_MAX = 50_000, 2_000
UNSAID_SECONDS = Fraction(4)  # for the last cue, when nobody says how long it lasts
_OVERRIDES = re.compile(r"\{[^}]*\}")


@dataclass(slots=True)
class _Text:
    """What was read of a track."""

    cues: list[Cue]
    lost: int = 0


def make_subtitles(bench: Workbench, task: PlannedTask, spec: SubtitlesSpec, found: Survey) -> Rendition:
    """The track as one WebVTT file, in time with the picture."""
    text = _read(bench, spec.track_index)
    cues = list(_within(_ended(text.cues), found, task.owed_s))
    document = to_webvtt(cues, TIMED_HEAD)
    path = f"subtitles/{spec.name}.vtt"
    target = bench.directory / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(document, encoding="utf-8")
    checks = tuple(_checks(target.read_text(encoding="utf-8"), cues))
    measures = {"cues": len(cues), **({"source_packets_undecodable": text.lost} if text.lost else {})}
    return Rendition(
        name=spec.name,
        role=spec.role,
        files=(bench.finish(path, CONTENT_TYPE),),
        language=spec.language or None,
        title=spec.title or None,
        purpose=spec.purpose,
        proof=Proof(checks=checks, measures=measures),
    )


def _read(bench: Workbench, track: int) -> _Text:
    text = _Text([])
    with bench.open_container() as container:
        stream = only(container, track)
        assert isinstance(stream, SubtitleStream)  # noqa: S101 - inspection found it to be one
        try:
            for packet in container.demux(stream):
                text.cues += _cues(stream, packet, text)
                bench.beat()
                if len(text.cues) >= CUES_MAX:
                    break
        except FFmpegError as error:
            if isinstance(error, MemoryError):
                raise
            text.lost += 1
    return text


def _cues(stream: SubtitleStream, packet: "Packet[SubtitleStream]", text: _Text) -> Iterator[Cue]:
    if packet.pts is None or not packet.size:
        return
    start = packet.pts * packet.time_base
    try:
        shown = stream.codec_context.decode2(packet)
    except FFmpegError as error:
        if isinstance(error, MemoryError):
            raise
        text.lost += 1
        return
    lines = [_plain(rect.dialogue) for rect in (shown.rects if shown else ()) if isinstance(rect, AssSubtitle)]
    if any(lines):
        yield Cue(start, start + (packet.duration or 0) * packet.time_base, "\n".join(lines)[:CUE_CHARS_MAX])


def _plain(dialogue: bytes) -> str:
    words = _OVERRIDES.sub("", dialogue.decode("utf-8", "replace"))
    return words.replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")


def _ended(cues: Sequence[Cue]) -> Iterator[Cue]:
    """Every cue with an end: its own, or where the next one begins."""
    ordered = sorted(cues, key=attrgetter("start"))
    for number, cue in enumerate(ordered):
        if cue.end > cue.start:
            yield cue
        else:
            later = next((other.start for other in ordered[number + 1 :] if other.start > cue.start), None)
            yield replace(cue, end=cue.start + UNSAID_SECONDS if later is None else later)


def _within(cues: Iterator[Cue], found: Survey, owed_s: float | None) -> Iterator[Cue]:
    """What is shown in the clip, in its own times."""
    last = None if owed_s is None else Fraction(str(owed_s))
    for cue in cues:
        start, end = max(Fraction(0), cue.start - found.zero), cue.end - found.zero
        end = end if last is None else min(end, last)
        if round(end * 1000) > round(start * 1000):
            yield Cue(start, end, cue.text)


def _checks(document: str, cues: Sequence[Cue]) -> Iterator[Check]:
    read = cues_in(document)
    yield check("cues that are there", len(cues), len(read))
    yield check("starts that go back", 0, sum(after.start < before.start for before, after in pairwise(read)))
    yield check("cues that do not last", 0, sum(cue.end <= cue.start for cue in read))
