"""The command `smmu`: one file per command, and one place where errors become a line and an exit status."""

import sys
from collections.abc import Sequence

from smmu.entrypoints.cli.boundary import USAGE, WORLD_FAILED, ended

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, and leave with its exit status."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; its exit status."""
    try:
        from smmu.entrypoints.cli.commands import application
    except ModuleNotFoundError as error:
        print(f"smmu: {error.name} is not installed: pip install 'smart-media-uploader[embedded]'", file=sys.stderr)  # noqa: T201 - what would print it well is missing
        return WORLD_FAILED

    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        status = int(application(args=given or ["--help"], prog_name="smmu", standalone_mode=False) or 0)
    except BaseException as error:  # noqa: BLE001 - the boundary: whatever it is, it ends in one line and a status
        return ended(error)
    return status if given else USAGE
