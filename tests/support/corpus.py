"""The open corpus: real media files with expected values, beside the project at `../shared/corpus`.

It is not part of the project. Tests that need it carry the mark `corpus`, and where it is absent tests/conftest.py
leaves them out and says how many they were. Nothing here skips.
"""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import pytest

PROJECT = Path(__file__).resolve().parents[2]
BESIDE = PROJECT.parent / "shared" / "corpus"

Test = TypeVar("Test", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusFile:
    """One row of MANIFEST.csv. A cell that is empty in the manifest is absent from `expected`."""

    path: Path
    name: str
    group: str
    expected: Mapping[str, str]

    def number(self, column: str) -> float | None:
        cell = self.expected.get(column)
        return None if cell is None else float(cell)

    def flag(self, column: str) -> bool | None:
        cell = self.expected.get(column)
        return None if cell is None else {"yes": True, "no": False}[cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Every file of the corpus, in the manifest's order."""

    files: tuple[CorpusFile, ...]

    def of(self, *groups: str) -> tuple[CorpusFile, ...]:
        return tuple(file for file in self.files if file.group in groups)

    def named(self, name: str) -> CorpusFile:
        return next(file for file in self.files if file.name == name)


def read_corpus(folder: Path) -> Corpus | None:
    """The corpus in that folder, or None when there is no manifest."""
    manifest = folder / "MANIFEST.csv"
    if not manifest.is_file():
        return None
    with manifest.open(newline="", encoding="utf-8") as lines:
        return Corpus(files=tuple(_file(folder, row) for row in csv.DictReader(lines)))


@cache
def find_corpus() -> Corpus | None:
    return read_corpus(BESIDE)


def each_corpus_file(*groups: str, where: Callable[[CorpusFile], bool] = lambda _: True) -> Callable[[Test], Test]:
    """Run a test once for every file of these groups (all, when none is named) as its argument `corpus_file`."""

    def decorate(test: Test) -> Test:
        cases = _cases(find_corpus(), groups, where)
        marked: Test = pytest.mark.corpus(pytest.mark.parametrize("corpus_file", cases)(test))
        return marked

    return decorate


def _cases(corpus: Corpus | None, groups: tuple[str, ...], where: Callable[[CorpusFile], bool]) -> list[Any]:
    if corpus is None:
        return [pytest.param(None, id="corpus-not-present")]
    chosen = [file for file in (corpus.of(*groups) if groups else corpus.files) if where(file)]
    assert chosen, f"no file of the corpus is meant by {groups}: the test would say nothing"
    return [pytest.param(file, id=file.name) for file in chosen]


def _file(folder: Path, row: Mapping[str, str]) -> CorpusFile:
    expected = {column: cell for column, cell in row.items() if cell != ""}
    return CorpusFile(path=folder / row["path"], name=row["path"], group=row["group"], expected=expected)
