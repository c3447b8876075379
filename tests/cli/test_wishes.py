"""Wishes on the command line: the API's words, each complaint about the option that it was said with, status 2."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer import Typer

from smmu.domain.options import CHANGEABLE, PRESETS, RUNGS, VIDEO_CODECS, Options, parse_options
from smmu.domain.watermark import WatermarkWish
from smmu.entrypoints.cli.boundary import USAGE, Stop
from smmu.entrypoints.cli.wishes import flags_of, wishing
from smmu.wire import InitRequest
from tests.cli.conftest import Smmu

ADDING = ("media", "add")


def said(*arguments: str) -> Mapping[str, Any]:
    """What a command with these arguments is given to wish."""
    found: list[Mapping[str, Any]] = []

    def command(file: str, *, wishes: Mapping[str, Any]) -> None:
        assert file == "file"
        found.append(wishes)

    application = Typer(add_completion=False)
    application.command()(wishing(command))
    application(["file", *arguments], standalone_mode=False)
    return found[0]


def test_every_option_of_the_api_can_be_said() -> None:
    wishes = said(
        *("--preset", "archive", "--rungs", "720,360", "--codecs", "h264, av1", "--clip", "5:65.5", "--mute"),
        *("--audio-formats", "opus", "--image-formats", "avif", "--image-widths", "320,640", "--read-metadata"),
        *("--watermark", "med_1", "--watermark-position", "center", "--watermark-size", "0.5"),
        *("--watermark-margin", "0.1", "--watermark-opacity", "0.7"),
    )
    assert set(wishes) == set(InitRequest.model_json_schema()["properties"]["options"]["properties"])
    assert parse_options(wishes) == Options(
        preset="archive",
        rungs=(360, 720),
        codecs=("h264", "av1"),
        clip_start_s=5.0,
        clip_end_s=65.5,
        mute=True,
        audio_formats=("aac", "opus"),
        image_formats=("webp", "jpeg", "avif"),
        image_widths=(320, 640),
        read_metadata=True,
        watermark=WatermarkWish(image="med_1", position="center", size=0.5, margin=0.1, opacity=0.7),
    )


def test_who_says_nothing_wishes_nothing() -> None:
    assert said() == {}


@pytest.mark.parametrize(
    ("text", "start", "end"), [("5:", 5.0, None), (":65", 0.0, 65.0), ("0:0.5", 0.0, 0.5), ("1.25:9", 1.25, 9.0)]
)
def test_a_clip_may_leave_out_one_of_its_ends(text: str, start: float, end: float | None) -> None:
    options = parse_options(said("--clip", text))
    assert (options.clip_start_s, options.clip_end_s) == (start, end)


@given(st.fixed_dictionaries({}, optional={
    "preset": st.sampled_from(PRESETS),
    "rungs": st.lists(st.sampled_from(RUNGS), min_size=1, unique=True),
    "codecs": st.lists(st.sampled_from(VIDEO_CODECS), min_size=1, unique=True),
}))  # fmt: skip
def test_what_is_said_is_what_is_wished(drawn: dict[str, Any]) -> None:
    words = {name: value if isinstance(value, str) else ",".join(map(str, value)) for name, value in drawn.items()}
    assert said(*(word for name, value in words.items() for word in (f"--{name}", value))) == drawn


@pytest.mark.parametrize(
    ("arguments", "sentences"),
    [
        (("--rungs", "480,x"), ["--rungs: Rungs are a list of short sides"]),
        (("--rungs", ""), ["--rungs: Rungs are a list of short sides"]),
        (("--clip", "5"), ["--clip: A clip is START:END in seconds, such as 5:65, 5: or :65."]),
        (("--clip", ":"), ["--clip: A clip is START:END"]),
        (("--clip", "1:2:3"), ["--clip: A clip is START:END"]),
        (("--clip", "nan:"), ["--clip: A clip's start is a number of seconds"]),
        (("--clip", "9:5"), ["--clip: The clip ends at 5 s and starts at 9 s"]),
        (("--preset", "best", "--codecs", "vp9"), ["--preset: The preset is not known", "--codecs: Codecs are"]),
        (("--mute", "--preset", "audio-only"), ["--mute: The preset audio-only makes nothing but sound"]),
        (("--image-widths", "3"), ["--image-widths: Image widths are a list"]),
        (("--watermark", ""), ["--watermark: A watermark's image is named by a text"]),
        (("--watermark-size", "0.5"), ["--watermark: A watermark needs an image"]),
        (("--watermark", "a", "--watermark-size", "big"), ["--watermark-size: A watermark's size is a share of"]),
        (("--watermark", "a", "--watermark-opacity", "2"), ["--watermark-opacity: A watermark's opacity is a number"]),
        (("--watermark", "a", "--watermark-margin", "nan"), ["--watermark-margin: A watermark's margin is a share"]),
        (("--watermark", "a", "--watermark-position", "left"), ["--watermark-position: The position is not known"]),
        (("--watermark", "a", "--preset", "audio-only"), ["--watermark: The preset audio-only makes nothing that"]),
        (("--image-formats", "gif"), ["--image-formats: Image formats are a list"]),
    ],
)
def test_a_wish_that_cannot_be_is_told_of_its_option(arguments: tuple[str, ...], sentences: list[str]) -> None:
    with pytest.raises(Stop) as stopped:
        said(*arguments)
    assert stopped.value.status == USAGE
    assert all(sentence in stopped.value.words for sentence in sentences)


@pytest.mark.parametrize("command", [("process", "a"), ("upload", "a", "--url", "http://127.0.0.1:1", "--token", "t")])
def test_both_commands_refuse_bad_wishes_in_one_line_before_anything_is_done(
    smmu: Smmu, tmp_path: Path, command: tuple[str, ...]
) -> None:
    done = smmu(*command, "--rungs", "1")
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith("smmu: --rungs: Rungs are a list of short sides in pixels: 240, ")
    assert list(tmp_path.iterdir()) == []


def test_an_upload_that_is_gone_on_with_keeps_its_wishes(smmu: Smmu) -> None:
    done = smmu("upload", "a", "--url", "u", "--token", "t", "--resume", "upl_1", "--mute", "--clip", "1:")
    assert done.status == 2
    assert "--resume is wrong: an upload keeps the wishes that it began with: leave out --clip, --mute." in done.err
    assert flags_of({}) == ""


def test_what_may_be_added_later_is_all_that_its_help_lists(smmu: Smmu) -> None:
    shown = {command: set(re.findall(r"--[a-z-]+", smmu(*command, "--help").out)) for command in (("upload",), ADDING)}
    addable = {f"--{name.replace('_', '-')}" for name in CHANGEABLE}
    marked = {flag for flag in shown["upload",] if flag.startswith("--watermark-")}
    assert shown[ADDING] == addable | marked | {"--no-watermark", "--url", "--token", "--watch", "--help"}
    assert shown["upload",] > addable


@pytest.mark.parametrize("settled", [("--mute",), ("--clip", "5:"), ("--read-metadata",)])
def test_what_is_settled_with_the_upload_may_still_be_said_and_is_for_the_server_to_refuse(
    smmu: Smmu, settled: tuple[str, ...]
) -> None:
    done = smmu(*ADDING, "med_1", *settled, "--url", "nowhere", "--token", "t")
    assert (done.status, done.out) == (2, "")
    assert "'nowhere' is not the address of a server" in done.err  # which was to be asked


def test_a_watermark_is_not_laid_over_and_taken_away_at_once(smmu: Smmu) -> None:
    done = smmu("media", "add", "med_1", "--url", "u", "--token", "t", "--watermark", "med_2", "--no-watermark")
    assert (done.status, done.out) == (2, "")
    assert (
        done.err
        == "smmu: --no-watermark: a watermark is laid over or taken away, not both: leave out one of the two.\n"
    )
