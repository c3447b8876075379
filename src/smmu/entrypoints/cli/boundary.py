"""Where errors end: each becomes one line on standard error and an exit status, and never a trace.

0 what was asked for is done; 1 the input was refused, or its job failed; 2 the command was not understood; 3 the world
failed (a server, a disk). With `SMMU_DEBUG=1` the trace of a bug is shown as well.
"""

import os
import re
import signal
import sys
import traceback

from smmu.entrypoints.cli.terminal import complain

REFUSED, USAGE, WORLD_FAILED = 1, 2, 3
INTERRUPTED = 128 + signal.SIGINT
_CLOSED = 128 + signal.SIGPIPE
_PLAIN = tuple(
    (re.compile(theirs), ours)
    for theirs, ours in (
        (r"^Invalid value for '?([^':]+)'?: ", r"\1 is wrong: "),
        (r"Input should be a valid integer, .*", "it is a whole number"),
        (r"Input should be greater than or equal to (\S+)", r"it is \1 or more"),
        (r"Input should be less than or equal to (\S+)", r"it is \1 or less"),
        (r"Value error, ", ""),
        (r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)", r"There is more than it takes: \1"),
    )
)


class Stop(Exception):
    """A command ends with `status`; `words` say why, unless it has been said."""

    def __init__(self, status: int, words: str = "") -> None:
        super().__init__(words)
        self.status, self.words = status, words


def ended(error: BaseException) -> int:
    """Tell of what a command ended with; the exit status it stands for."""
    words, status = explained(error)
    if words:
        complain(words)
    if status == REFUSED and _is_bug(error) and os.environ.get("SMMU_DEBUG", "") not in ("", "0"):
        traceback.print_exception(error, file=sys.stderr)
    return status


def explained(error: BaseException) -> tuple[str, int]:
    """An error in one line, and its exit status."""
    error = _first(error)
    for explain in (_of_the_shell, _of_usage, _of_rules, _of_the_world):
        found = explain(error)
        if found is not None:
            return found
    return _of_bugs(error), REFUSED


def _first(error: BaseException) -> BaseException:
    """What went wrong first, of errors that came in a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _of_the_shell(error: BaseException) -> tuple[str, int] | None:
    if isinstance(error, Stop):
        return error.words, error.status
    if isinstance(error, SystemExit):
        return "", error.code if isinstance(error.code, int) else REFUSED
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", INTERRUPTED
    if isinstance(error, BrokenPipeError):
        return "", _CLOSED
    return None


def _of_usage(error: BaseException) -> tuple[str, int] | None:
    from typer.exceptions import Abort, TyperException

    from smmu.bootstrap.variables import SettingsError
    from smmu.client.errors import Unusable

    if isinstance(error, Abort):
        return "interrupted", INTERRUPTED
    if isinstance(error, (SettingsError, Unusable)):
        return str(error), USAGE
    if isinstance(error, TyperException):
        command = getattr(getattr(error, "ctx", None), "command_path", "smmu")
        return f"{_sentence(_plain(error.format_message()))} See {command} --help.", USAGE
    return None


def _plain(words: str) -> str:
    """A usage error without the words of the libraries that found it."""
    for theirs, ours in _PLAIN:
        words = theirs.sub(ours, words)
    return words


def _of_rules(error: BaseException) -> tuple[str, int] | None:
    from smmu.client.errors import ClientError, FileChanged, ServerRefused
    from smmu.domain.errors import Refused

    if isinstance(error, Refused):
        return error.message, REFUSED
    if isinstance(error, FileChanged):
        return str(error), REFUSED
    if isinstance(error, ServerRefused):
        return str(error), REFUSED if error.is_ours else WORLD_FAILED
    if isinstance(error, ClientError):
        return str(error), WORLD_FAILED
    return None


def _of_the_world(error: BaseException) -> tuple[str, int] | None:
    from smmu.ports.errors import WorldError

    if isinstance(error, WorldError):
        return _sentence(str(error)), WORLD_FAILED
    if isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith("smmu"):
        return f"This command needs {error.name}: pip install 'smart-media-uploader[embedded]'", WORLD_FAILED
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return _sentence(f"{place}{error.strerror or error}"), WORLD_FAILED
    return None


def _of_bugs(error: BaseException) -> str:
    told = _line(str(error))
    return f"This is a bug of ours ({type(error).__name__}{': ' if told else ''}{told}). SMMU_DEBUG=1 shows where."


def _is_bug(error: BaseException) -> bool:
    return explained(error)[0].startswith("This is a bug")


def _sentence(words: str) -> str:
    line = _line(words)
    return line if line.endswith((".", "!", "?")) else f"{line}."


def _line(words: str) -> str:
    return " ".join(words.split())
