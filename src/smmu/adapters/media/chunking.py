"""`render_chunk`: a part of a ladder's pictures, encoded where nobody knows of the other parts.

Decoding begins at the keyframe of the source before the part, so the first picture has all that it refers to. Times,
choices and keyframes are what one pass over the whole gives: they depend on nothing before a cut of segments, and a
chunk begins at one. Each rung is one fragmented file with the whole's times, proven as a rung is; `chunk.json` tells
what the join has to know. Where something makes the whole depend on more than this part (damage, a break in the
timestamps) the chunk says so and has no files: then the whole is made in one pass. Refuses to judge the file by a part
of it.
"""

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from smmu.adapters.media.decode import survey
from smmu.adapters.media.encoder import RungEncoder
from smmu.adapters.media.ladder import Delivery, Footing, Ladder, Part, Rung
from smmu.adapters.media.proof import check
from smmu.adapters.media.segments import Segment
from smmu.adapters.media.workbench import Workbench
from smmu.domain.manifest import Check, Proof, RenderedFile, Rendition
from smmu.domain.plan import ChunkSpec, PlannedTask, RungSpec

RECORD, RECORD_TYPE, PICTURES_TYPE = "chunk.json", "application/json", "video/mp4"


def render_chunk(bench: Workbench, task: PlannedTask) -> list[Rendition]:
    """Encode the one chunk that the task owes."""
    (spec,) = task.renditions
    assert isinstance(spec, ChunkSpec)  # noqa: S101 - the planner gives such a task nothing else
    return [_Chunk(bench, task, spec).made()]


class _Chunk:
    def __init__(self, bench: Workbench, task: PlannedTask, spec: ChunkSpec) -> None:
        self._bench, self._spec = bench, spec
        self._ladder = Ladder(
            bench,
            task,
            survey(bench, *spec.tracks, clip=task.clip),
            specs=spec.rungs,
            delivery=Delivery(keep=self._kept, ship=self._ship),
            footing=Footing(part=Part(start=spec.start, end=spec.end, threads=spec.threads)),
        )
        self._delays: dict[str, int] = {}

    def made(self) -> Rendition:
        ladder = self._ladder
        ladder.run(self._bench.progress)
        why = _irregularity(ladder)
        rungs = {} if why else {rung.spec.name: self._rung(rung) for rung in ladder.rungs if rung.witness.frames}
        checks = [] if why else [one for rung in ladder.rungs for one in self._checks(rung)]
        files = [file for file, _ in rungs.values()]
        self._clear()
        record = self._record(why, {name: told for name, (_, told) in rungs.items()})
        self._bench.progress(1.0)
        return Rendition(
            name=self._spec.name,
            role=self._spec.role,
            files=(record, *files),
            duration_s=float(max(Fraction(0), ladder.end - self._spec.start)) if ladder.shown else 0.0,
            proof=Proof(
                checks=(*checks, check("rungs of the plan", len(self._spec.rungs), len(ladder.rungs))),
                measures={**ladder.damage.measures(), "pictures": ladder.shown, "irregular": why},
            ),
        )

    def _clear(self) -> None:
        for rung in self._ladder.rungs:
            self._kept(rung.spec).unlink(missing_ok=True)
            if rung.encoder.segmenter.init_path:
                (self._bench.directory / rung.encoder.segmenter.init_path).unlink()

    def _kept(self, spec: RungSpec) -> Path:
        return self._bench.directory / f"rung-{spec.name}.mp4"

    def _ship(self, rung: Rung, segment: Segment) -> None:
        """A segment is proven as those of the whole are; what is kept is the file that it was appended to as well."""
        path = self._bench.directory / segment.path
        rung.witness.examine(segment, rung.encoder.segmenter.init_bytes, path.read_bytes())
        path.unlink()
        late = sum(packet.dts < segment.start * self._ladder.ticks for packet in segment.packets)
        self._delays[rung.spec.name] = max(late, self._delays.get(rung.spec.name, 0))

    def _rung(self, rung: Rung) -> tuple[RenderedFile, dict[str, Any]]:
        name = f"{rung.spec.name}.mp4"
        self._kept(rung.spec).replace(self._bench.directory / name)
        file = self._bench.finish(name, PICTURES_TYPE)
        witness, encoder = rung.witness, rung.encoder
        assert isinstance(encoder, RungEncoder)  # noqa: S101 - a copy has keyframes of its own, and no chunks
        told = {
            "sha256": file.sha256,
            "frames": witness.frames,
            "decoded": witness.decoded,
            "delay": self._delays[rung.spec.name],
            "configuration": encoder.configuration.hex(),
            "ssim": witness.likeness.ssim,
            "xpsnr": witness.likeness.xpsnr,
            "watermark": witness.sighting.told,
        }
        return file, told

    def _checks(self, rung: Rung) -> Iterator[Check]:
        return iter(rung.witness.checks(self._ladder.longest_gap, capped=True))

    def _record(self, why: str, rungs: dict[str, dict[str, Any]]) -> RenderedFile:
        ladder = self._ladder
        told = {
            "irregular": why,
            "ticks": ladder.ticks,
            "shown": ladder.shown,
            "promised": ladder.damage.promised,
            "longest_gap": str(ladder.longest_gap),
            "step": str(ladder.clock.step),
            "end": str(ladder.end),
            "rungs": rungs,
        }
        (self._bench.directory / RECORD).write_text(json.dumps(told), encoding="utf-8")
        return self._bench.finish(RECORD, RECORD_TYPE)


def _irregularity(ladder: Ladder) -> str:
    """What makes the whole depend on more than this part; nothing of it, most of the time."""
    damage, clock = ladder.damage, ladder.clock
    if damage.lost or damage.stopped:
        return damage.stopped or f"{damage.lost} packets do not decode"
    if clock.dropped or clock.closed_up or damage.misdated:
        return "its timestamps are out of order"
    if ladder.unplanned.fields:
        return "some of its pictures are made of two fields, and others are not"
    return ""
