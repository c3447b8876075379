"""A real Chromium without a window, driven by its own protocol over a pipe: no driver and no library between.

Debian's package `chromium-headless-shell` is enough; it plays H.264, AAC and HLS by itself.
"""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROGRAMS = ("chromium-headless-shell", "chromium")
_SECONDS_MAX = 60
# Started as root, as tests may be, it has no sandbox; nobody's page is opened in it but ours.
_OPTIONS = (
    "--headless",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-gpu",
    "--mute-audio",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
)


def program() -> str | None:
    """Where a Chromium is."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


def is_present() -> bool:
    """In continuous integration it must be there: tests of it then fail where it is not."""
    return program() is not None or os.environ.get("CI") == "true"


@dataclass(slots=True)
class Page:
    """One page."""

    browser: "Browser"
    session: str

    def open(self, url: str) -> None:
        self.browser.call("Page.navigate", self.session, url=url)
        self.evaluate("new Promise(done => document.readyState === 'complete' ? done() : window.onload = done)")

    def evaluate(self, script: str) -> Any:
        """What a script comes to, waiting for its promise."""
        told = self.browser.call(
            "Runtime.evaluate", self.session, expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in told, json.dumps(told["exceptionDetails"])[:2_000]
        return told["result"].get("value")

    def photograph(self, target: Path) -> Path:
        """A picture of what it shows, as PNG."""
        told = self.browser.call("Page.captureScreenshot", self.session, format="png")
        target.write_bytes(base64.b64decode(told["data"]))
        return target


@dataclass(slots=True)
class Browser:
    """A running browser: `to` and `back` are the ends of its pipes."""

    to: int
    back: int
    number: int = 0
    held: bytearray = field(default_factory=bytearray)

    def page(self) -> Page:
        target = self.call("Target.createTarget", url="about:blank", width=854, height=540)["targetId"]
        return Page(self, self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        self.number += 1
        message: dict[str, Any] = {"id": self.number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + _SECONDS_MAX
        while (told := self._next(deadline)).get("id") != self.number:
            continue
        assert "error" not in told, told
        answer: dict[str, Any] = told["result"]
        return answer

    def _next(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self.held:
            ready, _, _ = select.select([self.back], [], [], max(0.0, deadline - time.monotonic()))
            data = os.read(self.back, 1 << 16) if ready else b""
            assert data, "the browser does not answer"
            self.held += data
        line, _, rest = bytes(self.held).partition(b"\0")
        self.held = bytearray(rest)
        told: dict[str, Any] = json.loads(line)
        return told


@contextmanager
def chromium(log: Path) -> Iterator[Browser]:
    """A browser with a profile of its own, until the block ends. What it complains of goes to `log`."""
    found = program()
    assert found is not None, f"there is no Chromium: install {PROGRAMS[0]}"
    (its_in, to), (back, its_out) = os.pipe(), os.pipe()
    # It reads from 3 and writes to 4: the shell puts them there, from numbers that are not in the way.
    its = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (its_in, its_out)]
    with tempfile.TemporaryDirectory(prefix="smmu-", ignore_cleanup_errors=True) as profile, log.open("wb") as lines:
        process = subprocess.Popen(
            [
                "bash",
                "-c",
                f'exec "$@" 3<&{its[0]} 4>&{its[1]}',
                "bash",
                found,
                *_OPTIONS,
                f"--user-data-dir={profile}",
            ],
            pass_fds=its,
            stdin=subprocess.DEVNULL,
            stdout=lines,
            stderr=lines,
        )
        for end in (its_in, its_out, *its):
            os.close(end)
        try:
            yield Browser(to, back)
        finally:
            os.close(to)
            os.close(back)
            process.kill()
            process.wait()
