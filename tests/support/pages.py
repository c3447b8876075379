"""A web page at an address of its own, which is another origin than the service's: what a customer's site is."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

from tests.support.listening import listening

_FOLDER = Path(__file__).parent / "player"
_PLAYER = _FOLDER / "node_modules" / "shaka-player" / "dist" / "shaka-player.compiled.js"


def has_player() -> bool:
    """Whether scripts/player has brought the player for DASH and for menus. In continuous integration it must be there."""
    return _PLAYER.is_file() or os.environ.get("CI") == "true"


class _Files(SimpleHTTPRequestHandler):
    def translate_path(self, path: str) -> str:
        return str(_PLAYER if path.endswith(_PLAYER.name) else _FOLDER / "page.html")


@contextmanager
def page() -> Iterator[str]:
    """The origin that serves the page, whatever is asked for, and the player."""
    with listening(_Files, directory=str(_FOLDER)) as origin:
        yield origin
