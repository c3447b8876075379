"""A stand-in of AWS on this machine: moto's server in a thread of this process, one for all tests of it.

What it does wrong against the real services, and what is done about it here:

- DynamoDB: transactions lose updates when requests overlap, so they are let in one at a time.
- Step Functions: see mends.py, which machines.py applies where state machines are run.
- ECS: tasks are words; containers.py really runs them.
"""

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from smmu.adapters.aws.account import Account

REGION = "eu-central-1"
_KEY = ("AKIDEXAMPLE", "a-secret-that-is-none")


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

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application = _OneAtATime(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", port, application, threaded=True, request_handler=MotoRequestHandler)
    threading.Thread(target=server.serve_forever, name="moto", daemon=True).start()
    return Account(region=REGION, endpoint=f"http://127.0.0.1:{port}", credentials=_KEY)


class _OneAtATime:
    """Lets DynamoDB's requests in one at a time."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB"):
            return self._application(environ, start_response)
        with self._lock:
            return list(self._application(environ, start_response))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
