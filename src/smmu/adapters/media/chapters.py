"""The chapters of a film as WebVTT, in the film's own times: a page makes a menu of them, a player marks on its line.

They are read again from the container, and not from the plan, which would carry a hundred kilobytes of titles. A
chapter that begins before a clip or goes on after it is cut; one without a title is called by its number.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction

from smmu.adapters.media.decode import Survey
from smmu.adapters.media.proof import check
from smmu.adapters.media.tracks import chapters_of
from smmu.adapters.media.workbench import Workbench
from smmu.domain.facts import Chapter
from smmu.domain.manifest import Proof, Rendition
from smmu.domain.plan import ChaptersSpec, PlannedTask
from smmu.domain.webvtt import Cue, cues_in, to_webvtt

PATH, CONTENT_TYPE = "chapters.vtt", "text/vtt"


def make_chapters(bench: Workbench, task: PlannedTask, spec: ChaptersSpec, found: Survey) -> Rendition:
    """One file with a cue for each chapter."""
    with bench.open_container() as container:
        cues = list(_within(chapters_of(container), found.zero, task.owed_s))
    target = bench.directory / PATH
    target.write_text(to_webvtt(cues), encoding="utf-8")
    read = cues_in(target.read_text(encoding="utf-8"))
    return Rendition(
        name=spec.name,
        role=spec.role,
        files=(bench.finish(PATH, CONTENT_TYPE),),
        proof=Proof(checks=(check("chapters that are there", len(cues), len(read)),), measures={"cues": len(cues)}),
    )


def _within(chapters: Iterable[Chapter], zero: Fraction, owed_s: float | None) -> Iterator[Cue]:
    """Those that last at least a thousandth of a second in the film, in its times."""
    for number, chapter in enumerate(chapters, start=1):
        start, end = (Fraction(str(time)) - zero for time in (chapter.start_s, chapter.end_s))
        start, end = max(Fraction(0), start), end if owed_s is None else min(end, Fraction(str(owed_s)))
        if round(end * 1000) > round(start * 1000):
            yield Cue(start, end, chapter.title.strip() or f"Chapter {number}")
