"""Lines of JSON: what is in them, and that telling one never waits."""

import io
import json
import subprocess
import sys
import threading
from typing import Any

import pytest

from smmu.adapters.embedded.lines import JsonLines, LineWriter
from smmu.adapters.embedded.system import SystemClock
from smmu.entrypoints.libraries import tell_what_libraries_log
from smmu.ports.about import About


class FixedClock(SystemClock):
    def now(self) -> float:
        return 1_750_000_000.1234


class Stuck(io.StringIO):
    """A stream whose reader does not read, until it is let go on."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.let_go = threading.Event(), threading.Event()

    def write(self, text: str) -> int:
        self.reached.set()
        self.let_go.wait(30)
        return super().write(text)


def lines(stream: io.StringIO, **more: Any) -> JsonLines:
    return JsonLines(FixedClock(), component="api", writer=LineWriter(stream), **more)


def read(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_of_json() -> None:
    stream = io.StringIO()
    telemetry = lines(stream)
    telemetry.event("job_created", job_id="job_1", why=ValueError("a\nb"))
    telemetry.flush()
    head = {"at": 1_750_000_000.123, "level": "info", "event": "job_created", "component": "api"}
    assert read(stream) == [{**head, "jobId": "job_1", "why": "a\nb"}]


class Unspeakable:
    def __str__(self) -> str:
        raise RuntimeError("no words")


def test_a_field_that_fails_at_its_own_words_takes_no_line_with_it() -> None:
    stream = io.StringIO()
    telemetry = lines(stream)
    telemetry.event("job_created", why=Unspeakable())
    telemetry.event("job_created", job_id="job_1")
    telemetry.flush()
    assert [line.get("why", line.get("jobId")) for line in read(stream)] == ["<Unspeakable>", "job_1"]


def test_a_line_is_also_about_what_is_being_worked_on_and_its_own_fields_go_first() -> None:
    stream = io.StringIO()
    telemetry = lines(stream)
    with About(job_id="job_1", trace_id="t"):
        with About(component="sweep", job_id="job_2"):
            telemetry.event("bug", trace_id="u")
        telemetry.event("bug")
    telemetry.event("bug")
    telemetry.flush()
    first, second, third = read(stream)
    assert (first["component"], first["jobId"], first["traceId"]) == ("sweep", "job_2", "u")
    assert (second["component"], second["jobId"], second["traceId"]) == ("api", "job_1", "t")
    assert "jobId" not in third


def test_lines_are_written_by_themselves_and_in_order() -> None:
    stream, telemetry = Stuck(), None
    stream.let_go.set()
    telemetry = lines(stream)
    telemetry.event("bug", number=0)
    assert stream.reached.wait(30)
    for number in range(1, 500):
        telemetry.event("bug", number=number)
    telemetry.flush()
    assert [line["number"] for line in read(stream)] == list(range(500))


def test_telling_does_not_wait_for_a_reader_and_what_is_too_much_is_counted() -> None:
    stream = Stuck()
    telemetry = JsonLines(FixedClock(), component="api", writer=LineWriter(stream, lines_max=10))
    telemetry.event("bug", number=0)
    assert stream.reached.wait(30)  # the writer hangs in it
    for number in range(1, 51):
        telemetry.event("bug", number=number)
    stream.let_go.set()
    telemetry.flush()
    found = read(stream)
    assert [line["number"] for line in found if line["event"] == "bug"] == list(range(11))
    assert [line["lines"] for line in found if line["event"] == "lines_dropped"] == [40]


@pytest.mark.parametrize("field", ["größer", "half \ud800", 1 << 70, "\x1b[0m"])
def test_lines_are_ascii_whatever_they_tell(field: object) -> None:
    stream = io.StringIO()
    telemetry = lines(stream)
    telemetry.event("bug", field=field)
    telemetry.flush()
    assert stream.getvalue().isascii()
    assert [line["field"] for line in read(stream)] == [field]


def test_what_cannot_be_told_is_lost_and_nothing_is_raised() -> None:
    stream = io.StringIO()
    telemetry = lines(stream)
    endless: list[object] = []
    endless.append(endless)
    telemetry.event("strange", field=endless)
    telemetry.event("bug")
    telemetry.flush()
    assert [line["event"] for line in read(stream)] == ["bug"]
    stream.close()
    telemetry.event("late")
    telemetry.flush()


def test_debug_lines_are_written_where_asked_for_or_where_metrics_are_read() -> None:
    for more, written in (({}, 0), ({"debug": True}, 1), ({"extras": lambda *_: {"more": 1}}, 1)):
        stream = io.StringIO()
        telemetry = lines(stream, **more)
        telemetry.event("swept", looked=0)
        telemetry.flush()
        assert len(read(stream)) == written, more


@pytest.mark.parametrize(
    "secret",
    [
        "https://b.s3/k?X-Amz-Security-Token=SECRET%2B&x=1",
        "https://b.s3/k?x=1&X-Amz-Signature=SECRET",
        "authorization: Bearer SECRET.SECRET-SECRET_",
        "PUT http://localhost/blobs/SECRET.SECRET",
    ],
)
def test_what_opens_or_signs_anything_is_blotted_out(secret: str) -> None:
    stream = io.StringIO()
    telemetry = lines(stream)
    telemetry.event("world_failed", error=f'failed at "{secret}" again')
    telemetry.flush()
    (line,) = read(stream)
    assert "SECRET" not in line["error"]
    assert line["error"].startswith("failed at ")
    assert line["error"].endswith(" again")


PROGRAM = """
import logging, warnings
from smmu.adapters.embedded.lines import JsonLines
from smmu.adapters.embedded.system import SystemClock
from smmu.entrypoints.libraries import tell_what_libraries_log
from smmu.ports.about import About

telemetry = JsonLines(SystemClock(), component="worker")
tell_what_libraries_log(telemetry)
with About(job_id="job_1"):
    logging.getLogger("botocore.x").warning("slow %s", "down")
    logging.getLogger("botocore.x").info("X")
    warnings.warn("old")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("asyncio").exception("broken")
"""


def test_what_libraries_log_are_lines_like_all_others_and_the_end_of_a_process_loses_none() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True)
    found = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(one["event"], one["level"], one["logger"], one.get("jobId")) for one in found] == [
        ("logged", "warning", "botocore.x", "job_1"),
        ("logged", "warning", "py.warnings", "job_1"),
        ("logged", "error", "asyncio", None),
    ]
    assert found[0]["message"] == "slow down"
    assert "ZeroDivisionError" in found[2]["stack"]


def test_libraries_are_told_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import logging  # noqa: PLC0415 - put back below

    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [logging.NullHandler(), logging.NullHandler()])
    monkeypatch.setattr(root, "level", root.level)
    stream = io.StringIO()
    telemetry = lines(stream)
    tell_what_libraries_log(telemetry)
    tell_what_libraries_log(telemetry)
    logging.captureWarnings(capture=False)
    logging.getLogger("x").error("once")
    telemetry.flush()
    assert [line["message"] for line in read(stream)] == ["once"]
