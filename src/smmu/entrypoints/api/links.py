"""Addresses: what a platform's stores sign as a path becomes absolute here; ids in a path are looked at once."""

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request

from smmu.domain.errors import Code, refuse
from smmu.domain.values import JOB, MEDIA, UPLOAD, is_id
from smmu.entrypoints.api.headers import header

_NAMES = {UPLOAD: "upload", JOB: "job", MEDIA: "media"}


@dataclass(frozen=True, slots=True)
class Links:
    """`public_url` is how clients reach this API; without it, each is told the address it used itself."""

    public_url: str | None = None

    def base(self, request: Request) -> str:
        """The address of the API, without a slash at its end."""
        if self.public_url is not None:
            return self.public_url.rstrip("/")
        scope = request.scope
        host = header(request, b"host") or "localhost"
        return f"{scope['scheme']}://{host}{scope.get('root_path', '')}".rstrip("/")

    def absolute(self, url: str, base: str) -> str:
        """`url` as a client can use it. Stores with an address of their own sign absolute URLs already."""
        return base + url if url.startswith("/") else url


def id_in(request: Request, prefix: str) -> str:
    """The id in the path. What cannot be one answers exactly as one that does not exist."""
    text: str = request.path_params["id"]
    if not is_id(prefix, text):
        raise refuse(Code.NOT_FOUND, f"There is no such {_NAMES[prefix]}.")
    return text


def next_page(path: str, query: dict[str, str]) -> dict[str, str]:
    """The header that names the next page (RFC 8288)."""
    return {"link": f'<{path}?{urlencode(query)}>; rel="next"'}
