"""`RungEncoder`: one rung's encoder in a thread of its own, from scaled pictures to segments.

It is told nothing but quality and caps: keyframes come only from the plan (`pict_type` I at planned pictures, no
scene cuts, closed GOPs), so that all rungs switch at the same times. Refuses to scale, to choose pictures, and to
keep running when one of its packets could not be written: the error surfaces in the thread that feeds it.
"""

import queue
import threading
from collections.abc import Iterable, Sequence
from fractions import Fraction

from av.codec import CodecContext
from av.codec.context import Flags
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame

from smmu.adapters.media import cmaf
from smmu.adapters.media.coding import CODINGS, options_for
from smmu.adapters.media.graph import BT709, LIMITED
from smmu.adapters.media.segments import Output, Segmenter
from smmu.domain.plan import RungSpec

WAITING_FRAMES_MAX = 4  # more only costs memory: x264 has its own queue of frames
THREADS_MAX = 12


class RungEncoder:
    """Feed it with `put`, end it with `finish`; segments are told by `output.emit`, from its thread."""

    def __init__(
        self,
        spec: RungSpec,
        output: Output,
        *,
        ticks: int,
        rate: Fraction,
        cuts: Sequence[Fraction] = (),
        threads: int,
    ) -> None:
        self.spec = spec
        self._coding = CODINGS[spec.codec]
        self._context = _open_encoder(spec, ticks, rate, threads)
        self.configuration = self._coding.record(self._context.extradata or b"")
        self.segmenter = Segmenter(
            output,
            seconds=spec.segment_seconds,
            timescale=ticks,
            header=lambda shift: self._header(ticks, shift),
            cuts=cuts,
        )
        self._frames: queue.Queue[VideoFrame | None] = queue.Queue(WAITING_FRAMES_MAX)
        self._end = 0
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"rung {spec.name}", daemon=True)
        self._thread.start()

    @property
    def codecs(self) -> str:
        """RFC 6381 name."""
        return self._coding.name(self.configuration)

    def put(self, frame: VideoFrame) -> None:
        """Encode `frame`; its time, colours and picture type are set. Blocks while the encoder is behind."""
        self._raise_error()
        self._frames.put(frame)

    def finish(self, end: int) -> None:
        """No more pictures; the last one is shown until tick `end`. Returns when everything is written."""
        self._end = end
        self.abandon()
        self._raise_error()

    def abandon(self) -> None:
        """Stop the thread, whatever state it is in."""
        self._frames.put(None)
        self._thread.join()

    def _header(self, ticks: int, shift: int) -> cmaf.TrackHeader:
        return header_of(self.spec, self.configuration, ticks, shift)

    def _run(self) -> None:
        try:
            self._encode_all()
        except BaseException as error:  # noqa: BLE001 - a thread has nobody above it: the feeder raises it
            self._error = error
            while self._frames.get() is not None:
                pass  # nobody may wait for a thread that has given up

    def _encode_all(self) -> None:
        while (frame := self._frames.get()) is not None:
            self._write(self._context.encode(frame))
        self._write(self._context.encode(None))
        self.segmenter.close(self._end)

    def _write(self, packets: Iterable[Packet]) -> None:  # type: ignore[type-arg] # an encoder's packet has no stream
        for packet in packets:
            if packet.pts is None or packet.dts is None:
                raise RuntimeError("the encoder gave a packet without a time")
            data = self._coding.payload(bytes(packet))
            self.segmenter.add(cmaf.Sample(data, packet.pts, packet.dts, packet.is_keyframe))

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error


def header_of(spec: RungSpec, configuration: bytes, ticks: int, shift: int) -> cmaf.TrackHeader:
    """What the initialisation section of a rung says."""
    entry = CODINGS[spec.codec].sample_entry(configuration, spec.width, spec.height)
    return cmaf.TrackHeader(entry=entry, timescale=ticks, width=spec.width, height=spec.height, shift=shift)


def threads_for(share: Fraction, cores: int) -> int:
    """How many threads suit an encoder that has this share of the pixels of all that run beside each other.

    Together they have half as many again as there are cores, which is what x264 takes for itself alone. To give each
    so many costs memory and switching, and no encoder is done sooner.
    """
    return max(1, min(round(share * cores * 3 / 2), THREADS_MAX))


def _open_encoder(spec: RungSpec, ticks: int, rate: Fraction, threads: int) -> VideoCodecContext:
    context = CodecContext.create(CODINGS[spec.codec].encoder, "w")
    assert isinstance(context, VideoCodecContext)  # noqa: S101 - encoders of pictures, all of them
    context.width, context.height, context.pix_fmt = spec.width, spec.height, "yuv420p"
    context.time_base = Fraction(1, ticks)
    context.framerate = min(rate, spec.frame_rate_max)
    context.sample_aspect_ratio = Fraction(1)
    context.color_primaries = context.color_trc = context.colorspace = BT709
    context.color_range = LIMITED
    context.thread_type = "AUTO"  # SLICE, PyAV's default, costs 2.5 % in size
    context.thread_count = threads
    context.flags |= Flags.global_header
    context.options = options_for(spec, threads)
    context.open()
    return context


def mark(frame: VideoFrame, *, tick: int, ticks: int, key: bool) -> None:
    """Set when a picture is shown and whether it starts a group; encoders would obey the source's picture types."""
    frame.pts, frame.time_base, frame.duration = tick, Fraction(1, ticks), 0
    frame.pict_type = PictureType.I if key else PictureType.NONE
