"""What inspection measures of made media and of the corpus, through the engine and its child process."""

import shutil
import struct
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from benchmarks.film import film as large_film
from smmu.adapters.media.engine import PyavEngine
from smmu.domain.errors import Code, Refused
from smmu.domain.facts import Kind, MediaFacts
from smmu.domain.judgement import judge
from smmu.domain.limits import Limits
from smmu.domain.options import Options
from smmu.domain.plan import TaskKind
from smmu.domain.planner import plan
from tests.support.clips import make
from tests.support.corpus import CorpusFile, each_corpus_file
from tests.support.media import (
    LIMITS,
    MIB,
    FileSource,
    clip,
    gradient,
    song,
)

pytestmark = [pytest.mark.anyio, pytest.mark.media]


@pytest.fixture
def engine(tmp_path: Path) -> PyavEngine:
    return PyavEngine(LIMITS, str(tmp_path / "scratch"))


async def inspect(engine: PyavEngine, path: Path, *, distant: bool = False) -> MediaFacts:
    return await engine.inspect(FileSource(path, distant=distant))


async def refusal(engine: PyavEngine, path: Path) -> Refused:
    with pytest.raises(Refused) as caught:
        await engine.inspect(FileSource(path))
    return caught.value


# --- made media


@pytest.mark.parametrize("distant", [False, True])
async def test_a_clip_is_measured_alike_by_path_and_by_ranges(
    engine: PyavEngine, tmp_path: Path, *, distant: bool
) -> None:
    facts = await inspect(engine, clip(tmp_path / "clip.mp4"), distant=distant)
    assert (facts.kind, facts.content_type, facts.container) == (Kind.VIDEO, "video/mp4", "mp4")
    assert facts.duration_s == pytest.approx(1.0, abs=0.05)
    assert facts.duration_exact
    assert facts.video is not None
    assert (facts.video.codec, facts.video.display_size, facts.video.frames) == ("h264", (320, 180), 25)
    assert facts.video.frame_rate == 25
    assert not facts.video.variable_frame_rate
    assert [(track.codec, track.channels, track.sample_rate) for track in facts.audio] == [("aac", 1, 48_000)]
    assert facts.bytes_read > 0


@pytest.mark.parametrize("rotation", [90, 180, 270])
async def test_a_turned_clip_is_shown_upright(engine: PyavEngine, tmp_path: Path, rotation: int) -> None:
    facts = await inspect(engine, clip(tmp_path / "clip.mp4", rotation_cw=rotation, tone=False))
    assert facts.video is not None
    assert facts.video.rotation_cw == rotation
    assert facts.video.display_size == ((320, 180) if rotation == 180 else (180, 320))
    assert facts.audio == ()


@pytest.mark.parametrize(
    ("name", "content_type"),
    [("a.mov", "video/quicktime"), ("a.mkv", "video/x-matroska"), ("a.ts", "video/mp2t")],
)
async def test_the_content_names_the_type_and_the_name_does_not(
    engine: PyavEngine, tmp_path: Path, name: str, content_type: str
) -> None:
    odd = shutil.copy(clip(tmp_path / name, fps=Fraction(30_000, 1001)), tmp_path / "holiday.jpg")
    facts = await inspect(engine, Path(odd))
    assert facts.content_type == content_type
    assert facts.video is not None
    assert facts.video.frame_rate == Fraction(30_000, 1001)


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.mp4", "audio/mp4"),
        ("a.webm", "audio/webm"),
        ("a.ogg", "audio/ogg"),
        ("a.mkv", "audio/x-matroska"),
        ("a.wav", "audio/wav"),
        ("a.flac", "audio/flac"),
    ],
)
async def test_sound_alone_is_audio_whatever_its_container(
    engine: PyavEngine, tmp_path: Path, name: str, content_type: str
) -> None:
    facts = await inspect(engine, song(tmp_path / name))
    assert (facts.kind, facts.content_type, facts.video) == (Kind.AUDIO, content_type, None)
    assert facts.duration_s == pytest.approx(1.0, abs=0.05)


async def test_cover_art_does_not_make_a_song_a_video(engine: PyavEngine, tmp_path: Path) -> None:
    gradient(100, 100).save(tmp_path / "cover.jpg")
    cover = (tmp_path / "cover.jpg").read_bytes()
    facts = await inspect(engine, song(tmp_path / "song.mp3", cover=cover))
    assert (facts.kind, facts.content_type, facts.has_cover_art) == (Kind.AUDIO, "audio/mpeg", True)


async def test_a_fragmented_file_is_as_long_as_its_packets(engine: PyavEngine, tmp_path: Path) -> None:
    flags = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    facts = await inspect(engine, clip(tmp_path / "clip.mp4", container_options=flags))
    assert facts.duration_s == pytest.approx(1.0, abs=0.1)


async def test_a_huge_file_with_its_index_at_the_end_is_hardly_read(engine: PyavEngine, tmp_path: Path) -> None:
    whole = clip(tmp_path / "clip.mp4").read_bytes()
    at = whole.rindex(b"moov") - 4
    padding = 2 * 1024 * MIB
    with (tmp_path / "huge.mp4").open("wb") as file:  # the same samples, then 2 GiB that no sample uses
        file.write(whole[:at] + (1).to_bytes(4) + b"free" + padding.to_bytes(8))
        file.seek(at + padding)
        file.write(whole[at:])
    source = FileSource(tmp_path / "huge.mp4", distant=True)
    facts = await engine.inspect(source)
    assert facts.size_bytes > padding
    assert facts.duration_s == pytest.approx(1.0, abs=0.05)
    assert facts.duration_exact
    assert source.bytes_read < 8 * MIB


async def test_of_a_large_film_a_few_places_are_read(engine: PyavEngine, tmp_path: Path) -> None:
    large_film(tmp_path / "film.mp4", 512 * MIB, 150)  # 3.4 MiB a second, sound among the pictures
    source = FileSource(tmp_path / "film.mp4", distant=True)
    assert (await engine.inspect(source)).duration_exact
    assert source.bytes_read < 6 * MIB


async def test_a_file_without_its_end_is_refused(engine: PyavEngine, tmp_path: Path) -> None:
    whole = clip(tmp_path / "clip.mp4", container_options={"movflags": "faststart"}).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) * 2 // 3])
    assert (await refusal(engine, tmp_path / "cut.mp4")).code is Code.REJECTED_TRUNCATED


def zeroed(path: Path, share: float) -> Path:
    """The file with zeros for all bytes after this share of its samples."""
    data = bytearray(path.read_bytes())
    at = data.index(b"mdat") + 4
    start = at + int((len(data) - at) * share)
    data[start:] = bytes(len(data) - start)
    path.write_bytes(data)
    return path


FASTSTART = {"movflags": "faststart"}


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.8])
@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
@pytest.mark.parametrize("keyframes", ["12", "250"])
async def test_a_file_whose_tail_is_zeros_is_refused_as_cut_off(
    engine: PyavEngine, tmp_path: Path, share: float, codec: str, keyframes: str
) -> None:
    made = clip(tmp_path / "clip.mp4", seconds=6.0, codec=codec, options={"g": keyframes}, container_options=FASTSTART)
    await inspect(engine, made)
    error = await refusal(engine, zeroed(made, share))
    assert error.code in {Code.REJECTED_TRUNCATED} | ({Code.REJECTED_CORRUPT} if share < 0.1 else set())
    if error.code is Code.REJECTED_TRUNCATED:
        assert error.message.startswith("The file was cut off: nothing of its ")


async def test_a_song_whose_tail_is_zeros_is_refused_as_cut_off(engine: PyavEngine, tmp_path: Path) -> None:
    made = song(tmp_path / "song.mp4", seconds=10.0)
    remuxed = make(tmp_path / "fast.mp4", "-i", str(made), "-c", "copy", "-movflags", "+faststart")
    await inspect(engine, remuxed)
    assert (await refusal(engine, zeroed(remuxed, 0.5))).code is Code.REJECTED_TRUNCATED


async def test_silence_and_a_still_end_are_no_damage(engine: PyavEngine, tmp_path: Path) -> None:
    quiet = make(
        tmp_path / "quiet.mov",
        *("-f", "lavfi", "-i", "color=black:s=64x48:d=5", "-f", "lavfi", "-i", "anullsrc=d=5", "-t", "5"),
        *("-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "pcm_s16le", "-movflags", "+faststart"),
    )
    assert (await inspect(engine, quiet)).duration_s == pytest.approx(5.0, abs=0.1)


@pytest.mark.parametrize("share", [0.97, 0.995])
async def test_a_little_that_is_lost_at_the_end_is_left_to_the_render(
    engine: PyavEngine, tmp_path: Path, share: float
) -> None:
    made = clip(tmp_path / "clip.mp4", seconds=6.0, options={"g": "12"}, container_options=FASTSTART, tone=False)
    await inspect(engine, zeroed(made, share))


async def test_a_file_whose_budget_cannot_tell_is_not_refused(tmp_path: Path) -> None:
    made = clip(tmp_path / "clip.mp4", seconds=6.0, options={"g": "12"}, container_options=FASTSTART)
    engine = PyavEngine(type(LIMITS)(inspect_bytes_max=1_000), str(tmp_path / "scratch"))
    await inspect(engine, zeroed(made, 0.5))


async def test_a_file_without_its_index_is_refused_as_cut_off(engine: PyavEngine, tmp_path: Path) -> None:
    whole = clip(tmp_path / "clip.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: whole.rindex(b"moov") - 4])
    error = await refusal(engine, tmp_path / "cut.mp4")
    assert error.code is Code.REJECTED_TRUNCATED
    assert "no index" in error.message


async def test_an_empty_file_is_refused(engine: PyavEngine, tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    assert (await refusal(engine, tmp_path / "empty.mp4")).code is Code.REJECTED_EMPTY


async def test_a_file_over_the_duration_budget_is_refused(tmp_path: Path) -> None:
    limits = type(LIMITS)(duration_seconds_max=1)
    engine = PyavEngine(limits, str(tmp_path / "scratch"))
    assert (await refusal(engine, song(tmp_path / "song.wav", seconds=2))).code is Code.REJECTED_DURATION


async def test_a_picture_track_over_the_side_budget_is_refused(tmp_path: Path) -> None:
    engine = PyavEngine(type(LIMITS)(video_side_max=200), str(tmp_path / "scratch"))
    assert (await refusal(engine, clip(tmp_path / "clip.mp4"))).code is Code.REJECTED_DIMENSIONS


async def test_more_streams_than_allowed_are_refused(tmp_path: Path) -> None:
    engine = PyavEngine(type(LIMITS)(streams_max=1), str(tmp_path / "scratch"))
    assert (await refusal(engine, clip(tmp_path / "clip.mp4"))).code is Code.REJECTED_STREAMS


# --- what is too large to be read through


def film(target: Path) -> Path:
    """Twelve seconds, with pictures out of order and sound."""
    inputs = ["-f", "lavfi", "-i", "testsrc2=s=160x120:r=25:d=12", "-f", "lavfi", "-i", "anoisesrc=d=12:a=0.1"]
    return make(target, *inputs, "-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-g", "50", "-pix_fmt",
                "yuv420p", "-c:a", "aac")  # fmt: skip


def claiming(path: Path, seconds: float) -> Path:
    """The Matroska file, which says that it lasts so long."""
    data = bytearray(path.read_bytes())
    at = data.index(b"\x44\x89\x88") + 3
    data[at : at + 8] = struct.pack(">d", seconds * 1000)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("said", [3.0, 12.0, 143_165.0])
async def test_a_large_film_is_measured_by_its_last_seconds_whatever_its_header_says(
    tmp_path: Path, said: float
) -> None:
    small = Limits(inspect_bytes_max=1_000, chunks_from_seconds=1, chunk_seconds=6)
    engine = PyavEngine(small, str(tmp_path / "scratch"))
    facts = await inspect(engine, claiming(film(tmp_path / "f.mkv"), said))
    assert (facts.duration_exact, facts.warnings) == (True, ())
    assert facts.duration_s == pytest.approx(12.0, abs=0.05)
    assert facts.video is not None
    assert (facts.video.frame_rate, facts.video.variable_frame_rate) == (Fraction(25), False)
    assert (facts.video.frames, facts.video.groups) == (None, None), "nobody has counted them"
    tasks = [task.kind for stage in plan(facts, Options(), small).stages for task in stage.tasks]
    assert tasks.count(TaskKind.CHUNK) == 2


@pytest.mark.parametrize(
    ("name", "codecs"),
    [("f.flv", ("-c", "copy")), ("f.avi", ("-c:v", "mpeg4", "-c:a", "mp3"))],
)
async def test_what_is_too_large_lasts_as_long_as_if_all_of_it_were_read(
    tmp_path: Path, name: str, codecs: tuple[str, ...]
) -> None:
    path = make(tmp_path / name, "-i", str(film(tmp_path / "f.mkv")), *codecs)
    engines = [PyavEngine(Limits(inspect_bytes_max=most), str(tmp_path / "scratch")) for most in (64 * MIB, 1_000)]
    through, by_the_end = [await inspect(engine, path) for engine in engines]
    assert by_the_end.duration_exact
    assert by_the_end.duration_s == pytest.approx(through.duration_s, abs=0.001)


async def test_a_length_that_nobody_measured_refuses_nobody(tmp_path: Path) -> None:
    """Of an MP3 without an index: after a seek its times are guesses."""
    noise = ("-f", "lavfi", "-i", "anoisesrc=d=30:a=0.1", "-q:a", "5", "-write_xing", "0")
    limits = Limits(inspect_bytes_max=1_000, duration_seconds_max=10)
    engine = PyavEngine(limits, str(tmp_path / "scratch"))
    facts = await inspect(engine, make(tmp_path / "s.mp3", *noise))
    assert not facts.duration_exact
    assert judge(facts, limits) == ()
    assert [reason.code for reason in judge(replace(facts, duration_exact=True), limits)] == [Code.REJECTED_DURATION]


# --- the corpus


def expected_durations(file: CorpusFile) -> list[float]:
    found = [file.number(column) for column in ("duration_s", "duration_packets_s")]
    return [duration for duration in found if duration is not None]


def tolerance(file: CorpusFile, facts: MediaFacts) -> float:
    """Two pictures or two packets of sound, and at least a tenth of a second."""
    rate = file.number("fps") or 25
    packets = [2 * 1024 / track.sample_rate for track in facts.audio]
    return max(0.1, 2 / rate, *packets)


def check_sizes(file: CorpusFile, facts: MediaFacts) -> None:
    width, height = file.number("display_width"), file.number("display_height")
    if facts.image is not None and width is not None:
        assert facts.image.display_size == (width, height)
    elif facts.video is not None and width is not None:
        # The manifest knows no sample aspect: it turns the coded size.
        size = (facts.video.width, facts.video.height)
        assert (size[::-1] if facts.video.rotation_cw % 180 else size) == (width, height)


def check_picture(file: CorpusFile, facts: MediaFacts) -> None:
    """Orientation, but for HEIF and AVIF, whose container turns the picture: there the displayed size says it."""
    orientation = file.number("exif_orientation")
    if facts.image is not None and orientation is not None and facts.container not in {"heif", "avif", "avis"}:
        assert facts.image.orientation == orientation
    if facts.image is not None and file.flag("has_icc") and facts.container != "heif":  # of any picture in the file
        assert facts.image.has_icc


def check_tracks(file: CorpusFile, facts: MediaFacts) -> None:
    rotation = file.number("rotation_cw")
    assert rotation is None or (facts.video is not None and facts.video.rotation_cw == rotation)
    for column, found in (("audio_streams", facts.audio), ("subtitle_streams", facts.subtitles)):
        count = file.number(column)
        assert count is None or len(found) == count, column
    if facts.video is not None:
        light = file.expected.get("hdr", "no").lower()
        assert facts.video.transfer.value == ("sdr" if light == "no" else light)


@each_corpus_file(where=lambda file: file.expected["should_accept"] == "accept")
async def test_good_files_of_the_corpus_are_measured(engine: PyavEngine, corpus_file: CorpusFile) -> None:
    facts = await inspect(engine, corpus_file.path)
    assert facts.content_type == corpus_file.expected["expected_mime"]
    check_sizes(corpus_file, facts)
    check_picture(corpus_file, facts)
    check_tracks(corpus_file, facts)
    durations = expected_durations(corpus_file)
    if durations and facts.image is None:
        allowed = tolerance(corpus_file, facts)
        assert facts.duration_s is not None
        assert any(abs(facts.duration_s - duration) <= allowed for duration in durations), facts.duration_s
    if corpus_file.flag("has_gps"):
        assert facts.has_position


@each_corpus_file(where=lambda file: file.expected["should_accept"] == "reject")
async def test_bad_files_of_the_corpus_are_refused(engine: PyavEngine, corpus_file: CorpusFile) -> None:
    error = await refusal(engine, corpus_file.path)
    assert error.code.startswith("rejected_")
    assert error.message.endswith(".")


@each_corpus_file(where=lambda file: file.expected["should_accept"] == "policy")
async def test_doubtful_files_of_the_corpus_end_cleanly(engine: PyavEngine, corpus_file: CorpusFile) -> None:
    try:
        facts = await inspect(engine, corpus_file.path)
    except Refused as error:
        assert error.code.startswith("rejected_")  # noqa: PT017 - either end is right
        return
    assert facts.content_type == corpus_file.expected["expected_mime"]
