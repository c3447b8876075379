"""What names a server and who asks: refused before anything is sent, in one sentence, when it cannot be that."""

import pytest

from tests.cli.conftest import Smmu

URL = "http://127.0.0.1:1"
NOT_AN_ADDRESS = "is not the address of a server: write it as http://HOST:PORT or https://HOST."


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8000",
        "ftp://localhost",
        "http://",
        "http:///x",
        "http://my host",
        " http://localhost",
        "http://localhost\n",
        "http://localhost:http",
        "http://localhost:0",
        "http://localhost:65536",
        "http://[::1",
        "http://ada:secret@localhost",
        "http://localhost?x=1",
        "http://localhost#x",
    ],
)
@pytest.mark.parametrize("command", [("jobs", "list"), ("upload", "a.mp4")], ids=lambda words: words[0])
def test_an_address_is_one(smmu: Smmu, command: tuple[str, ...], url: str) -> None:
    done = smmu(*command, "--url", url, "--token", "t")
    shown = url.replace("ada:secret@", "…@")
    assert (done.status, done.out, done.err) == (2, "", f"smmu: {shown!r} {NOT_AN_ADDRESS}\n")


@pytest.mark.parametrize("token", ["", " ", "tökén", "one\ntwo", "one\n", "two words", "\x7f", "\udcff"])
@pytest.mark.parametrize("command", [("jobs", "list"), ("upload", "a.mp4")], ids=lambda words: words[0])
def test_a_token_is_one_and_is_never_shown(smmu: Smmu, command: tuple[str, ...], token: str) -> None:
    sentence = "smmu: The token is not one: it is a single word of ASCII characters, as smmu token prints it.\n"
    given = smmu(*command, "--url", URL, "--token", token)
    assert (given.status, given.out, given.err) == (2, "", sentence)
    if token:  # an empty variable is one that is not set
        told = smmu(*command, "--url", URL, SMMU_TOKEN=token)
        assert (told.status, told.out, told.err) == (2, "", sentence)
