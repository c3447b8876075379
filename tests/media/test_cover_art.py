"""What a sound carries beside its sound: its picture, made as pictures by a child of its own, and what it says of itself.

No sound is worse for a bad picture, and nothing made of it tells what it told.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from smmu.adapters.media.engine import PyavEngine
from smmu.adapters.media.sound_tags import sound_tags
from smmu.domain.facts import Kind, MediaFacts
from smmu.domain.manifest import Rendition
from smmu.domain.options import Options
from smmu.domain.plan import Role
from smmu.domain.planner import plan
from smmu.domain.tags import Tags, cleaned
from tests.support import clips
from tests.support.clips import make
from tests.support.media import LIMITS, FileSource, Fractions, MemorySink

pytestmark = pytest.mark.media

TONE = ("-f", "lavfi", "-i", "sine=f=440:r=44100:d=1")
TAGS = {"title": "Ein Lied", "artist": "Ada", "album": "Platte", "album_artist": "Alle", "composer": "Bach",
        "genre": "Rock", "date": "1999-05-06", "track": "3/12", "disc": "1/2", "comment": "gut"}  # fmt: skip
KNOWN = Tags(title="Ein Lied", artist="Ada", album="Platte", album_artist="Alle", composer="Bach", genre="Rock",
             released="1999-05-06", track=3, disc=1, description="gut")  # fmt: skip


def with_cover(target: Path) -> Path:
    """A song that carries a picture; MP4 has an atom for it, MP3 a frame, FLAC a block."""
    cover = make(target.parent / "cover.jpg", "-f", "lavfi", "-i", "testsrc2=s=700x600", "-frames:v", "1")
    return make(target, *TONE, "-i", str(cover), "-map", "0", "-map", "1", "-c:v", "copy", "-disposition:v",
                "attached_pic")  # fmt: skip


async def made_of(source: Path, folder: Path) -> tuple[MediaFacts, list[Rendition], MemorySink]:
    engine, sink, seen = PyavEngine(LIMITS, str(folder / "scratch")), MemorySink(), Fractions()
    facts = await engine.inspect(FileSource(source))
    (task,) = plan(facts, Options(), LIMITS).stages[0].tasks
    made = await engine.render(FileSource(source), task, sink, seen)
    assert seen.seen == sorted(seen.seen)
    assert [check for one in made for check in one.proof.failures] == []
    assert list((folder / "scratch").iterdir()) == []
    return facts, list(made), sink


@pytest.mark.parametrize("name", ["s.mp3", "s.m4a", "s.flac"])
async def test_the_cover_of_a_song_is_made_in_widths_that_it_has(tmp_path: Path, name: str) -> None:
    facts, made, sink = await made_of(with_cover(tmp_path / name), tmp_path)
    assert (facts.kind, facts.has_cover_art) == (Kind.AUDIO, True)
    assert facts.cover is not None
    assert (facts.cover.width, facts.cover.height) == (700, 600)
    assert facts.cover.look is not None
    covers = [one for one in made if one.role == Role.COVER]
    assert [(one.name, one.width, one.height) for one in covers] == [
        ("cover-320-webp", 320, 274), ("cover-320-jpeg", 320, 274),
        ("cover-640-webp", 640, 549), ("cover-640-jpeg", 640, 549),
    ]  # fmt: skip
    for one in covers:
        target = tmp_path / Path(one.path).name
        target.write_bytes(sink.files[one.path])
        shown = clips.stream(target, "v")
        assert (shown["width"], shown["height"]) == (one.width, one.height)


async def test_a_cover_is_made_alone_where_nothing_else_is_asked_for(tmp_path: Path) -> None:
    source, engine, sink = with_cover(tmp_path / "s.mp3"), PyavEngine(LIMITS, str(tmp_path / "scratch")), MemorySink()
    (task,) = plan(await engine.inspect(FileSource(source)), Options(), LIMITS).stages[0].tasks
    covers = tuple(spec for spec in task.renditions if spec.role is Role.COVER)
    made = await engine.render(FileSource(source), replace(task, renditions=covers[:1]), sink, Fractions())
    assert [one.name for one in made] == ["cover-320-webp"]
    assert list(sink.files) == ["images/cover-320-webp.webp"]


async def test_what_is_no_picture_is_left_out_and_the_song_is_made(tmp_path: Path) -> None:
    source = with_cover(tmp_path / "s.mp3")
    data = bytearray(source.read_bytes())
    start = data.index(b"\xff\xd8\xff")
    data[start + 2 : start + 4_000] = bytes(3_998)
    source.write_bytes(data)
    facts, made, _ = await made_of(source, tmp_path)
    assert facts.has_cover_art
    assert facts.cover is None
    assert any(warning.startswith("Its cover art is left out: ") for warning in facts.warnings)
    assert not any(one.role == Role.COVER for one in made)
    assert {"audio", "hls", "waveform"} <= {one.name for one in made}


@pytest.mark.parametrize("name", ["s.mp3", "s.m4a", "s.flac", "s.ogg"])
def test_a_song_tells_what_it_is_and_nothing_made_of_it_does(tmp_path: Path, name: str) -> None:
    told = [word for key, value in TAGS.items() for word in ("-metadata", f"{key}={value}")]
    source = make(tmp_path / name, *TONE, *told, *(["-c:a", "libopus"] if name.endswith("ogg") else []))
    found = clips.inspect(source, tmp_path / "i").tags
    assert found is not None
    assert cleaned(found) == KNOWN
    made = clips.render(source, tmp_path / "o", audio_formats=("aac", "opus", "mp3"), read_metadata=True)
    for file in (file for one in made.renditions.values() for file in one.files):
        assert b"Ein Lied" not in (tmp_path / "o" / file.path).read_bytes(), file.path
    for rendition in ("audio", "audio-opus", "audio-mp3"):
        said = json.dumps(clips.probe(made.path(rendition), "-show_format", "-show_streams"))
        assert not any(value in said for value in ("Ein Lied", "Platte", "Bach"))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"TITLE": "a\x00b\u202e", "TRACKNUMBER": "07", "YEAR": "2001"}, Tags(title="a b", track=7, released="2001")),
        ({"track": "A1", "date": "99", "disc": "0"}, None),
        ({"date": "2020-05-01T00:00:00Z", "track": "100000"}, Tags(released="2020-05-01")),
        ({"date": "2020-19"}, None),
        ({"genre": "x" * 5_000}, Tags(genre="x" * 200)),
        ({"encoder": "Lavf", "handler_name": "x"}, None),
        ({}, None),
    ],
)
def test_what_a_stranger_wrote_is_cleaned_and_bounded(said: dict[str, str], expected: Tags | None) -> None:
    found = sound_tags([said])
    assert (cleaned(found) if found else None) == expected
