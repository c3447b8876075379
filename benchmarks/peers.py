"""Those that a ladder is compared with: the newest ffmpeg there is as a wheel, and Shaka Streamer.

They are in an environment of their own (`make peers`), because nothing of the product needs them. The command line is
given the very options that our encoders are given.
"""

import json
import os
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from smmu.adapters.media.coding import CODINGS, options_for
from smmu.adapters.media.encoder import threads_for
from smmu.domain.plan import AudioSpec, RungSpec

_PLACE = Path(__file__).resolve().parents[1] / ".venv-peers"
_SEGMENT_SECONDS = 6


class MissingError(Exception):
    """They are not set up."""


def ffmpeg() -> str:
    """The program."""
    return _found("lib/python*/site-packages/imageio_ffmpeg/binaries/ffmpeg-*")


def ladder(clip: Path, out: Path, rungs: Sequence[RungSpec], sound: AudioSpec | None, *, cascade: bool) -> list[str]:
    """One command that makes all rungs, and the sound, from one decode, in CMAF segments with playlists.

    Each rung is scaled from the source, as people write it, or in a `cascade` from the one above it. Then each encoder
    has as many threads as ours, too: what it does with few bits depends on them.
    """
    threads = _threads(rungs) if cascade else [None] * len(rungs)
    maps = [part for rung in rungs for part in ("-map", f"[{rung.name}]")]
    group = ",agroup:sound" if sound else ""
    streams = [f"v:{number}{group},name:{rung.name}" for number, rung in enumerate(rungs)]
    streams += [f"a:0{group},name:{sound.name}"] if sound else []
    return [
        *(ffmpeg(), "-nostdin", "-loglevel", "error", "-y", "-i", str(clip)),
        *("-filter_complex", _cascade(rungs) if cascade else _split(rungs)),
        *maps,
        *(part for number, rung in enumerate(rungs) for part in _encoding(number, rung, threads[number])),
        *("-fps_mode", "passthrough", *(_sound(sound) if sound else ())),
        *("-f", "hls", "-hls_time", str(_SEGMENT_SECONDS), "-hls_segment_type", "fmp4"),
        *("-hls_playlist_type", "vod", "-hls_flags", "independent_segments", "-master_pl_name", "master.m3u8"),
        *("-var_stream_map", " ".join(streams)),
        *("-hls_segment_filename", f"{out}/%v/seg-%05d.m4s", f"{out}/%v/index.m3u8"),
    ]


def _split(rungs: Sequence[RungSpec]) -> str:
    copies = "".join(f"[{rung.name}-in]" for rung in rungs)
    return ";".join([f"[0:v]split={len(rungs)}{copies}", *(_scaled(f"{rung.name}-in", rung) for rung in rungs)])


def _cascade(rungs: Sequence[RungSpec]) -> str:
    steps = []
    for above, rung, below in zip([None, *rungs], rungs, [*rungs[1:], None], strict=False):
        made = _scaled("0:v" if above is None else f"{above.name}-on", rung)
        steps.append(made if below is None else f"{made[: -len(rung.name) - 2]},split[{rung.name}][{rung.name}-on]")
    return ";".join(steps)


def _scaled(source: str, rung: RungSpec) -> str:
    return f"[{source}]scale={rung.width}:{rung.height}:flags=bicubic[{rung.name}]"


def _threads(rungs: Sequence[RungSpec]) -> list[int]:
    pixels, cores = sum(rung.width * rung.height for rung in rungs), len(os.sched_getaffinity(0))
    return [threads_for(Fraction(rung.width * rung.height, pixels), cores) for rung in rungs]


def _encoding(number: int, rung: RungSpec, threads: int | None) -> Iterator[str]:
    yield from (f"-c:v:{number}", CODINGS[rung.codec].encoder)
    if threads is not None:
        yield from (f"-threads:v:{number}", str(threads))
    for name, value in options_for(rung, 1).items():
        yield from (f"-{name}:v:{number}", value)
    yield from (f"-force_key_frames:v:{number}", f"expr:gte(t,n_forced*{rung.keyframe_seconds})")
    yield from (f"-enc_time_base:v:{number}", "demux")


def _sound(sound: AudioSpec) -> tuple[str, ...]:
    return ("-map", "0:a:0", "-c:a", "aac", "-b:a", str(sound.bitrate_bps), "-ac", str(sound.channels))


def shaka(clip: Path, out: Path, rungs: Sequence[RungSpec]) -> list[str]:
    """Shaka Streamer, video on demand. Its encoder settings are its own: x264's preset "slow", quality by bit rate."""
    tracks = [{"name": str(clip), "media_type": kind} for kind in ("video", "audio")]
    wanted = {
        "streaming_mode": "vod",
        "resolutions": [rung.name for rung in rungs],
        "video_codecs": ["h264"],
        "audio_codecs": ["aac"],
        "manifest_format": ["dash", "hls"],
        "segment_size": _SEGMENT_SECONDS,
        "segment_per_file": True,
    }
    (out / "input.yaml").write_text(json.dumps({"inputs": tracks}), encoding="utf-8")
    (out / "pipeline.yaml").write_text(json.dumps(wanted), encoding="utf-8")
    program = [_found("bin/python"), _found("bin/shaka-streamer")]
    return [*program, "-i", str(out / "input.yaml"), "-p", str(out / "pipeline.yaml"), "-o", str(out / "made")]


def _found(pattern: str) -> str:
    for path in _PLACE.glob(pattern):
        return str(path)
    raise MissingError("what is compared with is not set up: make peers")
