"""`smmu media` against a real server: look at what was made, and bring it here."""

import hashlib
import json
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import Files
from tests.support.served import Server, smmu

pytestmark = pytest.mark.served


@pytest.fixture(scope="module")
def clip_id(server: Server, files: Files) -> str:
    """The media of a clip, ready."""
    assert smmu("upload", files.clip, "--watch", *server.options("fay")).status == 0
    [line] = smmu("media", "list", *server.options("fay")).out.splitlines()
    return line.split()[0]


def test_media_are_listed(server: Server, clip_id: str) -> None:
    [line] = smmu("media", "list", "--state", "ready", *server.options("fay")).out.splitlines()
    assert line.split() == [clip_id, "ready", "video/mp4", "clip.mp4"]
    assert smmu("media", "list", "--state", "failed", *server.options("fay")).out == ""
    listed = json.loads(smmu("media", "list", "--json", *server.options("fay")).out)
    assert [known["media_id"] for known in listed["media"]] == [clip_id]
    assert smmu("media", "list", *server.options("eve")).out == ""
    assert smmu("media", "search", line.split()[-1][:4], *server.options("fay")).out.splitlines() == [line]
    assert smmu("media", "search", line.split()[-1][:4], *server.options("eve")).out == ""


def test_a_media_is_shown_with_its_renditions(server: Server, clip_id: str) -> None:
    shown = json.loads(smmu("media", "show", clip_id, "--json", *server.options("fay")).out)
    first, *rest = smmu("media", "show", clip_id, *server.options("fay")).out.splitlines()
    assert first.split()[:2] == [clip_id, "ready"]
    assert [line.split()[0] for line in rest] == [made["name"] for made in shown["manifest"]["renditions"]]
    assert smmu("media", "show", clip_id, *server.options("eve")).complaint == "smmu: There is no such media."


def test_a_media_plays_at_addresses_that_need_no_token(server: Server, clip_id: str) -> None:
    done = smmu("media", "play", clip_id, *server.options("fay"))
    assert done.status == 0, done.err
    played = dict(line.split() for line in done.out.splitlines())
    shown = json.loads(smmu("media", "play", clip_id, "--json", *server.options("fay")).out)
    assert set(played) == {name for name in ("hls", "dash", "mp4") if shown[f"{name}_url"]}
    assert httpx.get(played["hls"]).text.startswith("#EXTM3U")
    assert httpx.get(played["mp4"], follow_redirects=True).content[4:8] == b"ftyp"
    assert smmu("media", "play", clip_id, *server.options("eve")).complaint == "smmu: There is no such media."


def test_everything_that_is_one_file_is_downloaded_and_the_rest_is_named(
    server: Server, clip_id: str, tmp_path: Path
) -> None:
    first, done = (
        smmu("media", "download", clip_id, "--out", tmp_path / "out", *server.options("fay")) for _ in range(2)
    )
    assert first.out == done.out
    assert done.status == 0, done.err
    shown = json.loads(smmu("media", "show", clip_id, "--json", *server.options("fay")).out)
    folder, made = tmp_path / "out" / clip_id, shown["manifest"]["renditions"]
    whole = [known for known in made if not known["role"].startswith(("hls", "dash"))]
    assert {known["name"] for known in whole} >= {"mp4", "poster"}
    *lines, last = done.out.splitlines()
    assert lines == [f"{known['name']}: {folder / known['path']}" for known in whole]
    assert last == f"manifest: {folder / 'manifest.json'}"
    verified = smmu("verify", folder)
    assert (verified.status, verified.out) == (0, f"{folder}: {len(whole)} renditions are as the manifest says\n")
    (folder / "manifest.json").unlink()
    there = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert {path: hashlib.sha256(data).hexdigest() for path, data in there.items()} == {
        known["path"]: known["sha256"] for known in whole
    }
    playlists = ", ".join(known["name"] for known in made if known not in whole)
    assert f"left out: {playlists} (HLS and DASH are many files" in done.err


def test_named_renditions_are_downloaded(server: Server, clip_id: str, tmp_path: Path) -> None:
    done = smmu("media", "download", clip_id, "poster", "--out", tmp_path, *server.options("fay"))
    assert done.status == 0, done.err
    assert sorted(path.suffix for path in tmp_path.rglob("*") if path.is_file()) == [".jpg", ".json"]
    (listed,) = json.loads((tmp_path / clip_id / "manifest.json").read_text(encoding="utf-8"))["renditions"]
    assert listed["name"] == "poster"
    assert "left out" not in done.err


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hls", "smmu: hls cannot be downloaded: HLS and DASH are many files"),
        ("nothing", "smmu: There is no rendition nothing"),
    ],
)
def test_what_cannot_be_downloaded_is_refused_before_anything_is(
    server: Server, clip_id: str, tmp_path: Path, name: str, words: str
) -> None:
    done = smmu("media", "download", clip_id, "poster", name, "--out", tmp_path / "out", *server.options("fay"))
    assert (done.status, done.out) == (1, "")
    assert done.complaint.startswith(words)
    assert not (tmp_path / "out").exists()


def test_a_media_that_has_nothing_yet_says_so(server: Server, files: Files, tmp_path: Path) -> None:
    assert smmu("upload", files.torn, "--watch", *server.options("gus")).status == 1
    [line] = smmu("media", "list", *server.options("gus")).out.splitlines()
    assert "torn.mp4  rejected_" in line  # and why, in words
    media_id = line.split()[0]
    done = smmu("media", "download", media_id, "--out", tmp_path, *server.options("gus"))
    assert (done.status, done.complaint) == (1, f"smmu: There is nothing to download: {media_id} is rejected.")


def test_renditions_are_made_again_or_added_and_the_others_stay(server: Server, clip_id: str) -> None:
    def made() -> dict[str, str]:
        shown = json.loads(smmu("media", "show", clip_id, "--json", *server.options("fay")).out)
        return {known["name"]: known["path"] for known in shown["manifest"]["renditions"]}

    before = made()
    done = smmu("media", "redo", clip_id, "poster", "--watch", *server.options("fay"))
    assert done.status == 0, done.err
    [job_id] = done.out.splitlines()
    after = made()
    assert list(after) == list(before)
    assert [name for name, path in after.items() if path.startswith(job_id)] == ["poster"]
    unknown = smmu("media", "redo", clip_id, "8640p", *server.options("fay"))
    assert (unknown.status, unknown.out) == (1, "")
    assert unknown.complaint.startswith("smmu: 8640p cannot be made (of this file there can be ")
    nothing = smmu("media", "add", clip_id, "--preset", "web", *server.options("fay"))
    assert (nothing.status, nothing.out) == (1, "")
    assert nothing.complaint == "smmu: There is nothing to add: all that these options make of this file is there."
    unmarked = smmu("media", "add", clip_id, "--no-watermark", *server.options("fay"))
    assert (unmarked.status, unmarked.complaint) == (1, nothing.complaint)
    settled = smmu("media", "add", clip_id, "--mute", *server.options("fay"))
    assert (settled.status, settled.out) == (1, "")
    assert settled.complaint.startswith("smmu: mute is settled with the upload: what can be added later is preset, ")
    begun = smmu("media", "add", clip_id, "mp4", *server.options("fay"))
    assert begun.status == 0, begun.err
    assert begun.complaint == f"smmu jobs watch {begun.out.strip()} --url {server.url} says when it is done"
    assert smmu("jobs", "watch", begun.out.strip(), *server.options("fay")).status == 0
    assert {name for name, path in made().items() if path.startswith(job_id)} == {"poster"}
    played = json.loads(smmu("media", "play", clip_id, "--json", *server.options("fay")).out)
    assert httpx.get(played["mp4_url"], follow_redirects=True).content[4:8] == b"ftyp"
    assert begun.out.strip() in played["hls_url"]
    assert httpx.get(played["hls_url"]).text.startswith("#EXTM3U")
