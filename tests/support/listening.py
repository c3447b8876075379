"""Small servers on this machine for tests, each in a thread of its own for as long as it is needed."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_POLL_SECONDS = 0.01  # how long it may take to end


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler], **given: Any) -> Iterator[str]:
    """The origin at which `handler`, with what it is `given`, answers; nobody is told of each request."""
    quiet = type(handler.__name__, (handler,), {"log_message": lambda *_: None})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(quiet, **given)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": _POLL_SECONDS}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
