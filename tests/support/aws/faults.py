"""What a service of AWS does on a bad day, done between the SDK and the stand-in, over HTTP.

A test plans faults for an action, in order; each meets one request of it. A plan that was not used up fails its test:
a fault that never happened proves nothing. Requests are remembered, by action and in order.
"""

import io
import json
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Body = dict[str, Any]
Answer = tuple[int, Body]
Forward = Callable[[Body], Answer]
Fault = Callable[[Body, Forward], Answer | None]  # `None`: the connection is closed without an answer
Application = Callable[..., Iterable[bytes]]


def refused(code: str, status: int = 400, **more: Any) -> Fault:
    """The service answers with an error, and does nothing."""
    return lambda _, __: (status, {"__type": f"com.amazonaws#{code}", "message": "a bad day", **more})


def cancelled(*codes: str) -> Fault:
    """A transaction is cancelled, for one reason for each of its parts."""
    return refused("TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes])


def unreachable(_: Body, __: Forward) -> None:
    """The connection is closed before anything is done."""


def answer_lost(body: Body, forward: Forward) -> None:
    """It is done, and then the connection is closed."""
    status, answer = forward(body)
    assert status == 200, answer


def answered(**answer: Any) -> Fault:
    """The service answers that, and does nothing."""
    return lambda _, __: (200, answer)


@dataclass
class Weather:
    """What is planned, and what was asked."""

    planned: dict[str, list[Fault]] = field(default_factory=dict)
    requests: list[tuple[str, Body]] = field(default_factory=list)

    def asked(self, action: str) -> list[Body]:
        return [body for name, body in self.requests if name == action]

    @property
    def actions(self) -> list[str]:
        return [name for name, _ in self.requests]


_TODAY: list[Weather] = []


@contextmanager
def weather() -> Iterator[Weather]:
    """Plan faults, and watch, until the block ends."""
    today = Weather()
    _TODAY.append(today)
    try:
        yield today
    finally:
        _TODAY.remove(today)
    left = {action: len(faults) for action, faults in today.planned.items() if faults}
    assert left == {}, f"planned, and never met: {left}"


@dataclass(frozen=True)
class Outdoors:
    """The stand-in as the SDK reaches it."""

    application: Application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        action = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        if not _TODAY or not action:
            return self.application(environ, start_response)
        body = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        _TODAY[-1].requests.append((action, body))
        faults = _TODAY[-1].planned.get(action)
        answer = faults.pop(0)(body, self._forward(environ)) if faults else self._forward(environ)(body)
        if answer is None:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            return []
        status, content = answer
        start_response(f"{status} -", [("Content-Type", environ["CONTENT_TYPE"])])
        return [json.dumps(content).encode()]

    def _forward(self, environ: dict[str, Any]) -> Forward:
        def forward(body: Body) -> Answer:
            data = json.dumps(body).encode()
            status: list[str] = []
            within = {**environ, "wsgi.input": io.BytesIO(data), "CONTENT_LENGTH": str(len(data))}
            content = b"".join(self.application(within, lambda line, _: status.append(line)))
            return int(status[0].split()[0]), json.loads(content or b"{}")

        return forward
