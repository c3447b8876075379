"""Every error ends in one line and an exit status, and never in a trace."""

import pytest

from smmu.client.errors import FileChanged, NotUnderstood, ServerRefused, Unreachable, refusal
from smmu.domain.errors import Code, Reason, Refused, refuse
from smmu.entrypoints.cli.boundary import Stop, ended, explained
from smmu.entrypoints.cli.terminal import Gauges, complain, say
from smmu.ports.errors import Full, Unavailable


def group(error: Exception) -> BaseException:
    return ExceptionGroup("many", [ExceptionGroup("inner", [error]), ValueError("later")])


@pytest.mark.parametrize(
    ("error", "line", "status"),
    [
        (Stop(1, "said"), "said", 1),
        (Stop(143), "", 143),
        (refuse(Code.FILE_EMPTY, "The file is empty."), "The file is empty.", 1),
        (
            Refused(Reason(code=Code.FILE_EMPTY, message="One."), Reason(code=Code.INVALID_SIZE, message="Two.")),
            "One. Two.",
            1,
        ),
        (ServerRefused(404, "not_found", "There is no such job."), "There is no such job.", 1),
        (ServerRefused(503, "world_unavailable", "The service is busy."), "The service is busy.", 3),
        (Unreachable("It cannot be reached."), "It cannot be reached.", 3),
        (NotUnderstood("It is not ours."), "It is not ours.", 3),
        (FileChanged("It was changed."), "It was changed.", 1),
        (Unavailable("the database is busy"), "the database is busy.", 3),
        (Full("no room\nleft"), "no room left.", 3),
        (PermissionError(13, "Permission denied", "/x"), "/x: Permission denied.", 3),
        (KeyboardInterrupt(), "interrupted", 130),
        (BrokenPipeError(), "", 141),
        (SystemExit(5), "", 5),
        (group(Unavailable("the disk failed")), "the disk failed.", 3),
        (
            ModuleNotFoundError("No module named 'fastapi'", name="fastapi"),
            "This command needs fastapi: pip install 'smart-media-uploader[embedded]'",
            3,
        ),
        (KeyError("x"), "This is a bug of ours (KeyError: 'x'). SMMU_DEBUG=1 shows where.", 1),
    ],
)
def test_an_error_is_one_line_and_a_status(error: BaseException, line: str, status: int) -> None:
    assert explained(error) == (line, status)


def test_a_bug_shows_its_trace_only_when_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SMMU_DEBUG", raising=False)
    assert ended(ZeroDivisionError("x")) == 1
    assert "Traceback" not in capsys.readouterr().err
    monkeypatch.setenv("SMMU_DEBUG", "1")
    assert ended(_raised()) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_refusal_shows_no_trace_even_when_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMMU_DEBUG", "1")
    ended(refuse(Code.FILE_EMPTY, "The file is empty."))
    assert capsys.readouterr().err == "smmu: The file is empty.\n"


def _raised() -> Exception:
    """An error with a trace."""
    try:
        return Exception(1 // 0)
    except ZeroDivisionError as error:
        return error


@pytest.mark.parametrize(
    ("body", "code", "sentence"),
    [
        (b"<html>", "http_502", "The server answered 502 Bad Gateway."),
        (b"{}", "http_502", "The server answered 502 Bad Gateway."),
        (
            b'{"type":"t","title":"T","status":409,"detail":"d","instance":"/","code":"c","message":"Sentence."}',
            "c",
            "Sentence.",
        ),
    ],
)
def test_whatever_a_server_refuses_with_is_a_sentence(body: bytes, code: str, sentence: str) -> None:
    error = refusal(502, body)
    assert (error.code, str(error)) == (code, sentence)


def test_plain_lines_come_when_something_has_changed(capsys: pytest.CaptureFixture[str]) -> None:
    gauge = Gauges(None).add("film.mp4")
    for fraction in (0.0, 0.1, 0.2, 0.3, 0.3, 0.4):
        gauge.show(fraction, "sending")
    gauge.show(0.4, "done")
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["film.mp4: sending 0 %", "film.mp4: sending 30 %", "film.mp4: done 40 %"]


def test_each_percentage_of_a_plain_line_has_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    gauge = Gauges(None).add("film.mp4")
    gauge.show(0.05, "job", "video 40 %")
    gauge.show(0.06, "job", "video 40 %")
    gauge.show(0.5, "job", "video succeeded")
    assert capsys.readouterr().err.splitlines() == [
        "film.mp4: job 5 %, video 40 %",
        "film.mp4: job 50 %, video succeeded",
    ]


def test_what_a_file_is_called_does_not_speak_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say("a\x1b[31mred\r.jpg: job_1\n")
    complain("a\x1b[2J\nb.jpg: The file is empty.")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("a?[31mred?.jpg: job_1\n\n", "smmu: a?[2J?b.jpg: The file is empty.\n")
