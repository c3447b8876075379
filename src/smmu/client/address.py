"""Where a server is and who asks it, as a user writes them: what cannot be that is refused before anything is sent."""

import re

import httpx

from smmu.client.errors import Unusable

_PORT_MAX = 65_535
_TOKEN = re.compile(r"[!-~]+")
_SECRET = re.compile(r"//[^/@]*@")


def address_in(text: str) -> str:
    """The address that requests begin with. Raises `Unusable`."""
    if not _is_address(text):
        shown = _SECRET.sub("//…@", text)
        raise Unusable(f"{shown!r} is not the address of a server: write it as http://HOST:PORT or https://HOST.")
    return text.rstrip("/")


def token_in(text: str) -> str:
    """What goes into a header. Raises `Unusable`, which does not show it: most of it may be a secret."""
    if not _TOKEN.fullmatch(text):
        raise Unusable("The token is not one: it is a single word of ASCII characters, as smmu token prints it.")
    return text


def _is_address(text: str) -> bool:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        return False
    return (
        url.scheme in ("http", "https")
        and bool(url.host)
        and not url.userinfo
        and (url.port is None or 0 < url.port <= _PORT_MAX)
        and not any(character.isspace() or character in "?#" for character in text)
    )
