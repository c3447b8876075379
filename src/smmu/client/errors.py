"""How talking to a server can fail, each way in one clear sentence. Nothing here needs an HTTP library."""

from collections.abc import Sequence
from http import HTTPStatus

from smmu.wire import Fault, Problem

_INTERNAL = "internal"


class ClientError(Exception):
    """What was asked for was not done. `code` is stable: a server's own, or one of this module's."""

    code = "client_error"


class ServerRefused(ClientError):
    """The server answered with a problem document, or with a status that says no."""

    def __init__(self, status: int, code: str, message: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message)
        self.status, self.code, self.faults = status, code, tuple(faults)

    @property
    def is_ours(self) -> bool:
        """Whether the request was at fault, so that the same one will always be refused."""
        return self.status < HTTPStatus.INTERNAL_SERVER_ERROR


class Unreachable(ClientError):
    """The server, or the storage it names, could not be reached, however often it was tried."""

    code = "unreachable"


class Unusable(ClientError):
    """What was given as a server's address or as a token cannot be one."""

    code = "unusable"


class FileChanged(ClientError):
    """The file is not the one whose upload was begun."""

    code = "file_changed"


class NotUnderstood(ClientError):
    """What answered is no server of ours."""

    code = "not_understood"


def refusal(status: int, body: bytes) -> ServerRefused:
    """The error that an answer with `status` is, whether or not its body is a problem document."""
    try:
        problem = Problem.model_validate_json(body)
    except ValueError:
        return ServerRefused(status, f"http_{status}", f"The server answered {status} {_phrase(status)}.")
    return ServerRefused(status, problem.code, problem.message, problem.errors)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "without saying why"
