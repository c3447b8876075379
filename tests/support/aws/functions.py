"""Lambda functions in Lambda's own runtime: `awslambdaric` in a process, and the Runtime API that feeds it.

One sandbox for each function, warm from its first event on, so events of one function are handled one after the other.
Source of the API: AWS Lambda developer guide, "Building a custom runtime", version 2018-06-01.
"""

import json
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from typing import Any

_LOOK_SECONDS = 0.2


class FunctionError(Exception):
    """What a function raised: its class is called as the error is."""

    def __init__(self, payload: Mapping[str, Any]) -> None:
        super().__init__(payload.get("errorMessage", ""))


def named(payload: Mapping[str, Any]) -> FunctionError:
    """The error as one of a class that has its name: callers tell errors apart by that, as Lambda's do."""
    kind: type[FunctionError] = type(str(payload.get("errorType", "Unknown")), (FunctionError,), {})
    return kind(payload)


@dataclass(slots=True)
class _Invocation:
    event: bytes
    deadline: float
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    ended: threading.Event = field(default_factory=threading.Event)
    failed: bool = False
    answer: bytes = b""


class Function:
    """One function. Its process starts with the first event, and again after it has died."""

    def __init__(self, name: str, handler: str, environment: Mapping[str, str], log: Path, seconds: float = 60) -> None:
        self.name = name
        self.invocations = 0
        self.seconds: list[float] = []  # of each invocation that is over
        self._handler = handler
        self._environment = environment
        self._log = log
        self._seconds = seconds
        self._waiting: Queue[_Invocation] = Queue()
        self._known: dict[str, _Invocation] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _routes(self._next, self._end))
        threading.Thread(target=self._server.serve_forever, name=f"runtime api of {name}", daemon=True).start()

    def __call__(self, event: Any) -> Any:
        """Handle an event; its answer. Raises `FunctionError` for what the function raises."""
        invocation = _Invocation(json.dumps(event).encode(), time.time() + self._seconds)  # noqa: TID251 - real time
        self._known[invocation.id] = invocation
        self._waiting.put(invocation)
        self.invocations += 1
        begun = time.monotonic()
        try:
            self._wait(invocation)
        finally:
            self.seconds.append(time.monotonic() - begun)
        answer = json.loads(invocation.answer or b"null")
        if invocation.failed:
            raise named(answer)
        return answer

    def kill(self) -> None:
        """End its process, as Lambda ends a sandbox; the next event starts another."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """It is not needed any more."""
        self.kill()
        self._server.shutdown()
        self._server.server_close()

    def _wait(self, invocation: _Invocation) -> None:
        self._start()
        while not invocation.ended.wait(_LOOK_SECONDS):
            self._start()
            if time.time() > invocation.deadline:  # noqa: TID251 - real time
                self._known.pop(invocation.id, None)
                self.kill()
                raise named({"errorType": "Sandbox.Timedout", "errorMessage": f"{self.name} timed out"})

    def _start(self) -> None:
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                host, port = self._server.server_address[:2]
                environment = {
                    **self._environment,
                    "AWS_LAMBDA_RUNTIME_API": f"{host!s}:{port}",
                    "AWS_LAMBDA_FUNCTION_NAME": self.name,
                    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
                    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
                    "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.name}",
                    "AWS_LAMBDA_LOG_STREAM_NAME": "one",
                    "LAMBDA_TASK_ROOT": str(Path.cwd()),
                }
                with self._log.open("ab") as log:
                    command = [sys.executable, "-m", "awslambdaric", self._handler]
                    self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def _next(self) -> _Invocation | None:
        try:
            return self._waiting.get(timeout=_LOOK_SECONDS)
        except Empty:
            return None

    def _end(self, invocation_id: str, answer: bytes, *, failed: bool) -> None:
        known = self._known.pop(invocation_id, None)
        if known is not None:
            known.answer, known.failed = answer, failed
            known.ended.set()


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A sandbox that was killed does not hear its answer: nothing to tell anybody."""


def _routes(following: Callable[[], _Invocation | None], end: Callable[..., None]) -> type[BaseHTTPRequestHandler]:
    class Routes(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            invocation = None
            while invocation is None:
                if self._gone():
                    return
                invocation = following()
            headers = {
                "Lambda-Runtime-Aws-Request-Id": invocation.id,
                "Lambda-Runtime-Deadline-Ms": str(int(invocation.deadline * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-central-1:123456789012:function:one",
                "Content-Type": "application/json",
            }
            self._answer(200, invocation.event, headers)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            *_, invocation_id, kind = self.path.split("/")
            end(invocation_id, body, failed=kind == "error")
            self._answer(202, b"{}", {})

        def _gone(self) -> bool:
            """Whether the sandbox that waits here was killed."""
            try:
                return not self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
            except BlockingIOError:
                return False

        def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    return Routes
