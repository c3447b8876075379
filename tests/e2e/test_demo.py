"""`make demo`, as a user without any file of their own sees it, and with a file that is refused."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from smmu.domain.manifest import SCHEMA
from smmu.entrypoints.demo import place_for
from tests.e2e.conftest import Files
from tests.support.media import photo
from tests.support.served import environment

pytestmark = pytest.mark.served
DEMO = (sys.executable, "-m", "smmu.entrypoints.demo")


def demo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*DEMO, *arguments], cwd=folder, check=False, capture_output=True, text=True, timeout=100, env=environment()
    )


def test_a_film_of_its_own_becomes_renditions_on_disk(tmp_path: Path) -> None:
    done = demo(tmp_path)
    assert done.returncode == 0, done.stderr
    for word in ("720p", "240p", "poster", "waveform", "hold"):
        assert word in done.stdout
    made = tmp_path / "demo-data"
    assert sorted(path.name for path in made.iterdir()) == ["film"]
    manifest = json.loads((made / "film" / "manifest.json").read_text(encoding="utf-8"))
    for rendition in manifest["renditions"]:
        assert rendition["path"] in done.stdout
        assert (made / "film" / rendition["path"]).stat().st_size == rendition["size"]


def test_a_file_of_the_users_is_shown_too(tmp_path: Path, files: Files) -> None:
    done = demo(tmp_path, str(files.photo))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "demo-data" / "photo").is_dir()


def test_a_second_file_of_the_same_name_has_a_place_of_its_own(tmp_path: Path) -> None:
    file, other = tmp_path / "clip.mp4", tmp_path / "clip.mov"
    file.write_bytes(b"one")
    other.write_bytes(b"other")
    assert place_for(file, tmp_path) == tmp_path / "clip"
    manifest = {
        "schema": SCHEMA,
        "source": {"filename": "clip.mp4", "sha256": hashlib.sha256(b"one").hexdigest()},
        "renditions": [],
    }
    for name in ("clip", "clip-2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert place_for(file, tmp_path) == tmp_path / "clip"
    assert place_for(other, tmp_path) == tmp_path / "clip-3"


def test_where_nobody_looks_the_table_is_whole(tmp_path: Path) -> None:
    done = demo(tmp_path, str(photo(tmp_path / "photo.jpg", size=(1300, 860))))
    manifest = json.loads((tmp_path / "demo-data" / "photo" / "manifest.json").read_text(encoding="utf-8"))
    rows = [line.strip("│").split("│") for line in done.stdout.splitlines() if line.startswith("│")]
    assert len(rows) == len(manifest["renditions"]) > 0
    for row, made in zip(rows, manifest["renditions"], strict=True):
        name, picture, _, _, proof, path = (cell.strip() for cell in row)
        assert (name, picture, path) == (made["name"], f"{made['width']} × {made['height']}", made["path"])
        assert proof.endswith(" hold")
    assert "…" not in done.stdout


@pytest.mark.parametrize(
    ("which", "sentence"),
    [("text", "This is a text file, which is not accepted"), ("missing", "There is no such file.")],
)
def test_a_file_that_is_refused_is_refused_in_one_clear_line(
    tmp_path: Path, files: Files, which: str, sentence: str
) -> None:
    done = demo(tmp_path, str(files.text if which == "text" else tmp_path / "missing.mp4"))
    assert done.returncode == 1
    assert sentence in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr
