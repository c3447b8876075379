"""Policies that a test tells what to answer: a callable, and a service on this machine that is asked by HTTP."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from smmu.adapters.inmemory.system import AnyioClock
from smmu.adapters.policy.function import FunctionPolicy
from smmu.adapters.policy.remote import RemotePolicy
from smmu.domain.policy import Unanswered, Verdict
from smmu.ports.errors import Unavailable
from smmu.ports.policy import Policy, Question
from tests.support.listening import listening

KEY = b"a key that the service knows as well"
SLOW_SECONDS = 0.6  # longer than the policies of a contract may take


@dataclass(slots=True)
class Mind:
    """What a policy answers next, and what it was asked. `trouble` is what it does instead of answering."""

    verdict: Verdict = field(default_factory=lambda: Verdict(accepted=True))
    trouble: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)


def in_process(mind: Mind, seconds: float, unanswered: Unanswered) -> Policy:
    def judge(question: Question) -> Verdict:
        mind.asked.append(json.loads(json.dumps(asdict(question))))
        if mind.trouble == "slow":
            time.sleep(SLOW_SECONDS)  # noqa: TID251 (a deployment's code may do as it likes)
        if mind.trouble == "away":
            raise Unavailable("its database is away")
        if mind.trouble == "broken":
            raise KeyError("a bug")
        return mind.verdict

    return FunctionPolicy(function=judge, seconds=seconds, unanswered=unanswered)


@dataclass(slots=True)
class Answer:
    """An answer by HTTP, as bytes. `headers` and `body` are of the last request."""

    status: int = 200
    body: bytes | None = None
    more: dict[str, str] = field(default_factory=dict)
    got_headers: dict[str, str] = field(default_factory=dict)
    got_body: bytes = b""


@dataclass(frozen=True, slots=True)
class Service:
    """The service: where it is, its mind, and what it says when that is not its mind's word."""

    url: str
    mind: Mind
    answer: Answer

    def policy(self, seconds: float = 5.0, unanswered: Unanswered = Unanswered.CLOSED) -> RemotePolicy:
        return RemotePolicy(url=self.url, key=KEY, clock=AnyioClock(), seconds=seconds, unanswered=unanswered)


@contextmanager
def serving(mind: Mind) -> Iterator[Service]:
    answer = Answer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer.got_headers = {name.lower(): value for name, value in self.headers.items()}
            answer.got_body = self.rfile.read(int(self.headers["content-length"]))
            mind.asked.append(json.loads(answer.got_body))
            if mind.trouble == "slow":
                time.sleep(SLOW_SECONDS)  # noqa: TID251 (as above)
            status = {"away": 503, "broken": 404}.get(mind.trouble, answer.status)
            body = _said(mind.verdict) if answer.body is None else answer.body
            self.send_response(status)
            for name, value in {"content-length": str(len(body)), **answer.more}.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(body)
            except ConnectionError as error:  # who asked did not wait
                self.log_error("%s", error)

    with listening(Handler) as origin:
        yield Service(f"{origin}/judge", mind, answer)


def _said(verdict: Verdict) -> bytes:
    return json.dumps({"accept": verdict.accepted, "code": verdict.code, "message": verdict.message}).encode()
