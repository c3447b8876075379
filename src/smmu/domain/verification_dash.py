"""Whether an MPD is about the renditions that are there: what it offers, against what is listed and what was played.

It reads MPDs of the form that `adapters/media/dash.py` writes and `text_tracks.py` completes, and calls any other none.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from smmu.domain.plan import Role
from smmu.domain.verification import Listed, PlayedTrack, resolved

_SPACE: Final = "{urn:mpeg:dash:schema:mpd:2011}"
_OFFERED: Final = frozenset({Role.HLS_VIDEO, Role.HLS_AUDIO})
_NUMBER: Final = "$Number%05d$"
_SECONDS_TOLERANCE: Final = 0.002  # of what is told in thousandths, and of pictures' times as floating point


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """One Representation. `files` begins with its initialisation section; `starts` are its segments' in seconds."""

    name: str
    codecs: str
    files: tuple[str, ...]
    starts: tuple[Fraction, ...] = ()
    seconds: Fraction = Fraction(0)
    size: tuple[int, int] = (0, 0)


def complaints(
    text: str, path: str, listed: Sequence[Listed], played: Mapping[str, Sequence[PlayedTrack]]
) -> Iterator[str]:
    """Everything in which the MPD at `path` is not about what is listed, and was played: tracks by rendition."""
    try:
        offered = list(read(text, path.rpartition("/")[0]))
    except (ET.ParseError, ValueError, KeyError, ZeroDivisionError):
        yield "its manifest is none"
        return
    owners = {file: one for one in listed for file in one.files if one.role not in (Role.HLS, Role.DASH)}
    for one in offered:
        missing = next((file for file in one.files if file not in owners), None)
        if missing is not None:
            yield f"it names {missing}, which the manifest does not list"
        else:
            owner = owners[one.files[0]]
            yield from _of_one(one, owner, played.get(owner.name, ()))
    told = {owners[file].name for one in offered for file in one.files if file in owners}
    yield from (f"it does not offer {one.name}" for one in listed if one.role in _OFFERED and one.name not in told)


def read(text: str, folder: str) -> Iterator[Offered]:
    """What an MPD in `folder` offers. `ValueError`, `KeyError` or `ParseError` for one that is none of ours."""
    if "<!" in text:  # no entities, and nothing to expand
        msg = "an MPD of ours has no declarations"
        raise ValueError(msg)
    root = ET.fromstring(text)  # noqa: S314 - it has no declarations
    if root.tag != f"{_SPACE}MPD":
        msg = "it is no MPD"
        raise ValueError(msg)
    base = _below(folder, root)
    for each in root.iter(f"{_SPACE}AdaptationSet"):
        for one in each.iter(f"{_SPACE}Representation"):
            template = each.find(f"{_SPACE}SegmentTemplate")
            if template is None:
                yield Offered(name=one.attrib["id"], codecs="", files=(_below(base, one).removesuffix("/"),))
            else:
                yield _of_template(one, template, _below(base, one))


def _below(folder: str, element: ET.Element) -> str:
    """The folder that addresses in `element` are relative to, with a stroke behind it; "" for the manifest's."""
    folder = folder if not folder or folder.endswith("/") else f"{folder}/"
    address = element.findtext(f"{_SPACE}BaseURL")
    return folder if address is None else f"{resolved(folder, address)}/"


def _of_template(one: ET.Element, template: ET.Element, base: str) -> Offered:
    name, ticks = one.attrib["id"], int(template.attrib["timescale"])
    starts, at = [], 0
    for each in template.iter(f"{_SPACE}S"):
        for _ in range(int(each.get("r", "0")) + 1):
            starts.append(Fraction(at, ticks))
            at += int(each.attrib["d"])
    first = int(template.attrib["startNumber"])
    media = [template.attrib["media"].replace(_NUMBER, f"{first + number:05d}") for number in range(len(starts))]
    named = [address.replace("$RepresentationID$", name) for address in (template.attrib["initialization"], *media)]
    return Offered(
        name=name,
        codecs=one.attrib["codecs"],
        files=tuple(resolved(base, address) for address in named),
        starts=tuple(starts),
        seconds=Fraction(at, ticks),
        size=(int(one.get("width", "0")), int(one.get("height", "0"))),
    )


def _of_one(one: Offered, owner: Listed, tracks: Sequence[PlayedTrack]) -> Iterator[str]:
    if not one.starts:
        return  # a text, which is one file
    if one.codecs != owner.codecs:
        yield f"it says that {owner.name} is {one.codecs}, and it is {owner.codecs}"
    width, height = next(((track.width, track.height) for track in tracks), (owner.width or 0, owner.height or 0))
    if one.size != (width, height):
        yield f"it says that {owner.name} is {one.size[0]} × {one.size[1]}, and it is {width} × {height}"
    left_out = sum(file.endswith(".m4s") and file not in one.files for file in owner.files)
    if left_out:
        yield f"it leaves out {left_out} of the segments of {owner.name}"
    if owner.duration_s is not None and abs(float(one.seconds) - owner.duration_s) > _SECONDS_TOLERANCE:
        yield f"its timeline of {owner.name} lasts {float(one.seconds):.3f} s and not {owner.duration_s:.3f} s"
    for track in tracks:
        cuts = [start for start in map(float, one.starts) if track.keyframes and not _is_near(start, track.keyframes)]
        if cuts:
            yield f"it cuts {owner.name} at {cuts[0]:.3f} s, where no keyframe is"


def _is_near(start: float, keyframes: Sequence[float]) -> bool:
    return any(abs(start - key) <= _SECONDS_TOLERANCE for key in keyframes)
