"""`Workbench`: all that a routine in the isolated child may touch: the source, one folder, and the parent's ear.

It opens containers the only safe way and hands finished files over. It knows no cloud, no sink and no address, and
refuses to open anything but the source.
"""

import copy
import hashlib
import itertools
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from smmu.adapters.media.source import SourceFile
from smmu.domain.limits import MIB, Limits
from smmu.domain.manifest import RenderedFile

if TYPE_CHECKING:
    from av.codec.context import CodecContext
    from av.container import InputContainer
    from av.stream import Stream

Message = dict[str, Any]
NO_PIECES: Mapping[str, SourceFile] = MappingProxyType({})

# Demuxers that read one file and follow nothing. What is missing is the point: hls, dash, concat, sdp, rtsp, image2
# and friends open other files or addresses named by the bytes. A protocol list alone does not stop them.
DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,mpegvideo,avi,asf,flv,"
    "wav,w64,aiff,caf,mp3,aac,ac3,eac3,flac,ogg,amr"
)

# Decoders of codecs that people upload. Rare ones are where decoder bugs live.
DECODERS = (
    "h264,hevc,libdav1d,av1,vp8,libvpx,vp9,libvpx-vp9,vvc,mpeg1video,mpeg2video,mpeg4,h263,h263i,flv,theora,"
    "msmpeg4v1,msmpeg4v2,msmpeg4,wmv1,wmv2,wmv3,vc1,prores,dnxhd,mjpeg,png,gif,webp,rawvideo,ffv1,"
    "dvvideo,vp6,vp6f,vp6a,qtrle,cfhd,v210,huffyuv,ffvhuff,utvideo,"
    "aac,aac_fixed,aac_latm,mp3,mp3float,mp2,mp2float,mp1,mp1float,ac3,ac3_fixed,eac3,dca,truehd,mlp,"
    "opus,libopus,vorbis,flac,alac,wavpack,amrnb,amrwb,libopencore_amrnb,libopencore_amrwb,wmav1,wmav2,wmapro,"
    "wmalossless,adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,adpcm_swf,nellymoser,speex,wmavoice,qcelp,evrc,gsm,gsm_ms,pcm_alaw,pcm_mulaw,pcm_u8,pcm_s8,"
    "pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,"
    "pcm_bluray,pcm_dvd,mov_text,subrip,srt,ass,ssa,webvtt,text,dvdsub,pgssub"
)

# AVFMT_FLAG_GENPTS, which PyAV sets on everything it opens: times that a file does not have are better left out than
# made up (H.264 with B-frames in AVI lost half of its pictures).
GENERATE_TIMES = 0x0001
THREADS_MAX = 8  # every frame thread holds whole pictures: more of them do not fit the address space of the child
DONE = "done-"  # where a finished file waits for the parent: a flat name, so no folder of the child can mislead it
_PATH = re.compile(r"^[a-z0-9][a-z0-9._-]{0,99}(/[a-z0-9][a-z0-9._-]{0,99}){0,4}$", re.IGNORECASE)


class Workbench:
    """What one routine works with. `tell` takes messages for the parent (see `protocol.py`) and may be any callable.

    `source` is a seekable, read-only binary file whose name means nothing; `directory` a private writable folder.
    `pieces` are what else it may read, by their names: files that tasks before this one made for it, and a picture that
    is to be laid over what it makes.
    """

    def __init__(
        self,
        *,
        source: SourceFile,
        directory: Path,
        limits: Limits,
        tell: Callable[[Message], None],
        pieces: Mapping[str, SourceFile] = NO_PIECES,
    ) -> None:
        self.source = source
        self.pieces = pieces
        self.directory = directory
        self.limits = limits
        self._tell = tell
        self._numbers = itertools.count()
        self._fraction = 0.0

    def over_piece(self, name: str) -> "Workbench":
        """The same bench, with one of its pieces as the source."""
        other = copy.copy(self)
        other.source = self.pieces[name]
        return other

    def progress(self, fraction: float) -> None:
        """Tell how much is done (0.0–1.0). Going back is silently held; the parent may be told less often."""
        self._fraction = max(self._fraction, min(1.0, fraction))
        self._tell({"says": "progress", "fraction": self._fraction})

    def beat(self) -> None:
        """Tell that work went on without a fraction to name."""
        self._tell({"says": "beat"})

    def finish(self, path: str, content_type: str) -> RenderedFile:
        """Hand over the complete file at `path` (relative, below `directory`). It is gone from there afterwards."""
        check_path(path)
        digest, size = _digest(self.directory / path)
        name = f"{DONE}{next(self._numbers)}"
        (self.directory / path).replace(self.directory / name)
        done = RenderedFile(path=path, size=size, sha256=digest, content_type=content_type)
        self._tell({"says": "file", "name": name, "path": path, "content_type": content_type})
        return done

    def open_container(self) -> "InputContainer":
        """The source, demuxed from its start. Only `DEMUXERS`, no protocol, and every stream guarded. Close it.

        Raises `av.error.FFmpegError` for what is none of them, `MemoryError` for more than `limits.streams_max`.
        """
        import av  # noqa: PLC0415 - a child that makes images never pays for FFmpeg

        self.source.seek(0)
        container = av.open(
            self.source,
            mode="r",
            metadata_errors="replace",
            options={"codec_whitelist": DECODERS, "max_pixels": str(self.limits.video_pixels_max)},
            container_options={
                "format_whitelist": DEMUXERS,
                "protocol_whitelist": "none",
                "codec_whitelist": DECODERS,
                "max_streams": str(self.limits.streams_max),
            },
        )
        container.flags &= ~GENERATE_TIMES
        for stream in container.streams:
            self.guard(stream)
        return container

    def guard(self, stream: "Stream") -> None:
        """Bind a stream's decoder before its first decode: options given at open do not reach it."""
        context: CodecContext | None = stream.codec_context  # there is not always a decoder
        if context is None or context.is_open:
            return
        context.options = {"codec_whitelist": DECODERS, "max_pixels": str(self.limits.video_pixels_max)}
        context.thread_type = "AUTO"  # SLICE, PyAV's default, leaves cores idle
        context.thread_count = min(len(os.sched_getaffinity(0)), THREADS_MAX)


def check_path(path: str) -> str:
    """`path` when it is a plain relative one; `ValueError` for anything that could lead elsewhere."""
    if not _PATH.match(path) or path.startswith(DONE):
        raise ValueError(f"not a plain relative path: {path!r}")
    return path


def _digest(path: Path) -> tuple[str, int]:
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while block := file.read(MIB):
            digest.update(block)
            size += len(block)
    return digest.hexdigest(), size
