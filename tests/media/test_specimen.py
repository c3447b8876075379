"""The demonstration's own film."""

from pathlib import Path

from smmu.adapters.media.specimen import make_film


def test_the_same_film_has_the_same_bytes(tmp_path: Path) -> None:
    """So that a second demonstration may replace what the first one left."""
    for name in ("one.mp4", "two.mp4"):
        make_film(tmp_path / name, seconds=1, width=320, height=180)
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()
