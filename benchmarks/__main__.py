"""Runs benchmarks and prints their figures beside what was promised. A whole run also writes docs/benchmarks.md."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks import (
    chunks,
    copying,
    ladder,
    pairs,
    photo,
    pickup,
    pictures,
    signing,
    sound,
    suites,
    throughput,
    validation,
)
from benchmarks.figures import Figure, table, write

Measure = Callable[..., list[Figure]]

BENCHMARKS: Mapping[str, Measure] = {
    "pairs": pairs.measure,
    "throughput": throughput.measure,
    "pickup": pickup.measure,
    "photo": photo.measure,
    "validation": validation.measure,
    "signing": signing.measure,
    "pictures": pictures.measure,
    "sound": sound.measure,
    "ladder": ladder.measure,
    "copying": copying.measure,
    "chunks": chunks.measure,
    "suites": suites.measure,
}


def main() -> int:
    """Run what the command line names; 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"of {', '.join(BENCHMARKS)}; all, if none is named")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: whether it works, not how fast it is")
    given = parser.parse_args()
    unknown = set(given.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"there is no benchmark called {', '.join(sorted(unknown))}")
    figures = [figure for name in given.names or BENCHMARKS for figure in run(name, quick=given.quick)]
    if not given.names and not given.quick:
        write(table(figures, "python -m benchmarks"))
    return 1 if any(figure.met is False for figure in figures) else 0


def run(name: str, *, quick: bool) -> list[Figure]:
    """Run one benchmark in a folder of its own, which is cleared away, and print its figures."""
    with tempfile.TemporaryDirectory(prefix="smmu-bench-") as folder:
        figures = BENCHMARKS[name](Path(folder), quick=quick)
    for figure in figures:
        print(figure.row(), flush=True)
    return figures


if __name__ == "__main__":
    sys.exit(main())
