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
from statistics import fmean, median

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
    sure: list[float]
    flags: int
    seconds: float

    @property
    def wrong(self) -> int:
        """Words to change, add or take away to come from one to the other."""
        return edits(self.truth, self.heard)[-1][-1]

    @property
    def right(self) -> list[bool]:
        """Of each word that was heard, whether it stands in the truth where it should."""
        table, found = edits(self.truth, self.heard), [False] * len(self.heard)
        row, at = len(self.truth), len(self.heard)
        while row and at:
            same = self.truth[row - 1] == self.heard[at - 1]
            if table[row][at] == table[row - 1][at - 1] + (not same):
                row, at = row - 1, at - 1
                found[at] = same
            elif table[row][at] == table[row - 1][at] + 1:
                row -= 1
            else:
                at -= 1
        return found


def edits(truth: list[str], heard: list[str]) -> list[list[int]]:
    """Edits between every two beginnings (Levenshtein): those of the whole are last."""
    table = [[*range(len(heard) + 1)]]
    for number, word in enumerate(truth, start=1):
        row, above = [number], table[-1]
        for at, other in enumerate(heard):
            row.append(min(above[at + 1] + 1, row[at] + 1, above[at] + (word != other)))
        table.append(row)
    return table


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
    heard = [(text, word["confidence"]) for word in document["words"] for text in words(word["text"])]
    return Result(
        clip=clip,
        truth=words(clip.expected["known_words"]),
        heard=[text for text, _ in heard],
        sure=[confidence for _, confidence in heard],
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
        mean = f"{fmean(one.sure):.2f}" if one.sure else "none"
        figures = f"{len(one.truth)} | {one.wrong} | {mean} | {one.flags} | {one.seconds:.1f}"
        print(f"| {one.clip.path.name.partition('__')[2]} | {figures} | {heard} |")
    total, wrong = sum(len(one.truth) for one in results), sum(one.wrong for one in results)
    print(f"| all | {total} | {wrong} ({wrong / total:.0%}) | | | | |")
    print(honesty(results))


def honesty(results: list[Result]) -> str:
    """How sure the engine was of what it heard right, and of what it did not."""
    told = [pair for one in results for pair in zip(one.sure, one.right, strict=True)]
    kinds = {kind: [sure for sure, right in told if right is kind] for kind in (True, False)}
    if not all(kinds.values()):
        return "nothing to compare: all words are right, or none"
    middle = median(sure for sure, _ in told)
    low = sum(sure < middle for sure in kinds[False])
    return (
        f"confidence of right words: median {median(kinds[True]):.2f}; of wrong ones: {median(kinds[False]):.2f}; "
        f"{low} of {len(kinds[False])} wrong words are in the lower half"
    )


if __name__ == "__main__":
    anyio.run(main, sys.argv[1] if len(sys.argv) > 1 else "pocketsphinx")
