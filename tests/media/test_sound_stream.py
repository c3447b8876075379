"""A sound alone as HLS and DASH: one variant without pictures, of the very packets that are in its file.

docs/hls.md has the rules. Judged by Debian's ffmpeg, which shares no code with us, and by the files themselves.
"""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.media.test_packaging import attributes, average, lines, parts, peak
from tests.support import clips
from tests.support.clips import Made, failures, make, render

pytestmark = pytest.mark.media

SECONDS, RATE = 20, 44_100


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Twenty seconds that do not repeat, in stereo."""
    folder = tmp_path_factory.mktemp("song")
    described = f"aevalsrc='0.2*sin(2*PI*(300+40*t)*t)|0.2*sin(2*PI*(500+10*t)*t)':s={RATE}:d={SECONDS}"
    made = render(make(folder / "s.wav", "-f", "lavfi", "-i", described), folder / "o")
    assert failures(made) == []
    return made


def sound_playlist(made: Made) -> Path:
    return made.path("hls").parent / "audio/playlist.m3u8"


def test_the_one_variant_is_the_sound_itself_at_the_rates_of_its_files(song: Made) -> None:
    told = lines(song.path("hls"))
    assert told[:3] == ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    (variant,) = [attributes(line) for line in told if line.startswith("#EXT-X-STREAM-INF")]
    assert set(variant) == {"BANDWIDTH", "AVERAGE-BANDWIDTH", "CODECS"}
    assert variant["CODECS"] == '"mp4a.40.2"'
    assert told[-1] == "audio/playlist.m3u8"
    measured = parts(sound_playlist(song))
    assert int(variant["BANDWIDTH"]) == pytest.approx(peak(measured, 6), abs=3)
    assert int(variant["AVERAGE-BANDWIDTH"]) == pytest.approx(average(measured), abs=3)


def test_its_playlist_is_complete_and_adds_up(song: Made) -> None:
    told = lines(sound_playlist(song))
    assert "#EXT-X-TARGETDURATION:6" in told
    assert "#EXT-X-PLAYLIST-TYPE:VOD" in told
    assert told[-1] == "#EXT-X-ENDLIST"
    segments = parts(sound_playlist(song))
    assert sum(part.seconds for part in segments) == pytest.approx(SECONDS, abs=0.001)
    assert all(part.seconds < 6.5 for part in segments)
    assert len(segments) == 4


def test_another_demuxer_finds_the_packets_that_are_in_the_file(song: Made, tmp_path: Path) -> None:
    assert clips.plays(song.path("hls")) == ""
    folder, joined = sound_playlist(song).parent, tmp_path / "joined.mp4"
    sections = [folder / "init.mp4", *(part.path for part in parts(sound_playlist(song)))]
    joined.write_bytes(b"".join(section.read_bytes() for section in sections))
    streamed, filed = (packets(path) for path in (joined, song.path("audio")))
    assert len(streamed) > SECONDS * RATE / 1024
    assert streamed == filed


def packets(path: Path) -> list[tuple[int, str]]:
    shown = clips.probe(path, "-show_packets", "-show_data_hash", "MD5")["packets"]
    return [(packet["pts"], packet["data_hash"]) for packet in shown]


def test_dash_names_the_same_segments_to_the_tick(song: Made) -> None:
    root = ET.fromstring(song.path("dash").read_text(encoding="utf-8"))
    space = {"": "urn:mpeg:dash:schema:mpd:2011"}
    (found,) = root.findall("Period/AdaptationSet", space)
    assert (found.get("contentType"), found.get("mimeType")) == ("audio", "audio/mp4")
    (one,) = found.findall("Representation", space)
    assert (one.get("id"), one.get("codecs"), one.get("audioSamplingRate")) == ("audio", "mp4a.40.2", str(RATE))
    ticks = [int(s.get("d", "")) for s in found.iter(f"{{{space['']}}}S") for _ in range(int(s.get("r", "0")) + 1)]
    assert ticks == [round(part.seconds * RATE) for part in parts(sound_playlist(song))]
    assert sum(ticks) == RATE * SECONDS


def test_a_clip_of_a_sound_is_streamed_as_one(tmp_path: Path) -> None:
    source = make(tmp_path / "s.wav", "-f", "lavfi", "-i", "sine=f=440:r=48000:d=10")
    made = render(source, tmp_path / "o", clip_start_s=1.5, clip_end_s=9.0)
    assert failures(made) == []
    assert sum(part.seconds for part in parts(sound_playlist(made))) == pytest.approx(7.5, abs=0.001)
    assert made["hls"].duration_s == 7.5
