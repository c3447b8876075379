"""What Hypothesis draws facts, options and sizes from: everything that inspection may state and admission lets in."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from smmu.domain.facts import AudioTrack, Groups, ImageFacts, Kind, MediaFacts, SubtitleTrack, Transfer, VideoTrack
from smmu.domain.judgement import judge, judge_options
from smmu.domain.limits import Limits
from smmu.domain.options import IMAGE_WIDTH_MAX, IMAGE_WIDTH_MIN, PRESETS, RUNGS, Options

LIMITS = Limits()

# whole numbers near the rungs matter more than those between, so they are drawn as often
SIDES = st.one_of(
    st.sampled_from((1, 2, 3, 16, 200, 239, 240, 241, 360, 479, 480, 700, 719, 720, 1079, 1080, 1200, 2160, 4320)),
    st.integers(min_value=1, max_value=8192),
)
RATES = st.one_of(
    st.sampled_from(
        tuple(map(Fraction, ("24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60", "120")))
    ),
    st.fractions(min_value=Fraction(1, 10), max_value=1000, max_denominator=1001),
)
ASPECTS = st.sampled_from(tuple(map(Fraction, ("1", "4/3", "8/9", "64/45", "16/11", "1/2", "3"))))
DURATIONS = st.one_of(st.none(), st.floats(min_value=0, max_value=LIMITS.duration_seconds_max))


@st.composite
def image_facts(draw: st.DrawFn) -> ImageFacts:
    wide = st.one_of(SIDES, st.integers(min_value=1, max_value=LIMITS.image_side_max))
    return ImageFacts(
        width=draw(wide),
        height=draw(wide),
        orientation=draw(st.integers(min_value=1, max_value=8)),
        frames=draw(st.sampled_from((1, 1, 2, 40))),
        has_alpha=draw(st.booleans()),
        bit_depth=draw(st.sampled_from((1, 8, 10, 16))),
        colour=draw(st.sampled_from(("srgb", "cmyk", "p3", "grey"))),
        has_icc=draw(st.booleans()),
        wide_gamut=draw(st.booleans()),
    )


COPIED = VideoTrack(
    index=0,
    codec="h264",
    profile="High",
    level=40,
    width=1920,
    height=1080,
    frame_rate=Fraction(30),
    frames=1800,
    duration_s=60.0,
    colour_primaries="bt709",
    colour_space="bt709",
    colour_transfer="bt709",
    bitrate_bps=5_000_000,
    groups=Groups(count=30, longest_s=2.0, closed=True),
)


@st.composite
def nearly_copied(draw: st.DrawFn) -> VideoTrack:
    """A track that may be copied, but for a few of its facts."""
    shapes = (st.just((1920, 1080)), st.sampled_from(((1080, 1920), (700, 900), (1000, 1000))), st.tuples(SIDES, SIDES))
    changes: dict[str, st.SearchStrategy[Any]] = {
        "profile": st.sampled_from(("", "High", "Main", "High 4:2:2")),
        "level": st.one_of(st.none(), st.integers(min_value=9, max_value=62)),
        "sample_aspect": ASPECTS,
        "rotation_cw": st.sampled_from((0, 90)),
        "reflected": st.booleans(),
        "frame_rate": st.one_of(st.none(), RATES),
        "duration_s": DURATIONS,
        "pixel_format": st.sampled_from(("yuv420p", "yuv422p", "yuvj420p")),
        "bit_depth": st.sampled_from((8, 10)),
        "transfer": st.sampled_from(Transfer),
        "colour_primaries": st.sampled_from(("", "bt709", "bt2020")),
        "colour_space": st.sampled_from(("", "bt709", "smpte170m")),
        "colour_transfer": st.sampled_from(("", "bt709", "srgb")),
        "full_range": st.booleans(),
        "interlaced": st.booleans(),
        "bitrate_bps": st.one_of(st.none(), st.integers(min_value=1, max_value=50_000_000)),
        "groups": st.one_of(
            st.none(),
            st.builds(
                Groups,
                count=st.integers(min_value=1, max_value=500),
                longest_s=st.floats(min_value=0.01, max_value=60),
                closed=st.booleans(),
            ),
        ),
        "trimmed": st.booleans(),
    }
    changed = draw(st.sets(st.sampled_from(sorted(changes)), max_size=2))
    width, height = draw(st.one_of(*shapes))
    return replace(COPIED, width=width, height=height, **{name: draw(changes[name]) for name in sorted(changed)})


@st.composite
def video_tracks(draw: st.DrawFn) -> VideoTrack:
    if draw(st.booleans()):
        return draw(nearly_copied())
    return VideoTrack(
        index=draw(st.integers(min_value=0, max_value=5)),
        codec="h264",
        width=draw(SIDES),
        height=draw(SIDES),
        sample_aspect=draw(ASPECTS),
        rotation_cw=draw(st.sampled_from((0, 90, 180, 270))),
        reflected=draw(st.booleans()),
        frame_rate=draw(st.one_of(st.none(), RATES)),
        variable_frame_rate=draw(st.booleans()),
        frames=draw(st.sampled_from((None, 1, 2, 1000))),
        bit_depth=draw(st.sampled_from((8, 10, 12))),
        transfer=draw(st.sampled_from(Transfer)),
        interlaced=draw(st.booleans()),
    )


@st.composite
def audio_tracks(draw: st.DrawFn) -> tuple[AudioTrack, ...]:
    count = draw(st.integers(min_value=0, max_value=4))
    return tuple(
        AudioTrack(
            index=10 + at,
            codec="aac",
            channels=draw(st.sampled_from((0, 1, 2, 6, 8))),
            sample_rate=draw(st.sampled_from((0, 8_000, 22_050, 44_100, 48_000, 96_000))),
            default=draw(st.booleans()),
        )
        for at in range(count)
    )


@st.composite
def _any_facts(draw: st.DrawFn) -> MediaFacts:
    kind = draw(st.sampled_from(Kind))
    types = {
        Kind.IMAGE: st.sampled_from(("image/jpeg", "image/gif", "image/webp", "image/tiff")),
        Kind.VIDEO: st.just("video/mp4"),
        Kind.AUDIO: st.just("audio/mpeg"),
    }
    return MediaFacts(
        kind=kind,
        container=draw(st.sampled_from(("mp4", "matroska", "mpegts"))) if kind is Kind.VIDEO else "drawn",
        content_type=draw(types[kind]),
        size_bytes=draw(st.integers(min_value=1, max_value=2**40)),
        duration_s=None if kind is Kind.IMAGE else draw(DURATIONS),
        duration_exact=draw(st.booleans()),
        image=draw(image_facts()) if kind is Kind.IMAGE else None,
        video=draw(video_tracks()) if kind is Kind.VIDEO else None,
        audio=() if kind is Kind.IMAGE else draw(audio_tracks()),
        subtitles=(SubtitleTrack(index=20, codec="mov_text"),) if draw(st.booleans()) else (),
        has_cover_art=draw(st.booleans()),
    )


FACTS = _any_facts().filter(lambda facts: not judge(facts, LIMITS))
OPTIONS = st.builds(
    Options,
    image_formats=st.sampled_from((("webp", "jpeg"), ("webp", "jpeg", "avif"))),
    preset=st.sampled_from(PRESETS),
    image_widths=st.one_of(
        st.just(Options().image_widths),
        st.sets(st.integers(min_value=IMAGE_WIDTH_MIN, max_value=IMAGE_WIDTH_MAX), min_size=1, max_size=8).map(
            lambda widths: tuple(sorted(widths))
        ),
    ),
    rungs=st.one_of(st.just(()), st.sets(st.sampled_from(RUNGS), min_size=1).map(lambda rungs: tuple(sorted(rungs)))),
    codecs=st.sampled_from((("h264",), ("h264", "hevc"), ("h264", "av1"), ("h264", "hevc", "av1"))),
    audio_formats=st.sampled_from((("aac",), ("aac", "opus"), ("aac", "mp3"), ("aac", "opus", "mp3"))),
    clip_start_s=st.one_of(st.just(0.0), st.floats(min_value=0, max_value=100)),
    clip_end_s=st.one_of(st.none(), st.floats(min_value=100.1, max_value=1000)),
    mute=st.booleans(),
).filter(lambda options: not (options.mute and options.preset == "audio-only"))
WISHES = st.tuples(FACTS, OPTIONS).filter(lambda drawn: not judge_options(*drawn))
