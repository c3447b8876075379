"""docs/hls.md names a test for each rule. They exist."""

import re
from pathlib import Path

from tests.support.source import PROJECT

PAGE = (PROJECT / "docs/hls.md").read_text(encoding="utf-8")
USUAL = "tests/media/test_packaging.py"


def test_every_test_that_the_page_names_is_there() -> None:
    named = re.findall(r"`(?:(tests/[\w/]+\.py)::)?(test_\w+)`", PAGE)
    assert len(named) > 30
    missing = [
        f"{file or USUAL}::{name}" for file, name in named if f"def {name}(" not in _text(PROJECT / (file or USUAL))
    ]
    assert missing == []


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
