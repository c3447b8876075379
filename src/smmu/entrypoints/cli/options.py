"""Options that several commands have, written once."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from smmu.domain.values import JOB, MEDIA

_OF = {JOB: "a job", MEDIA: "a media"}


def _id_of(prefix: str) -> Callable[[str], str]:
    """Takes what may be an id of that kind, and nothing that is surely none: its place is in an address."""

    def taken(text: str) -> str:
        if text.isascii() and text.startswith(f"{prefix}_") and text.replace("_", "").isalnum():
            return text
        raise typer.BadParameter(f"{text!r} is no id of {_OF[prefix]}, which begins with {prefix}_.")

    return taken


Data = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Where everything is kept. [default: smmu-data]")
]
Files = Annotated[  # one that cannot be read is one bad file among others, and told as such
    list[Path], typer.Argument(metavar="FILE...", readable=False, help="Images, videos, audio files.")
]
Url = Annotated[str, typer.Option("--url", envvar="SMMU_URL", metavar="URL", help="The server.")]
Token = Annotated[
    str,
    typer.Option("--token", envvar="SMMU_TOKEN", metavar="T", help="Who you are: see smmu token.", show_envvar=True),
]
Limit = Annotated[int, typer.Option(min=1, max=200, metavar="N", help="How many.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
JobId = Annotated[str, typer.Argument(metavar="JOB_ID", callback=_id_of(JOB), help="The job.")]
MediaId = Annotated[str, typer.Argument(metavar="MEDIA_ID", callback=_id_of(MEDIA), help="The media.")]
