"""Word errors of a speech engine over the speech clips of the open corpus, whose transcripts come from upstream.

`python -m benchmarks.speech [pocketsphinx | faster-whisper]`: the whole way, decoder and captions included. Clips whose
truth is in two voices at once, or only paraphrased, are left out: there is no one line to compare with.
"""

import json
import re
import sys
import tempfile
import time
from dataclasses import dataclass

import anyio

from smmu.adapters.media.engine import PyavEngine
from smmu.application.transcription import Transcription
from smmu.bootstrap.speech import Speech, local_recognizer
from smmu.domain.limits import Limits
from smmu.domain.options import Options
from smmu.domain.planner import plan
from smmu.ports.speech import SpeechRecognizer
from tests.support.corpus import CorpusFile, find_corpus
from tests.support.media import FileSource, Fractions, MemorySink


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one clip."""

    clip: CorpusFile
    truth: list[str]
    heard: list[str]
    confidence: float | None
    flags: int
    seconds: float

    @property
    def wrong(self) -> int:
        """Words to change, add or take away to come from one to the other."""
        return edits(self.truth, self.heard)


def edits(truth: list[str], heard: list[str]) -> int:
    row = list(range(len(heard) + 1))
    for number, word in enumerate(truth, start=1):
        before, row[0] = row[0], number
        for at, other in enumerate(heard, start=1):
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, before + (word != other))
    return row[-1]


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower())


def comparable() -> list[CorpusFile]:
    corpus = find_corpus()
    assert corpus is not None, "the open corpus is not present"
    return [clip for clip in corpus.of("speech") if not re.search(r"LEFT:|\.\.\.", clip.expected["known_words"])]


async def measure(clip: CorpusFile, recognizer: SpeechRecognizer, scratch: str) -> Result:
    engine, sink = PyavEngine(Limits(), scratch), MemorySink()
    made = plan(await engine.inspect(FileSource(clip.path)), Options(), Limits(), recognizer.demands)
    began = time.perf_counter()
    work = Transcription(engine=engine, recognizer=recognizer)
    await work.render(FileSource(clip.path), made.task("transcribe"), sink, Fractions())
    document = json.loads(sink.files["captions/transcript.json"])
    return Result(
        clip=clip,
        truth=words(clip.expected["known_words"]),
        heard=words(document["text"]),
        confidence=document["confidence"],
        flags=len(document["flags"]),
        seconds=time.perf_counter() - began,
    )


async def main(engine: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        recognizer = local_recognizer(Speech.model_validate({"engine": engine}), Limits(), scratch)
        reason = "this is no engine of this machine" if recognizer is None else await recognizer.unavailable()
        assert recognizer is not None, reason
        assert reason is None, reason
        results = [await measure(clip, recognizer, scratch) for clip in comparable()]
    print(f"| clip | words | wrong | {engine}'s confidence | flags | seconds | heard |\n|---|---|---|---|---|---|---|")
    for one in results:
        heard = " ".join(one.heard) or "nothing"
        figures = f"{len(one.truth)} | {one.wrong} | {one.confidence} | {one.flags} | {one.seconds:.1f}"
        print(f"| {one.clip.path.name.partition('__')[2]} | {figures} | {heard} |")
    total, wrong = sum(len(one.truth) for one in results), sum(one.wrong for one in results)
    print(f"| all | {total} | {wrong} ({wrong / total:.0%}) | | | | |")


if __name__ == "__main__":
    anyio.run(main, sys.argv[1] if len(sys.argv) > 1 else "pocketsphinx")
