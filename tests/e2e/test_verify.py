"""`smmu verify`: what was made is found to be as it was, and each way in which it is not gets its sentence."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import Files
from tests.support.media import clip
from tests.support.served import smmu

pytestmark = pytest.mark.served


@pytest.fixture(scope="module")
def made(files: Files, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film with two rungs, a photo and a song, processed once."""
    folder = tmp_path_factory.mktemp("verify")
    film = clip(folder / "film.mp4", seconds=3.2, size=(640, 360))
    done = smmu("process", film, files.photo, files.song, "--out", folder / "out")
    assert done.status == 0, done.err
    return folder / "out"


@pytest.fixture
def film(made: Path, tmp_path: Path) -> Path:
    """A copy of the film's folder, to be damaged."""
    for path in (made / "film").rglob("*"):
        if path.is_file():
            target = tmp_path / "film" / path.relative_to(made / "film")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return tmp_path / "film"


@pytest.mark.parametrize("name", ["film", "photo", "song"])
def test_what_was_just_made_is_as_it_should_be(made: Path, name: str) -> None:
    done = smmu("verify", made / name)
    assert (done.status, done.err) == (0, "")
    assert done.out.endswith("renditions are as the manifest says\n")


def relist(folder: Path, change: Callable[[dict], None]) -> None:
    """Change a manifest as somebody would who wants to hide what was done to its files."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_bytes())
    change({one["name"]: one for one in manifest["renditions"]})
    path.write_text(json.dumps(manifest))


def test_a_file_that_is_gone_or_changed_is_named(film: Path) -> None:
    (file,) = film.glob("*/mp4/video.mp4")
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    (poster,) = film.glob("*/poster.jpg")
    poster.unlink()
    done = smmu("verify", film)
    assert done.status == 1
    assert "smmu: mp4: video-" in done.err
    assert "video.mp4 is not the file that was made: its SHA-256 differs.\n" in done.err
    assert "poster.jpg is missing.\n" in done.err
    assert done.err.count("\n") == 3
    assert done.complaint == "smmu: 2 of 11 renditions are not what they should be"


def test_what_does_not_decode_is_seen_though_it_is_listed(film: Path) -> None:
    (segment,) = film.glob("*/hls/240p/seg-00001.m4s")
    data = bytearray(segment.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 400] = bytes(400)
    segment.write_bytes(data)

    def hide(renditions: dict) -> None:
        for file in renditions["240p"]["files"]:
            if file["path"].endswith("240p/seg-00001.m4s"):
                file["sha256"] = hashlib.sha256(data).hexdigest()

    relist(film, hide)
    done = smmu("verify", film)
    assert done.status == 1
    assert "smmu: 240p: " in done.err


def forged(folder: Path, name: str, file: str, change: tuple[str, str]) -> None:
    """A text of a rendition with a change that the manifest has been made to agree with."""
    (path,) = folder.glob(f"*/{file}")
    assert change[0] in path.read_text()
    path.write_text(path.read_text().replace(*change))
    size, sha256 = path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()

    def hide(renditions: dict) -> None:
        for listed in (renditions[name], *renditions[name].get("files", ())):
            if listed["path"].endswith(file):
                listed.update(size=size, sha256=sha256)

    relist(folder, hide)


def test_a_playlist_that_is_wrong_is_seen_though_it_is_listed(film: Path) -> None:
    forged(film, "dash", "hls/manifest.mpd", ('width="426"', 'width="428"'))
    forged(film, "240p", "hls/240p/playlist.m3u8", ("#EXTINF:3.2", "#EXTINF:2.9"))
    forged(film, "hls", "hls/master.m3u8", ("240p/playlist", "360p/playlist"))
    done = smmu("verify", film)
    assert (done.status, done.err.count("\n")) == (1, 4)
    assert "smmu: dash: it says that 240p is 428 × 240, and it is 426 × 240." in done.err
    assert "smmu: 240p: its playlist lasts 2.9" in done.err
    assert "smmu: hls: it does not offer 240p." in done.err


@pytest.mark.parametrize(
    ("name", "changes", "sentence"),
    [
        ("360p", {"width": 642}, "its pictures are 640 × 360 and not 642 × 360"),
        ("mp4", {"duration_s": 4.0}, "it lasts 3.2"),
        ("mp4", {"codecs": "av01.0.00M.08,mp4a.40.2"}, "it holds h264, aac and not av1, aac"),
        ("240p", {"proof": {"ok": True, "checks": [], "measures": {"frames": 3}}}, "80 pictures decode and not 3"),
        ("240p", {"proof": {"ok": False, "checks": [], "measures": {}}}, "its own proof does not hold"),
        ("poster", {"width": 1}, "it is 640 × 360 and not 1 × 360"),
    ],
)
def test_what_is_not_as_listed_is_told_in_one_sentence(
    film: Path, name: str, changes: dict[str, object], sentence: str
) -> None:
    relist(film, lambda renditions: renditions[name].update(changes))
    done = smmu("verify", film, "--json")
    assert done.status == 1
    told = {one["name"]: one["message"] for one in json.loads(done.out)["renditions"] if not one["ok"]}
    assert list(told) == [name]
    assert told[name].startswith(sentence)


def test_what_is_no_result_of_ours_is_refused(tmp_path: Path) -> None:
    missing = smmu("verify", tmp_path / "missing")
    assert (missing.status, missing.err) == (1, f"smmu: There is no folder {tmp_path / 'missing'}.\n")
    empty = smmu("verify", tmp_path)
    assert (empty.status, "has no manifest.json" in empty.err) == (1, True)
    for text in ("{", "[]", "{}", '{"schema": "smmu.manifest/1", "renditions": [{"path": 1}]}'):
        (tmp_path / "manifest.json").write_text(text)
        done = smmu("verify", tmp_path)
        assert (done.status, done.err.count("\n"), done.out) == (1, 1, ""), text
    assert smmu("verify").status == 2


def test_a_manifest_cannot_lead_out_of_its_folder(film: Path) -> None:
    (film.parent / "secret.jpg").write_bytes(b"secret")
    relist(film, lambda renditions: renditions["poster"].update({"path": "../secret.jpg"}))
    done = smmu("verify", film)
    assert (done.status, "is not a manifest" in done.err) == (1, True)
