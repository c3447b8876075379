"""Videos of every awkward kind become ladders that play, stand upright, start together and stay in time."""

import json
import struct
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from smmu.domain.errors import Code, Refused
from smmu.domain.plan import RungSpec
from tests.support import clips
from tests.support.attacks import box, replaced
from tests.support.clips import FAST, Made, failures, make, render
from tests.support.media import clip

pytestmark = pytest.mark.media

CORNERS = "color=black:s=320x240:r=25:d={d},drawbox=0:0:80:60:red:fill,drawbox=240:0:80:60:lime:fill,drawbox=0:180:80:60:blue:fill"


def picture(description: str, seconds: float) -> list[str]:
    return ["-f", "lavfi", "-t", str(seconds), "-i", description]


def tone(seconds: float) -> list[str]:
    return ["-f", "lavfi", "-i", f"sine=f=440:r=48000:d={seconds}"]


def rungs(made: Made) -> list[str]:
    return [name for name, one in made.renditions.items() if one.role == "hls-video"]


def grid(made: Made, name: str) -> list[float]:
    return [round(time, 3) for time in clips.keyframe_times(made.path(name))]


def check_all(made: Made) -> None:
    """What holds for every ladder."""
    assert failures(made) == []
    assert clips.plays(made.path("hls")) == ""
    assert clips.plays(made.path("mp4")) == ""
    assert len({tuple(grid(made, name)) for name in rungs(made)}) == 1
    for name in rungs(made):
        shown = clips.stream(made.path(name), "v")
        assert (shown["width"], shown["height"]) == (made[name].width, made[name].height)
        assert shown["pix_fmt"] == "yuv420p"
        assert shown["sample_aspect_ratio"] == "1:1"
        assert shown["profile"] == "High"
        tags = (shown["color_space"], shown["color_transfer"], shown["color_primaries"], shown["color_range"])
        assert tags == ("bt709", "bt709", "bt709", "tv")
        assert "side_data_list" not in shown


def test_a_long_clip_is_cut_at_the_same_keyframes_every_two_and_every_six_seconds(tmp_path: Path) -> None:
    source = make(tmp_path / "s.mp4", *picture("testsrc2=s=640x360:r=30000/1001", 13), *tone(13), *FAST)
    made = render(source, tmp_path / "o", "video")
    check_all(made)
    assert rungs(made) == ["360p", "240p"]
    assert grid(made, "360p") == [0.0, 2.002, 4.004, 6.006, 8.008, 10.01, 12.012]
    playlist = made.path("360p").read_text()
    assert [line for line in playlist.splitlines() if line.startswith("#EXTINF")] == [
        "#EXTINF:6.006000,", "#EXTINF:6.006000,", "#EXTINF:1.001000,"
    ]  # fmt: skip
    assert "#EXT-X-TARGETDURATION:6\n" in playlist


@pytest.mark.parametrize("angle", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_picture_stands_as_another_player_shows_it(tmp_path: Path, angle: int, mirrored: bool) -> None:  # noqa: FBT001
    plain = make(tmp_path / "p.mp4", *picture(CORNERS.format(d=1), 0.2), *FAST)
    source = turned(plain, tmp_path / "s.mp4", angle, mirrored=mirrored)
    made = render(source, tmp_path / "o", "video", "poster")
    check_all(made)
    top = made[rungs(made)[0]]
    assert (top.width, top.height) == ((240, 320) if angle % 180 else (320, 240))
    assert top.width is not None
    assert top.height is not None
    expected = clips.pictures(source, top.width, top.height, count=1).astype(int)
    for path in (made.path("mp4"), made.path(top.name), made.path("poster")):
        shown = clips.pictures(path, top.width, top.height, count=1).astype(int)
        assert np.abs(shown - expected).mean() < 6, path


def turned(source: Path, target: Path, angle: int, *, mirrored: bool) -> Path:
    with av.open(str(source)) as reading, av.open(str(target), "w") as writing:
        stream = writing.add_stream_from_template(reading.streams.video[0], opaque=True)
        stream.set_display_rotation(-angle, vflip=mirrored)
        for packet in reading.demux(reading.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                writing.mux(packet)
    return target


@pytest.mark.parametrize(
    ("name", "description", "options", "size"),
    [
        ("odd.mkv", "testsrc2=s=161x121:r=25", ["-c:v", "ffv1", "-pix_fmt", "yuv444p"], (160, 120)),
        ("ten.mp4", "testsrc2=s=320x240:r=25", ["-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-x265-params", "log-level=0"], (320, 240)),
        ("wide.mp4", "testsrc2=s=352x288:r=25,setsar=16/11", list(FAST), (512, 288)),
        ("rgb.mkv", "testsrc2=s=320x240:r=25,format=gbrp", ["-c:v", "ffv1"], (320, 240)),
        ("full.mp4", "testsrc2=s=320x240:r=25,scale=out_range=pc,format=yuvj420p", ["-c:v", "libx264", "-preset", "ultrafast"], (320, 240)),
        ("tiny.mkv", "testsrc2=s=16x10:r=25", ["-c:v", "ffv1"], (16, 10)),
    ],
)  # fmt: skip
def test_pictures_of_every_shape_and_depth(
    tmp_path: Path, name: str, description: str, options: list[str], size: tuple[int, int]
) -> None:
    source = make(tmp_path / name, *picture(description, 0.4), *options)
    made = render(source, tmp_path / "o", "video", "poster")
    check_all(made)
    top = made[rungs(made)[0]]
    assert (top.width, top.height) == size
    expected = clips.pictures(source, *size, count=1).astype(int)
    assert np.abs(clips.pictures(made.path("mp4"), *size, count=1).astype(int) - expected).mean() < 8


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("untimed.avi", ["-c:v", "libx264", "-bf", "3", "-c:a", "mp3"]),  # has no presentation times at all
        ("packed.avi", ["-c:v", "mpeg4", "-bf", "2", "-c:a", "pcm_s16le"]),
        ("open.mp4", ["-c:v", "libx264", "-x264-params", "open-gop=1:keyint=10", "-bf", "3", "-c:a", "alac"]),
        ("fragments.mp4", [*FAST, "-movflags", "frag_keyframe+empty_moov", "-c:a", "aac"]),
        ("broadcast.ts", ["-c:v", "mpeg2video", "-bf", "2", "-c:a", "ac3"]),
        ("web.webm", ["-c:v", "libvpx", "-c:a", "libopus"]),
        ("studio.mov", ["-c:v", "prores_ks", "-c:a", "pcm_s24le"]),
        ("old.wmv", ["-c:v", "wmv2", "-c:a", "wmav2"]),
    ],
)
def test_every_picture_of_every_container_comes_through(tmp_path: Path, name: str, options: list[str]) -> None:
    source = make(tmp_path / name, *picture("testsrc2=s=160x120:r=25", 1.2), *tone(1.2), *options)
    made = render(source, tmp_path / "o", "video")
    check_all(made)
    assert len(clips.packets(made.path("mp4"))) == len(clips.pictures(source, 16, 12)) == 30
    assert made["mp4"].duration_s == pytest.approx(1.25, abs=0.1)


@pytest.mark.parametrize("frames", [1, 3])
def test_a_clip_of_a_few_frames_is_a_video_all_the_same(tmp_path: Path, frames: int) -> None:
    source = make(tmp_path / "s.mp4", *picture("testsrc2=s=320x240:r=30", 1), "-frames:v", str(frames), *FAST)
    made = render(source, tmp_path / "o", "video", "poster")
    check_all(made)
    assert len(clips.packets(made.path("mp4"))) == frames
    assert made["mp4"].duration_s == pytest.approx(frames / 30, abs=0.001)


def test_a_last_picture_that_is_held_for_long_is_no_segment_too_long(tmp_path: Path) -> None:
    source = clip(tmp_path / "s.mp4", tone=False, options={"bf": "0"})
    table = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stts")
    times = box(b"stts", bytes(4), struct.pack(">5I", 2, 24, 512, 1, 9 * 12_800))
    unedited = replaced(source.read_bytes(), (b"moov", b"trak", b"edts"), box(b"free"))
    source.write_bytes(replaced(unedited, table, times))
    made = render(source, tmp_path / "o", "video")
    check_all(made)
    assert made["mp4"].duration_s == pytest.approx(9.96, abs=0.001)


def test_sixty_frames_a_second_stay_sixty_where_they_may_and_become_thirty_below(tmp_path: Path) -> None:
    source = make(tmp_path / "s.mp4", *picture("testsrc2=s=854x480:r=60", 4.5), *FAST)
    made = render(source, tmp_path / "o", "video")
    check_all(made)
    counts = {name: len(clips.packets(made.path(name))) for name in rungs(made)}
    assert counts == {"480p": 270, "360p": 135, "240p": 135}
    master = made.path("hls").read_text()
    assert "RESOLUTION=854x480,FRAME-RATE=60.000" in master
    assert "x240,FRAME-RATE=30.000" in master


def test_a_rung_beyond_the_level_that_players_take_fails_its_proof(tmp_path: Path) -> None:
    source = make(tmp_path / "s.mp4", *picture("color=gray:s=256x108:r=25", 0.04), *FAST)
    task = clips.plan(source, tmp_path / "p").task("video")
    (rung, *others) = task.renditions
    assert isinstance(rung, RungSpec)
    wide = replace(rung, width=5120, height=2160)
    found = {}
    for name, spec in (("planned", rung), ("wide", wide)):
        made = clips.run(source, tmp_path / name, replace(task, renditions=(spec, *others)))
        found[name] = [(one.name, one.measured) for one in made[0].proof.failures]
    assert found == {"planned": [], "wide": [("level", "6.0")]}


def test_a_variable_rate_keeps_its_times(tmp_path: Path) -> None:
    times = [0, 40, 80, 500, 540, 900, 1900, 2100, 2140, 4300, 4340, 6500, 6540]
    source = irregular(tmp_path / "s.mkv", times)
    made = render(source, tmp_path / "o", "video")
    check_all(made)
    shown = sorted(round(float(packet["pts_time"]) * 1000) for packet in clips.packets(made.path("mp4")))
    assert shown == times
    assert grid(made, rungs(made)[0]) == [0.0, 2.1, 4.3, 6.5]


def irregular(target: Path, times: list[int]) -> Path:
    with av.open(str(target), "w") as writing:
        stream = writing.add_stream("mpeg4", rate=25, width=320, height=240)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for index, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(np.full((240, 320, 3), 20 * index % 255, np.uint8), format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            writing.mux(stream.encode(frame))
        writing.mux(stream.encode(None))
    return target


FLASH = "color=black:s=320x240:r=25,drawbox=0:0:320:240:white:fill:enable='gte(t,1)'"
BEEP = "aevalsrc='if(gte(t,1),0.5*sin(2*PI*880*t),0)':s=48000"


@pytest.mark.parametrize(
    ("name", "offsets"),
    [
        ("plain.mp4", ()),
        ("negative.mkv", ("-output_ts_offset", "-0.7", "-avoid_negative_ts", "disabled")),
        ("large.ts", ("-output_ts_offset", "50000")),
        ("shifted.mkv", ("-output_ts_offset", "3")),
    ],
)
def test_a_flash_and_its_beep_stay_together(tmp_path: Path, name: str, offsets: tuple[str, ...]) -> None:
    inputs = [*picture(FLASH, 2), "-f", "lavfi", "-t", "2", "-i", BEEP]
    source = make(tmp_path / name, *inputs, *FAST, "-c:a", "aac", *offsets)
    made = render(source, tmp_path / "o", "video")
    check_all(made)
    assert flash(made) == pytest.approx(beep(made), abs=0.04 + 1024 / 48000)


@pytest.mark.parametrize(("late", "seconds"), [("sound", 0.5), ("picture", 0.5)])
def test_a_track_that_starts_later_is_filled_from_the_start(tmp_path: Path, late: str, seconds: float) -> None:
    shift = ["-itsoffset", str(seconds)]
    sound = ["-f", "lavfi", "-t", "2", "-i", BEEP]
    inputs = [*(shift if late == "picture" else []), *picture(FLASH, 2), *(shift if late == "sound" else []), *sound]
    source = make(tmp_path / "s.mkv", *inputs, *FAST, "-c:a", "flac")
    made = render(source, tmp_path / "o", "video")
    check_all(made)
    expected = seconds if late == "sound" else -seconds
    assert beep(made) - flash(made) == pytest.approx(expected, abs=0.04 + 1024 / 48000)
    assert float(clips.stream(made.path("mp4"), "v")["start_time"]) == 0
    assert float(clips.stream(made.path("mp4"), "a")["start_time"]) == 0


@pytest.mark.parametrize(("picture_s", "sound_s"), [(3.0, 2.0), (2.0, 3.0)])
def test_a_track_that_ends_earlier_ends_as_much_earlier(tmp_path: Path, picture_s: float, sound_s: float) -> None:
    source = make(
        tmp_path / "s.mkv", *picture("testsrc2=s=160x120:r=25", picture_s), *tone(sound_s), *FAST, "-c:a", "flac"
    )
    made = render(source, tmp_path / "o", "video")
    check_all(made)
    shown, heard = (float(clips.stream(made.path("mp4"), kind)["duration"]) for kind in ("v", "a"))
    assert shown - heard == pytest.approx(picture_s - sound_s, abs=0.04 + 1024 / 48000)


def flash(made: Made) -> float:
    times = sorted(float(packet["pts_time"]) for packet in clips.packets(made.path("mp4")))
    light = clips.pictures(made.path("mp4"), 16, 12).reshape(len(times), -1).mean(axis=1)
    return times[int(np.argmax(light > 128))]


def beep(made: Made) -> float:
    sound = np.abs(clips.samples(made.path("mp4"), channels=1)[:, 0].astype(int))
    return int(np.argmax(sound > 2000)) / 48000


def test_an_interlaced_picture_loses_its_combs(tmp_path: Path) -> None:
    moving = "testsrc2=s=320x240:r=50,tinterlace=interleave_top,setfield=tff"
    source = make(tmp_path / "s.ts", *picture(moving, 1), "-c:v", "mpeg2video", "-flags", "+ilme+ildct", "-b:v", "4M")
    made = render(source, tmp_path / "o", "video", "poster")
    check_all(made)
    before, after = (combing(clips.pictures(path, 320, 240)) for path in (source, made.path("mp4")))
    assert after < 0.7 * before


def combing(shown: "np.typing.NDArray[np.uint8]") -> float:
    grey = shown.astype(int).mean(axis=3)
    between = np.abs(2 * grey[:, 1:-1] - grey[:, :-2] - grey[:, 2:]).mean()
    return float(between / (np.abs(grey[:, 2:] - grey[:, :-2]).mean() + 1))


@pytest.mark.parametrize("light", ["smpte2084", "arib-std-b67"])
def test_hdr_light_becomes_sdr_light(tmp_path: Path, light: str) -> None:
    tags = ["-color_primaries", "bt2020", "-color_trc", light, "-colorspace", "bt2020nc"]
    x265 = ["-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-x265-params", "log-level=0", *tags]
    steps = "nullsrc=s=128x64:r=25,format=yuv420p10le,geq=lum='64+125*floor(X/16)':cb=512:cr=512"
    source = make(tmp_path / "s.mp4", *picture(steps, 0.1), *x265)
    made = render(source, tmp_path / "o", "video")
    check_all(made)
    shown = clips.pictures(made.path("mp4"), 128, 64, count=1)[0, 32, 8::16].mean(axis=1)
    # From black to white without a flat end: highlights are compressed and not clipped.
    assert shown[0] < 20
    assert shown[-1] > 230
    assert np.diff(shown).min() > 8


def test_nothing_of_the_sources_metadata_is_carried_along(tmp_path: Path) -> None:
    tags = [
        "-metadata",
        "location=+48.8577+002.295/",
        "-metadata",
        "title=secret",
        "-metadata",
        "creation_time=2020-01-01",
    ]
    source = make(tmp_path / "s.mp4", *picture("testsrc2=s=320x240:r=25", 0.4), *FAST, *tags)
    made = render(source, tmp_path / "o", "video", "poster")
    for path in (made.path("mp4"), made.path("240p"), made.path("poster")):
        text = json.dumps(clips.probe(path, "-show_format", "-show_streams"))
        assert not any(word in text for word in ("48.8577", "secret", "2020-01-01"))
    assert b"48.8577" not in made.path("mp4").read_bytes()


def test_a_file_cut_off_in_the_middle_is_refused(tmp_path: Path) -> None:
    whole = make(tmp_path / "w.mkv", *picture("testsrc2=s=320x240:r=25", 8), *FAST, "-g", "25")
    task = clips.plan(whole, tmp_path / "o").task("video")
    source = tmp_path / "s.mkv"
    source.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2 + 77] + b"\xff" * 5000)
    with pytest.raises(Refused) as refused:
        clips.run(source, tmp_path / "o2", task)
    assert refused.value.code is Code.REJECTED_TRUNCATED


def test_a_few_broken_bytes_do_not_lose_the_file(tmp_path: Path) -> None:
    whole = make(tmp_path / "w.mp4", *picture("testsrc2=s=320x240:r=25", 4), *FAST, "-g", "25")
    packet = clips.packets(whole)[40]
    data = bytearray(whole.read_bytes())
    start = int(packet["pos"])
    data[start : start + 200] = bytes(200)
    source = tmp_path / "s.mp4"
    source.write_bytes(data)
    made = render(source, tmp_path / "o", "video")
    check_all(made)
    assert float(made["240p"].proof.measures["source_packets_undecodable"]) >= 1


def test_what_does_not_decode_at_all_is_refused(tmp_path: Path) -> None:
    whole = make(tmp_path / "w.mp4", *picture("testsrc2=s=320x240:r=25", 2), *FAST)
    task = clips.plan(whole, tmp_path / "o").task("video")
    data = bytearray(whole.read_bytes())
    for packet in clips.packets(whole):
        data[int(packet["pos"]) : int(packet["pos"]) + int(packet["size"])] = bytes(int(packet["size"]))
    source = tmp_path / "s.mp4"
    source.write_bytes(data)
    with pytest.raises(Refused) as refused:
        clips.run(source, tmp_path / "o2", task)
    assert refused.value.code is Code.REJECTED_CORRUPT


def test_the_same_source_gives_the_same_bytes(tmp_path: Path) -> None:
    source = make(tmp_path / "s.mp4", *picture("testsrc2=s=320x240:r=25", 1), *tone(1), *FAST)
    once, twice = (render(source, tmp_path / name, "video") for name in ("a", "b"))
    for name, one in once.renditions.items():
        assert [file.sha256 for file in one.files] == [file.sha256 for file in twice[name].files]


def test_progress_never_goes_back_and_ends_at_one(tmp_path: Path) -> None:
    source = make(tmp_path / "s.mp4", *picture("testsrc2=s=320x240:r=25", 2), *tone(2), *FAST)
    task = clips.plan(source, tmp_path / "o").task("video")
    told: list[float] = []
    bench = clips.bench_for(source, tmp_path / "o")
    bench.progress = told.append  # type: ignore[assignment, method-assign] # listening in
    clips.ROUTINES["video"](bench, task)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert any(isinstance(spec, RungSpec) for spec in task.renditions)


def test_a_picture_that_changes_its_size_in_mid_stream_goes_on(tmp_path: Path) -> None:
    sizes = ("320x240", "640x480")
    parts = [
        make(tmp_path / f"{number}.ts", *picture(f"testsrc2=s={size}:r=25", 1), *FAST, "-output_ts_offset", str(number))
        for number, size in enumerate(sizes)
    ]
    source = tmp_path / "s.ts"
    source.write_bytes(b"".join(part.read_bytes() for part in parts))
    made = render(source, tmp_path / "o", "video")
    check_all(made)
    assert made["mp4"].duration_s == pytest.approx(2, abs=0.1)
