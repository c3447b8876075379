"""`RemotePolicy`: a service of the deployment's own, asked by HTTP. docs/policy.md is what its authors read.

The question is signed, so that the service knows who asks; the answer is protected by TLS. No redirect is followed,
nothing is unpacked, and no more of an answer is read than an answer can have.
"""

import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit

import anyio
import httpx

from smmu.domain.policy import Unanswered, Verdict
from smmu.ports.errors import Corrupt, Denied, Throttled, Unavailable, WorldError
from smmu.ports.policy import Policy, Question
from smmu.ports.system import Clock

SIGNATURE = "smmu-signature"
ANSWER_BYTES_MAX = 16 * 1024
_OK, _TIMEOUT, _TOO_MANY, _SERVER = 200, 408, 429, 500
_DENIED = frozenset({401, 403})


@dataclass(frozen=True, slots=True, kw_only=True)
class RemotePolicy(Policy):
    """Posts the question to `url` as JSON, signed with `key`."""

    url: str
    key: bytes = field(repr=False)
    clock: Clock
    seconds: float = 10.0
    unanswered: Unanswered = Unanswered.CLOSED

    async def judge(self, question: Question) -> Verdict:
        """See the port."""
        body = json.dumps(asdict(question), separators=(",", ":")).encode()
        try:
            with anyio.move_on_after(self.seconds):
                return _verdict_in(await self._answer(body))
            raise Unavailable(f"has not answered in {self.seconds:g} s")
        except WorldError as error:  # all of them are ours, and say what it did: who it is, is said here
            raise type(error)(f"the policy at {urlsplit(self.url).netloc} {error}") from error

    async def _answer(self, body: bytes) -> bytes:
        headers = {
            "content-type": "application/json",
            "accept": "application/json",
            "accept-encoding": "identity",
            SIGNATURE: signature(self.key, int(self.clock.now()), body),
        }
        try:
            async with (
                httpx.AsyncClient(timeout=self.seconds, follow_redirects=False) as client,
                client.stream("POST", self.url, content=body, headers=headers) as response,
            ):
                if response.status_code != _OK:
                    raise _refused(response.status_code)
                return await _bounded(response)
        except httpx.HTTPError as error:
            raise Unavailable(f"cannot be reached: {error!r}") from error


def signature(key: bytes, now: int, body: bytes) -> str:
    """When it was asked, and the HMAC-SHA256 of that, a full stop and the body."""
    return f"t={now},v1={hmac.digest(key, f'{now}.'.encode() + body, 'sha256').hex()}"


async def _bounded(response: httpx.Response) -> bytes:
    read = bytearray()
    async for piece in response.aiter_raw():
        read += piece
        if len(read) > ANSWER_BYTES_MAX:
            raise Corrupt(f"gave an answer of more than {ANSWER_BYTES_MAX} bytes")
    return bytes(read)


def _refused(status: int) -> WorldError:
    words = f"answered with status {status}"
    if status == _TOO_MANY:
        return Throttled(words)
    if status == _TIMEOUT or status >= _SERVER:
        return Unavailable(words)
    return Denied(words) if status in _DENIED else Corrupt(words)


def _verdict_in(answer: bytes) -> Verdict:
    """`{"accept": true}`, or false with `code` and `message`. What else it says is for later versions."""
    try:
        found = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise Corrupt("gave an answer that is no JSON") from error
    accept = found.get("accept") if isinstance(found, Mapping) else None
    if not isinstance(accept, bool):
        raise Corrupt('gave an answer without an "accept" that is true or false')
    code, message = found.get("code", ""), found.get("message", "")
    if not isinstance(code, str) or not isinstance(message, str):
        raise Corrupt("gave an answer whose code or message is no text")
    try:
        return Verdict(accepted=accept, code=code, message=message)
    except ValueError as error:
        raise Corrupt(f"gave an answer that is wrong: {error}") from error
