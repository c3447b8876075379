"""`smmu process`: files in, folders out, no server."""

import hashlib
import json
import signal
import subprocess
from pathlib import Path

import pytest

from smmu.entrypoints.exporting import paths_in
from tests.e2e.conftest import Files
from tests.support.clips import FAST, make
from tests.support.media import clip, song
from tests.support.media import photo as a_photo
from tests.support.served import SMMU, environment, pause, smmu

pytestmark = pytest.mark.served


def test_each_file_gets_a_folder_with_everything_that_its_manifest_lists(files: Files, tmp_path: Path) -> None:
    done = smmu("process", files.photo, files.song, files.clip, "--out", tmp_path / "out")
    assert done.status == 0, done.err
    assert len(done.out.splitlines()) == 3
    for name in ("photo", "song", "clip"):
        folder = tmp_path / "out" / name
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        assert manifest["schema"] == "smmu.manifest/1"
        listed = set(paths_in(manifest))
        assert listed
        there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        assert there == listed | {"manifest.json"}
        for rendition in manifest["renditions"]:
            assert _sha256(folder / rendition["path"]) == rendition["sha256"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["clip", "photo", "song"]


def test_what_is_wished_is_what_is_made(files: Files, tmp_path: Path) -> None:
    done = smmu(
        "process", files.clip, "--out", tmp_path / "out", "--clip", ":0.5", "--mute", "--preset", "preview-only"
    )
    assert done.status == 0, done.err
    manifest = json.loads((tmp_path / "out" / "clip" / "manifest.json").read_text(encoding="utf-8"))
    told = {(one["subject"], one["choice"]) for one in manifest["plan"]["decisions"]}
    assert {("clip", "from 0 s until 0.5 s"), ("mute", "no sound")} <= told
    assert {one["name"] for one in manifest["renditions"]} == {"48p", "hls", "dash", "mp4", "poster"}


def test_a_picture_is_laid_over_every_film_and_leaves_nothing_else_behind(files: Files, tmp_path: Path) -> None:
    other = tmp_path / "other.mp4"
    other.write_bytes(files.clip.read_bytes())
    place = ("--watermark-position", "top-left", "--watermark-size", "0.5", "--watermark-opacity", "0.9")
    done = smmu("process", files.clip, other, "--out", tmp_path / "out", "--watermark", files.photo, *place)
    assert done.status == 0, done.err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["clip", "other"]
    for name in ("clip", "other"):
        manifest = json.loads((tmp_path / "out" / name / "manifest.json").read_text(encoding="utf-8"))
        told = {(one["subject"], one["choice"]) for one in manifest["plan"]["decisions"]}
        assert ("watermark", "top-left, 50% of the short side") in told
        seen = {one["name"]: one["proof"]["measures"].get("watermark_seen") for one in manifest["renditions"]}
        assert {seen["poster"], seen["48p"]}.isdisjoint({None})
    assert smmu("verify", tmp_path / "out" / "clip").status == 0


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.png", "There is no such file."),
        ("text.mp4", "This is a text file"),
        ("song.wav", "This is a WAV audio file, and no picture: name one that is."),
        ("clip.mp4", "This is an MP4 video, and no picture: name one that is."),
    ],
)
def test_what_cannot_be_laid_over_is_said_before_any_film_is_made(
    files: Files, tmp_path: Path, name: str, words: str
) -> None:
    bad = files.text.with_name(name)
    done = smmu("process", files.clip, "--out", tmp_path / "out", "--watermark", bad)
    assert (done.status, done.out) == (1, "")
    assert done.complaint.startswith(f"smmu: --watermark {bad}: {words}")
    assert "inspect" not in done.err  # nothing of it was looked into
    assert list((tmp_path / "out").iterdir()) == []


def test_a_clip_that_lacks_what_it_is_made_of_says_so(tmp_path: Path) -> None:
    sound = ["-f", "lavfi", "-i", "sine=r=48000:d=0.5"]
    film = make(tmp_path / "film.mp4", "-f", "lavfi", "-i", "testsrc2=s=64x48:r=10:d=4", *sound, *FAST, "-c:a", "aac")
    done = smmu("process", film, "--out", tmp_path / "out", "--clip", "2:", "--json")
    [result] = json.loads(done.out)["results"]
    assert (done.status, result["code"]) == (1, "invalid_options")
    assert result["message"] == "Track 1 has no sound in the clip: ask for it muted."


HOOKS = """
import smmu

def judge(question):
    if "bad" in question.filename:
        raise KeyError("a bug")
    return smmu.Verdict(accepted=True)

def look(jpeg):
    raise ValueError("no model")
"""


def test_a_hook_that_fails_is_named_with_what_it_raised(files: Files, tmp_path: Path) -> None:
    (tmp_path / "hooks_of_ours.py").write_text(HOOKS, encoding="utf-8")
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(files.photo.read_bytes())
    photo = tmp_path / "large.jpg"
    photo.write_bytes(a_photo(tmp_path / "p.jpg", size=(160, 120)).read_bytes())
    done = smmu(
        *("process", bad, photo, "--out", tmp_path / "out", "--json"),
        PYTHONPATH=str(tmp_path),
        SMMU_POLICY__HOOK="hooks_of_ours:judge",
        SMMU_CLASSIFIER__ENGINE="hooks_of_ours:look",
    )
    assert done.status == 3, done.err
    rules = tmp_path / "hooks_of_ours.py"
    said = f"The policy hooks_of_ours:judge failed: KeyError('a bug'), {rules}:6."
    seen = f"The classifier hooks_of_ours:look failed: ValueError('no model'), {rules}:10."
    assert f"smmu: {bad}: {said}\n" in done.err
    assert f"{photo}: {seen}\n" in done.err
    failed, made = json.loads(done.out)["results"]
    assert (failed["ok"], failed["message"]) == (False, said)
    assert (made["ok"], made["warnings"]) == (True, [seen])


def test_an_engine_that_was_chosen_and_is_not_there_is_told_of(files: Files, tmp_path: Path) -> None:
    models = str(tmp_path / "none")
    done = smmu(
        *("process", files.song, "--out", tmp_path / "out"),
        SMMU_SPEECH__ENGINE="faster-whisper",
        SMMU_SPEECH__MODELS=models,
    )
    assert done.status == 0
    assert done.complaint.startswith(f"{files.song}: speech: engine missing (")


def test_it_goes_on_past_bad_files_and_says_so_at_the_end(files: Files, tmp_path: Path) -> None:
    empty = tmp_path / "empty.png"
    empty.touch()
    bad = (files.text, tmp_path / "missing.mp4", tmp_path, empty, files.torn)
    done = smmu("process", *bad, files.song, "--out", tmp_path / "out", "--json")
    assert done.status == 1
    results = json.loads(done.out)["results"]
    assert [result["ok"] for result in results] == [False, False, False, False, False, True]
    codes = [result.get("code") for result in results[:4]]
    assert codes == ["type_not_admitted", "not_found", "invalid_request", "file_empty"]
    assert results[4]["code"].startswith("rejected_")
    assert done.complaint.startswith("smmu: 5 of 6 files could not be processed: ")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["song"]


def test_files_of_one_name_do_not_share_a_folder(files: Files, tmp_path: Path) -> None:
    other = tmp_path / "song.flac"
    other.write_bytes(files.song.read_bytes())
    done = smmu("process", files.song, other, "--out", tmp_path / "out")
    assert done.status == 0, done.err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["song", "song-2"]


def test_an_earlier_result_is_replaced_and_anything_else_is_not(files: Files, tmp_path: Path) -> None:
    precious = tmp_path / "photo" / "precious.txt"
    precious.parent.mkdir()
    precious.touch()
    for _ in range(2):
        done = smmu("process", files.song, files.photo, "--out", tmp_path)
        assert done.status == 1
        assert done.out.startswith(f"{files.song}: ")
        assert f"{tmp_path / 'photo'} is there already and was not made by smmu" in done.err
    assert precious.exists()


def test_the_result_of_another_file_of_that_name_is_not_replaced(files: Files, tmp_path: Path) -> None:
    out, other = tmp_path / "out", tmp_path / "song.wav"
    other.write_bytes(song(tmp_path / "longer.wav", seconds=0.7).read_bytes())
    assert smmu("process", files.song, "--out", out).status == 0
    before = (out / "song" / "manifest.json").read_bytes()
    refused = smmu("process", other, files.photo, "--out", out)
    assert refused.status == 1
    sentence = f"{out / 'song'} has what was made of another file, song.wav: choose another --out, or move it away."
    assert f"smmu: {other}: {sentence}\n" in refused.err
    assert (out / "song" / "manifest.json").read_bytes() == before
    assert sorted(path.name for path in out.iterdir()) == ["photo", "song"]
    again = smmu("process", files.song, "--out", out)
    assert again.status == 0, again.err
    assert (out / "song" / "manifest.json").read_bytes() != before  # another job's


def test_a_folder_that_cannot_be_written_is_the_worlds_fault(files: Files, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = smmu("process", files.song, "--out", tmp_path / "file" / "out")
    assert (done.status, done.err) == (3, f"smmu: {tmp_path / 'file' / 'out'}: Not a directory.\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_nothing_half_written(tmp_path: Path, number: signal.Signals) -> None:
    film = clip(tmp_path / "film.mp4", seconds=20.0, size=(640, 360), options={"preset": "ultrafast"})
    out = tmp_path / "out"
    command = [*SMMU, "process", str(film), "--out", str(out)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment(), text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "video" in line:
                break
        pause(0.3)
        process.send_signal(number)
        rest = process.stderr.read()
        assert process.wait(30) == 128 + number
    assert rest.strip().splitlines()[-1].startswith("smmu: interrupted")
    assert list(out.iterdir()) == []


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
