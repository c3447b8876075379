"""`make fuzz-media`: mutants of every accepted video of the open corpus, through the real engine, for as long as wished.

Each line is a file, a seed and how it ended, appended to `fuzz-media/outcomes.tsv` as it is known: what is in there is not tried
again, so a run that was broken off is gone on with. A mutant that did not end cleanly is kept beside it and named, and
the command then fails. SEED is the first seed, ROUNDS how many each file gets.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import anyio

from tests.support.corpus import find_corpus
from tests.support.media import clip
from tests.support.mutants import is_accepted_video, mutant
from tests.support.ordeal import Outcome, undergo
from tests.support.source import PROJECT

FOLDER = PROJECT / "fuzz-media"
LEDGER = FOLDER / "outcomes.tsv"


def originals(folder: Path) -> dict[str, Path]:
    """Every accepted video of the corpus by name; where that is not present, clips of our own."""
    corpus = find_corpus()
    if corpus is None:
        sys.stderr.write("The corpus is not present: clips of our own are changed instead.\n")
        names = ("made.mp4", "made.mkv", "made.ts", "made.flv")
        return {name: clip(folder / name) for name in names}
    return {file.name: file.path for file in corpus.files if is_accepted_video(file)}


def done() -> set[tuple[str, str]]:
    """What the ledger has already: file and seed."""
    if not LEDGER.exists():
        return set()
    rows = (line.split("\t") for line in LEDGER.read_text(encoding="utf-8").splitlines())
    return {(row[0], row[1]) for row in rows if len(row) > 1}


def to_do(names: list[str], first: int, rounds: int) -> Iterator[tuple[str, str]]:
    """Round by round, so that every file has had its turn early."""
    known = done()
    wanted = ((name, str(seed)) for seed in range(first, first + rounds) for name in names)
    return (case for case in wanted if case not in known)


async def fuzz(first: int, rounds: int) -> int:
    """How many mutants did not end cleanly."""
    FOLDER.mkdir(exist_ok=True)
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = originals(folder)
        for file, seed in to_do(sorted(files), first, rounds):
            path = folder / "mutant"
            path.write_bytes(mutant(files[file].read_bytes(), f"{file} {seed}"))
            outcome = await undergo(path, folder / "scratch")
            note(file, seed, outcome)
            if outcome.unclean:
                failed += 1
                path.rename(FOLDER / f"{Path(file).name}.{seed}")
    return failed


def note(file: str, seed: str, outcome: Outcome) -> None:
    words = [file, seed, outcome.code or "accepted", str(outcome.renditions), " / ".join(outcome.unclean)]
    line = "\t".join(" ".join(word.split()) for word in words)
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
    with LEDGER.open("a", encoding="utf-8") as ledger:
        ledger.write(line + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description="Change a byte in each KiB of every video, and see what comes of it.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=10)
    wished = parser.parse_args()
    failed = anyio.run(fuzz, wished.seed, wished.rounds)
    if failed:
        sys.exit(f"{failed} did not end cleanly: they are in {FOLDER.name}/, named by file and seed")


if __name__ == "__main__":
    main()
