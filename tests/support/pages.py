"""A web page at an address of its own, which is another origin than the service's: what a customer's site is."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_FOLDER = Path(__file__).parent / "player"
_PLAYER = _FOLDER / "node_modules" / "shaka-player" / "dist" / "shaka-player.compiled.js"


def has_player() -> bool:
    """Whether scripts/player has brought the player for DASH and for menus. In continuous integration it must be there."""
    return _PLAYER.is_file() or os.environ.get("CI") == "true"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is called
        """Say nothing."""

    def translate_path(self, path: str) -> str:
        return str(_PLAYER if path.endswith(_PLAYER.name) else _FOLDER / "page.html")


@contextmanager
def page() -> Iterator[str]:
    """The origin that serves the page, whatever is asked for, and the player."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(_FOLDER)))
    thread = threading.Thread(target=server.serve_forever, name="page", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
