"""A stand-in of AWS on this machine: moto's server in a thread of this process, one for all tests of it.

What it does wrong against the real services, and what is done about it here:

- S3: what mended_s3.py says; what is left of it is in differences.py.
- DynamoDB: transactions lose updates when requests overlap, so they are let in one at a time.
- SQS: receivers that overlap can get the same message, so its requests are let in one at a time too; and a long poll
  looks for messages that have become visible once a second only, so here it looks more often.
- SQS goes by the machine's clock. Here it goes by one that a test may set (`keep_time`), so that leases end at once.
  What ends at a moment of it is over at that moment, and not only after it.
- Step Functions: see mends.py, which machines.py applies where state machines are run.
- ECS: tasks are words; containers.py really runs them.

What is left is said in differences.py.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import Any

from smmu.adapters.aws.account import Account
from smmu.adapters.embedded.system import SystemClock
from smmu.ports.system import Clock
from tests.support.aws.faults import Outdoors

REGION = "eu-central-1"
_KEY = ("AKIDEXAMPLE", "a-secret-that-is-none")
_LOOK_SECONDS = 0.02
_SERIAL = ("DynamoDB", "AmazonSQS")


@cache
def account() -> Account:
    """The stand-in's account; the first who asks starts it. It ends with this process."""
    port = _free_port()
    os.environ["MOTO_PORT"] = str(port)  # where its own state machines find the other services
    from moto.moto_server.werkzeug_app import (  # noqa: PLC0415 - it reads the port when it is imported
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server  # noqa: PLC0415 - as above

    from tests.support.aws.mended_s3 import mend  # noqa: PLC0415 - as above

    mend()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application = _OneAtATime(DomainDispatcherApplication(create_backend_app))
    _mend_queues(application.lock)
    server = make_server("127.0.0.1", port, Outdoors(application), threaded=True, request_handler=MotoRequestHandler)
    threading.Thread(target=server.serve_forever, name="moto", daemon=True).start()
    return Account(region=REGION, endpoint=f"http://127.0.0.1:{port}", credentials=_KEY)


@contextmanager
def keep_time(clock: Clock) -> Iterator[None]:
    """Let the queues go by this clock until the block ends."""
    before, _QUEUES.clock = _QUEUES.clock, clock
    try:
        yield
    finally:
        _QUEUES.clock = before


Answer = bytes | tuple[str, bytes]  # a body, or a status and a body
Watch = Callable[[dict[str, Any]], Answer | None]
"""Sees each request (as WSGI has it) before the stand-in does, and may answer it in its place."""

WATCHES: list[Watch] = []


@contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """Meanwhile `watch` sees each request."""
    WATCHES.append(watch)
    try:
        yield
    finally:
        WATCHES.remove(watch)


class _OneAtATime:
    """Lets some services' requests in one at a time; but not a long poll, which would keep everyone out."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application
        self.lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        for watch in tuple(WATCHES):
            answer = watch(environ)
            if answer is not None:
                status, body = ("200 OK", answer) if isinstance(answer, bytes) else answer
                start_response(status, [("content-type", "application/x-amz-json-1.1")])
                return [body]
        if not target.startswith(_SERIAL) or target == "AmazonSQS.ReceiveMessage":
            return self._application(environ, start_response)
        with self.lock:
            return list(self._application(environ, start_response))


class _Queues:
    """What the queues' clock is."""

    clock: Clock = SystemClock()

    def now(self) -> float:
        return self.clock.now()

    def now_millis(self) -> float:
        return self.clock.now() * 1000


_QUEUES = _Queues()


def _mend_queues(lock: threading.Lock) -> None:
    """Put a clock that can be set and a long poll that looks often, alone each time, into moto's queues."""
    models: Any = import_module("moto.sqs.models")  # only now that the port is known
    look_once = models.SQSBackend.receive_message

    def look_often(
        backend: Any, queue_name: str, count: int, wait_seconds: int, *settings: Any, **more: Any
    ) -> list[Any]:
        until = time.monotonic() + wait_seconds
        while True:
            with lock:
                found: list[Any] = look_once(backend, queue_name, count, 0, *settings, **more)
            if found or time.monotonic() >= until:
                return found
            threading.Event().wait(_LOOK_SECONDS)

    models.SQSBackend.receive_message = look_often
    models.unix_time, models.unix_time_millis = _QUEUES.now, _QUEUES.now_millis
    models.Message.visible = property(lambda message: _QUEUES.now_millis() >= message.visible_at)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
