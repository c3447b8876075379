"""Request headers as they came: a look takes a fraction of what Starlette's mapping of all of them does."""

from starlette.requests import Request


def header(request: Request, name: bytes) -> str | None:
    """The first header of this name, which is in lower case; `None` when there is none."""
    for found, value in request.scope["headers"]:
        if found == name:
            text: str = value.decode("latin-1")
            return text
    return None
