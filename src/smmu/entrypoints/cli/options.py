"""Options that several commands have, written once."""

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Where everything is kept. [default: smmu-data]")
]
Url = Annotated[str, typer.Option("--url", envvar="SMMU_URL", metavar="URL", help="The server.")]
Token = Annotated[
    str,
    typer.Option("--token", envvar="SMMU_TOKEN", metavar="T", help="Who you are: see smmu token.", show_envvar=True),
]
Limit = Annotated[int, typer.Option(min=1, max=200, metavar="N", help="How many.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
