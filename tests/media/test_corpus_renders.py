"""Every video and sound of the open corpus that must be accepted comes out as its row says, judged from outside.

What is measured is measured by Debian's ffprobe and ffmpeg in the files that were made.
"""

from fractions import Fraction
from pathlib import Path

import numpy as np

from smmu.domain.plan import AudioSpec, Plan, Role, SubtitlesSpec
from tests.support import clips
from tests.support.clips import Made
from tests.support.corpus import CorpusFile, each_corpus_file

PLAYABLE = {Role.HLS, Role.MP4, Role.AUDIO, Role.POSTER}
AAC_SAMPLES = 1024


def is_acceptable(kind: str, file: CorpusFile) -> bool:
    return file.expected["should_accept"] == "accept" and file.expected["kind"] == kind


def is_acceptable_video(file: CorpusFile) -> bool:
    return is_acceptable("video", file)


def is_acceptable_sound(file: CorpusFile) -> bool:
    return is_acceptable("audio", file)


@each_corpus_file(where=is_acceptable_video)
def test_an_acceptable_video_comes_out_as_its_row_says(corpus_file: CorpusFile, tmp_path: Path) -> None:
    made = rendered(corpus_file, tmp_path)
    shown = clips.stream(made.path("mp4"), "v")
    check_picture(corpus_file, shown)
    check_tracks(corpus_file, made, clips.plan(corpus_file.path, tmp_path / "plan"))
    check_length(corpus_file, made.path("mp4"))
    if corpus_file.expected["hdr"] == "no":  # what Debian's ffmpeg shows of others is not their light
        check_first_picture(corpus_file, made.path("mp4"), shown["width"], shown["height"])


@each_corpus_file(where=is_acceptable_sound)
def test_an_acceptable_sound_comes_out_as_its_row_says(corpus_file: CorpusFile, tmp_path: Path) -> None:
    made = rendered(corpus_file, tmp_path)
    assert clips.probe(made.path("audio"), "-show_streams")["streams"][0]["codec_type"] == "audio"
    check_length(corpus_file, made.path("audio"))


def rendered(file: CorpusFile, folder: Path) -> Made:
    made = clips.render(file.path, folder)
    assert clips.failures(made) == []
    for name, rendition in made.renditions.items():
        if rendition.role in PLAYABLE:
            assert clips.plays(made.path(name)) == "", name
    return made


def check_picture(file: CorpusFile, shown: dict[str, object]) -> None:
    """Upright, of the row's shape to one pixel, square, and nothing is left for a player to turn."""
    wide, high = expected_size(file)
    width, height = int(str(shown["width"])), int(str(shown["height"]))
    scale = Fraction(min(width, height)) / min(wide, high)
    assert scale <= 1
    assert abs(width - wide * scale) <= 1, f"{width} × {height} of {float(wide)} × {float(high)}"
    assert abs(height - high * scale) <= 1, f"{width} × {height} of {float(wide)} × {float(high)}"
    assert shown["sample_aspect_ratio"] == "1:1"
    assert "side_data_list" not in shown


def expected_size(file: CorpusFile) -> tuple[Fraction, Fraction]:
    """The row's, which does not know of pixels that are not square."""
    aspect = str(clips.stream(file.path, "v").get("sample_aspect_ratio", "1:1")).replace(":", "/")
    pixel = Fraction(aspect) if aspect not in {"N/A", "0/1"} else Fraction(1)
    wide, high = Fraction(file.expected["display_width"]), Fraction(file.expected["display_height"])
    turned = (file.number("rotation_cw") or 0) % 180 == 90
    return (wide, high * pixel) if turned else (wide * pixel, high)


def check_tracks(file: CorpusFile, made: Made, plan: Plan) -> None:
    """Sound where there is some; every sound and text of the source is a choice of players, or the plan says why not."""
    kinds = [stream["codec_type"] for stream in clips.probe(made.path("mp4"), "-show_streams")["streams"]]
    assert kinds == (["video", "audio"] if file.flag("has_audio") else ["video"])
    specs = [spec for stage in plan.stages for task in stage.tasks for spec in task.renditions]
    told = {one.subject for one in plan.decisions if one.choice == "skipped"}
    for kind, column, spec_type in (
        ("audio", "audio_streams", AudioSpec),
        ("subtitle", "subtitle_streams", SubtitlesSpec),
    ):
        streams = clips.probe(file.path, "-show_streams")["streams"]
        there = {stream["index"] for stream in streams if stream["codec_type"] == kind}
        offered = {spec.track_index for spec in specs if isinstance(spec, spec_type)}
        assert len(there) == file.number(column)
        assert offered <= there
        assert {f"track {index}" for index in there - offered} <= told
    sounds = [spec for spec in specs if isinstance(spec, AudioSpec)]
    assert made.path("hls").read_text(encoding="utf-8").count("TYPE=AUDIO") == len(sounds)


def check_length(file: CorpusFile, path: Path) -> None:
    """As long as the row's packets last, those that an edit list hides left out; to two pictures and a block of sound."""
    streams = clips.probe(path, "-show_streams")["streams"]
    longest = max(float(stream["start_time"]) + float(stream["duration"]) for stream in streams)
    seconds = file.number("duration_s" if hides_packets(file) else "duration_packets_s")
    rate, samples = file.number("fps") or 25.0, file.number("sample_rate") or 44_100.0
    assert seconds is not None
    assert abs(longest - seconds) <= 2 / min(rate, 60.0) + AAC_SAMPLES / samples


def hides_packets(file: CorpusFile) -> bool:
    return any("D" in packet["flags"] for packet in clips.packets(file.path, "v"))


def check_first_picture(file: CorpusFile, path: Path, width: int, height: int) -> None:
    """What ffmpeg shows of the source, turned upright by itself, is what is shown first."""
    was, now = (clips.pictures(one, width, height, count=1).astype(int) for one in (file.path, path))
    assert np.abs(was - now).mean() < 6
