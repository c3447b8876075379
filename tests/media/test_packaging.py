"""One set of segments, its HLS playlists and its DASH manifest, against what is really in them. docs/hls.md has the rules.

Judged by Debian's ffmpeg, which shares no code with us, and by the bytes themselves.
"""

import re
import struct
import subprocess
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from smmu.domain.ladder import rungs
from tests.support import clips
from tests.support.clips import FAST, Made, failures, make, render

FRAME = Fraction(1001, 30000)


@dataclass(frozen=True)
class Part:
    """A line of a media playlist: a file, or a range of one."""

    path: Path
    seconds: float
    start: int
    size: int

    def bytes(self) -> bytes:
        return self.path.read_bytes()[self.start : self.start + self.size]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Thirteen seconds at 29.97 pictures a second, with sound."""
    folder = tmp_path_factory.mktemp("film")
    source = make(folder / "s.mp4", "-f", "lavfi", "-t", "13", "-i", "testsrc2=s=854x480:r=30000/1001", "-f", "lavfi",
                  "-i", "sine=f=440:r=48000:d=13", *FAST)  # fmt: skip
    made = render(source, folder / "o", "video")
    assert failures(made) == []
    return made


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def attributes(line: str) -> dict[str, str]:
    return dict(re.findall(r'([A-Z-]+)=("[^"]*"|[^,]*)', line.split(":", 1)[1]))


def variants(made: Made) -> list[tuple[dict[str, str], Path]]:
    told, master = lines(made.path("hls")), made.path("hls")
    return [
        (attributes(line), master.parent / told[number + 1])
        for number, line in enumerate(told)
        if line.startswith("#EXT-X-STREAM-INF")
    ]


def key_variants(made: Made) -> list[tuple[dict[str, str], Path]]:
    told = [attributes(line) for line in lines(made.path("hls")) if line.startswith("#EXT-X-I-FRAME-STREAM-INF")]
    return [(one, made.path("hls").parent / one["URI"].strip('"')) for one in told]


def parts(playlist: Path) -> list[Part]:
    found, seconds, span = [], 0.0, ""
    for line in lines(playlist):
        if line.startswith("#EXTINF:"):
            seconds = float(line[8:-1])
        elif line.startswith("#EXT-X-BYTERANGE:"):
            span = line.partition(":")[2]
        elif not line.startswith("#"):
            path = playlist.parent / line
            size, _, start = span.partition("@")
            found.append(Part(path, seconds, int(start or 0), int(size or path.stat().st_size)))
            span = ""
    return found


def all_playlists(made: Made) -> list[Path]:
    rungs = [path for _, path in (*variants(made), *key_variants(made))]
    return [*rungs, made.path("hls").parent / "audio/playlist.m3u8"]


def peak(measured: list[Part], target: int) -> float:
    """RFC 8216: of any run of segments that lasts 0.5 to 1.5 target durations. All runs are tried."""
    runs = [measured[first:last] for first in range(len(measured)) for last in range(first + 1, len(measured) + 1)]
    lasting = [(sum(p.size for p in run) * 8, sum(p.seconds for p in run)) for run in runs]
    return max(bits / seconds for bits, seconds in lasting if target / 2 <= seconds <= target * 1.5)


def average(measured: list[Part]) -> float:
    return sum(part.size for part in measured) * 8 / sum(part.seconds for part in measured)


def test_the_rates_that_are_told_are_those_of_the_files(film: Made) -> None:
    sound = parts(film.path("hls").parent / "audio/playlist.m3u8")
    for told, playlist in variants(film):
        rung = parts(playlist)
        assert int(told["BANDWIDTH"]) == pytest.approx(peak(rung, 6) + peak(sound, 6), abs=3)
        assert int(told["AVERAGE-BANDWIDTH"]) == pytest.approx(average(rung) + average(sound), abs=3)
    for told, playlist in key_variants(film):
        assert int(told["BANDWIDTH"]) == pytest.approx(peak(parts(playlist), 2), abs=3)
        assert int(told["AVERAGE-BANDWIDTH"]) == pytest.approx(average(parts(playlist)), abs=3)


def test_a_variant_says_what_its_stream_is(film: Made) -> None:
    for told, playlist in variants(film):
        shown = clips.stream(playlist, "v")
        assert told["RESOLUTION"] == f"{shown['width']}x{shown['height']}"
        assert told["CODECS"] == f'"avc1.6400{shown["level"]:02x},mp4a.40.2"'
        assert told["FRAME-RATE"] == "29.970"
        assert told["VIDEO-RANGE"] == "SDR"
        assert told["AUDIO"] == '"audio"'
        assert (shown["profile"], shown["color_transfer"]) == ("High", "bt709")
        assert shown["level"] <= 52
    assert len(variants(film)) == 3


def test_sound_is_a_stream_of_its_own_in_the_group_that_variants_name(film: Made) -> None:
    (line,) = [line for line in lines(film.path("hls")) if line.startswith("#EXT-X-MEDIA:")]
    told = attributes(line)
    assert (told["TYPE"], told["GROUP-ID"], told["CHANNELS"]) == ("AUDIO", '"audio"', '"1"')
    assert told["LANGUAGE"] == '"und"'
    shown = clips.stream(film.path("hls").parent / told["URI"].strip('"'), "a")
    assert (shown["codec_name"], shown["profile"], shown["channels"]) == ("aac", "LC", 1)


def test_playlists_are_complete_and_have_one_target(film: Made) -> None:
    master = lines(film.path("hls"))
    assert "#EXT-X-INDEPENDENT-SEGMENTS" in master
    for playlist in all_playlists(film):
        told = lines(playlist)
        keys = playlist.name == "keyframes.m3u8"
        assert told[:2] == ["#EXTM3U", "#EXT-X-VERSION:7"]
        assert f"#EXT-X-TARGETDURATION:{2 if keys else 6}" in told
        assert "#EXT-X-PLAYLIST-TYPE:VOD" in told
        assert '#EXT-X-MAP:URI="init.mp4"' in told
        assert told[-1] == "#EXT-X-ENDLIST"
        assert ("#EXT-X-I-FRAMES-ONLY" in told) is keys
        assert all(part.seconds <= (2 if keys else 6) + 0.5 for part in parts(playlist))
        assert all(not re.match(r"(https?:)?/|.*\.\./", line) for line in told if not line.startswith("#"))


def test_durations_that_are_told_add_up_to_what_is_there(film: Made) -> None:
    for _, playlist in variants(film):
        times = sorted(float(packet["pts_time"]) for packet in clips.packets(playlist))
        assert sum(part.seconds for part in parts(playlist)) == pytest.approx(times[-1] + float(FRAME), abs=0.001)
    sound = sum(part.seconds for part in parts(film.path("hls").parent / "audio/playlist.m3u8"))
    pictures = sum(part.seconds for part in parts(variants(film)[0][1]))
    assert sound == pytest.approx(pictures, abs=float(FRAME) + 1024 / 48000)


def test_every_segment_begins_with_a_keyframe_and_every_two_seconds_there_is_one(film: Made) -> None:
    for _, playlist in variants(film):
        keys = clips.keyframe_times(playlist)
        assert all(later - before <= 2 + float(FRAME) for before, later in pairwise(keys))
        for part in parts(playlist):
            alone = playlist.parent / "alone.mp4"
            alone.write_bytes((playlist.parent / "init.mp4").read_bytes() + part.bytes())
            assert clips.packets(alone)[0]["flags"].startswith("K")
            alone.unlink()


def test_decoding_times_follow_each_other_from_fragment_to_fragment(film: Made) -> None:
    playlists = [path for _, path in variants(film)] + [film.path("hls").parent / "audio/playlist.m3u8"]
    for playlist in playlists:
        found = [times for part in parts(playlist) for times in decode_times(part.bytes())]
        assert found[0][0] == 0
        for (start, lasts), (after, _) in pairwise(found):
            assert start + lasts == after


def decode_times(segment: bytes) -> list[tuple[int, int]]:
    """Of each fragment when its first sample is decoded (`tfdt`), and how long all of them last (`trun`)."""
    found = []
    for match in re.finditer(b"tfdt", segment):
        (start,) = struct.unpack_from(">Q", segment, match.end() + 4)
        run = segment.index(b"trun", match.end())
        (count,) = struct.unpack_from(">I", segment, run + 8)
        found.append((start, sum(struct.unpack_from(">I", segment, run + 16 + 16 * n)[0] for n in range(count))))
    return found


def boxes(data: bytes) -> list[str]:
    kinds = []
    while data:
        size = int.from_bytes(data[:4])
        kinds.append(data[4:8].decode())
        data = data[size:]
    return kinds


def test_a_keyframe_is_fetched_with_its_header_and_shown_without_its_neighbours(film: Made) -> None:
    for (_, playlist), (_, whole) in zip(key_variants(film), sorted(variants(film), key=by_width), strict=True):
        found, times = parts(playlist), clips.keyframe_times(whole)
        assert playlist.parent == whole.parent
        assert [round(sum(p.seconds for p in found[:n]), 3) for n in range(len(found))] == [round(t, 3) for t in times]
        shown = clips.stream(whole, "v")
        init = (playlist.parent / "init.mp4").read_bytes()
        for part in found:
            assert boxes(part.bytes())[0] == "moof"
            assert len(boxes(part.bytes())) == 2
            assert decoded(init + part.bytes()) == shown["width"] * shown["height"] * 3 // 2


def by_width(variant: tuple[dict[str, str], Path]) -> int:
    return -int(variant[0]["RESOLUTION"].split("x")[0])


def decoded(data: bytes) -> int:
    """Bytes of the first picture that ffmpeg makes of this, and it makes only one."""
    command = ["ffmpeg", "-v", "quiet", "-i", "pipe:0", "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"]
    return len(subprocess.run(command, input=data, capture_output=True, timeout=60, check=True).stdout)


def test_each_segment_is_of_as_many_fragments_as_it_has_keyframes(film: Made) -> None:
    for _, playlist in variants(film):
        for part in parts(playlist):
            kinds = boxes(part.bytes())
            assert kinds == ["styp", *(["moof", "mdat"] * (len(kinds) // 2))]
            assert len(kinds) // 2 == -(-round(part.seconds * 1000) // 2002)


def test_every_file_says_that_it_is_cmaf_and_every_fragment_has_one_track_and_its_data(film: Made) -> None:
    """ISO/IEC 23000-19: the brand of the header and of the segments; 7.3.2.3: `moof` with a `traf`, then its `mdat`."""
    for name in ("480p", "hls-audio"):
        for path in (film.folder / file.path for file in film[name].files if not file.path.endswith(".m3u8")):
            data = path.read_bytes()
            head, size = data[4:8], int.from_bytes(data[:4])
            brand = {b"ftyp": b"cmfc", b"styp": b"cmfs"}[head]
            assert brand in (data[at : at + 4] for at in range(8, size, 4)), path
            kinds = boxes(data)
            assert kinds[1:] == (["moov"] if head == b"ftyp" else ["moof", "mdat"] * (len(kinds) // 2))
            assert data.count(b"traf") == kinds.count("moof")
            assert data.count(b"tfdt") == kinds.count("moof"), "each says when its decoding begins"


def test_peaks_stay_under_the_rungs_cap_and_what_one_full_buffer_adds(film: Made) -> None:
    """How far we may depart from 1.30: a cap of bits a second, and two seconds of them at once."""
    for told, playlist in variants(film):
        spec = next(rung for rung in rungs((854, 480), Fraction(30)) if rung.name == playlist.parent.name)
        most = spec.bitrate_bps_max * 1.15
        assert average(parts(playlist)) <= most
        assert peak(parts(playlist), 6) <= most * (6 + 2) / 6, told


def test_types_are_those_that_apple_and_iana_name(film: Made) -> None:
    told = {Path(file.path).name: file.content_type for one in film.renditions.values() for file in one.files}
    assert told["master.m3u8"] == told["playlist.m3u8"] == told["keyframes.m3u8"] == "application/vnd.apple.mpegurl"
    assert told["manifest.mpd"] == "application/dash+xml"
    assert told["seg-00001.m4s"] == "video/iso.segment"
    assert {f.content_type for f in film["hls-audio"].files if f.path.endswith("init.mp4")} == {"audio/mp4"}
    assert {f.content_type for f in film["480p"].files if f.path.endswith("init.mp4")} == {"video/mp4"}


@pytest.mark.parametrize("name", ["hls", "dash"])
def test_another_player_plays_every_track_to_its_end(film: Made, name: str) -> None:
    assert clips.plays(film.path(name)) == ""
    shown = clips.probe(film.path(name), "-show_streams")["streams"]
    assert sorted(one["codec_type"] for one in shown) == ["audio", "video", "video", "video"]


def test_dash_names_the_segments_that_hls_names(film: Made) -> None:
    manifest = film.path("dash").read_text(encoding="utf-8")
    folders = re.findall(r'<Representation id="([^"]+)"', manifest)
    assert folders == ["480p", "360p", "240p", "audio"]
    counts = [int(count or 0) + 1 for count in re.findall(r'<S [^>]*?d="\d+"(?: r="(\d+)")?', manifest)]
    assert sum(counts) == len(parts(variants(film)[0][1])) + len(parts(film.path("hls").parent / "audio/playlist.m3u8"))
    for folder in folders:
        assert (film.path("dash").parent / folder / "seg-00001.m4s").is_file()
    bandwidths = dict(re.findall(r'id="(\d+p)"[^>]*bandwidth="(\d+)"', manifest))
    for told, playlist in variants(film):
        assert 0 < int(bandwidths[playlist.parent.name]) < int(told["BANDWIDTH"])


def test_a_film_of_one_picture_has_a_frame_rate_too(tmp_path: Path) -> None:
    source = make(tmp_path / "s.mp4", "-f", "lavfi", "-t", "0.04", "-i", "testsrc2=s=320x240:r=25", *FAST)
    made = render(source, tmp_path / "o", "video")
    assert failures(made) == []
    (told, *_), *_ = variants(made)
    assert told["FRAME-RATE"] == "25.000"
    assert clips.plays(made.path("dash")) == ""
