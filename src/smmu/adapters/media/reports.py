"""What the child may say, as types: the parent decodes every line into one of these or takes the child for broken.

A child that read hostile bytes may be under their control, so nothing here is believed beyond its shape: paths are
checked where they are used, and files are looked at only after they have left the child's reach.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, JsonValue, TypeAdapter

Count = Annotated[int, Field(ge=0, lt=1 << 63)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The process is confined, by these protections, and begins to read."""

    says: Literal["ready"]
    protections: dict[str, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """Work goes on."""

    says: Literal["beat"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progressed:
    """Work goes on and is so far."""

    says: Literal["progress"]
    fraction: Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """These bytes are wanted, of the source or of the piece that is called `of`."""

    says: Literal["read"]
    start: Count
    length: Count
    of: Annotated[str, Field(max_length=200)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A file waits in the child's folder under `name` and shall be called `path`."""

    says: Literal["file"]
    name: Annotated[str, Field(max_length=30)]
    path: Annotated[str, Field(max_length=500)]
    content_type: Annotated[str, Field(pattern=r"^[a-z]+/[a-z0-9.+-]{1,60}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The order is carried out; `result` is decoded by who gave it."""

    says: Literal["answer"]
    result: JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """The file is at fault: code, sentence and pointer of each reason."""

    says: Literal["refused"]
    reasons: Annotated[list[tuple[str, str, str]], Field(min_length=1, max_length=20)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The process cannot go on, and still can say why."""

    says: Literal["failed"]
    cause: Literal["out_of_memory", "disk_full", "crashed"]
    detail: str


Report = Ready | Beat | Progressed | Read | Finished | Answered | Rejected | Failed

REPORT: TypeAdapter[Report] = TypeAdapter(Annotated[Report, Field(discriminator="says")])
