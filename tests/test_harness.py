"""The harness keeps its promises: no network but loopback, warnings are errors, the corpus left out aloud."""

import re
import shutil
import socket
import subprocess
import sys
import warnings
from pathlib import Path

import anyio
import pytest

from tests.support.corpus import Corpus, CorpusFile, each_corpus_file, read_corpus
from tests.support.sharing import share_of
from tests.support.source import PROJECT

# A documentation address (RFC 5737): nobody answers there, so only the guard can refuse at once.
NOWHERE = ("192.0.2.1", 9)


def test_a_warning_is_an_error() -> None:
    with pytest.raises(UserWarning, match="careful"):
        warnings.warn("careful", stacklevel=1)


def test_the_network_is_refused() -> None:
    with (
        pytest.warns(UserWarning, match=NOWHERE[0]),
        pytest.raises(RuntimeError, match="allowed"),
        socket.socket() as client,
    ):
        client.connect(NOWHERE)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_loopback_is_open(host: str) -> None:
    async with await anyio.create_tcp_listener(local_host=host) as listener:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, say_hello)
            async with await anyio.connect_tcp(host, port) as client:
                assert await client.receive() == b"hello"
            tasks.cancel_scope.cancel()


async def test_unix_sockets_are_open(tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with await anyio.create_unix_listener(path) as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, say_hello)
        async with await anyio.connect_unix(path) as client:
            assert await client.receive() == b"hello"
        tasks.cancel_scope.cancel()


async def say_hello(stream: anyio.abc.ByteStream) -> None:
    async with stream:
        await stream.send(b"hello")


def test_a_folder_without_a_manifest_is_no_corpus(tmp_path: Path) -> None:
    assert read_corpus(tmp_path) is None


def test_an_empty_cell_of_the_manifest_is_an_absent_value(tmp_path: Path) -> None:
    manifest = "path,group,width,height,has_gps\nphoto/a.jpg,photo,640,,no\n"
    (tmp_path / "MANIFEST.csv").write_text(manifest, encoding="utf-8")
    found = read_corpus(tmp_path)
    assert found is not None
    file = found.named("photo/a.jpg")
    assert (file.number("width"), file.number("height"), file.flag("has_gps")) == (640, None, False)
    assert file.path == tmp_path / "photo" / "a.jpg"


@pytest.mark.parametrize("workers", ["0", "2"])
def test_tests_of_an_absent_corpus_are_left_out_and_counted(tmp_path: Path, workers: str) -> None:
    project = tmp_path / "elsewhere" / "project"
    (project / "tests").mkdir(parents=True)
    shutil.copytree(PROJECT / "tests" / "support", project / "tests" / "support")
    for name in ("pyproject.toml", "tests/conftest.py"):
        shutil.copy(PROJECT / name, project / name)
    (project / "tests" / "test_photos.py").write_text(PHOTO_TESTS, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", workers],
        cwd=project,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "corpus not present: 2 corpus tests left out" in done.stdout
    assert re.search(r"\b1 passed", done.stdout)
    assert "skipped" not in done.stdout


PHOTO_TESTS = '''
"""Three tests, of which two need the corpus."""
from tests.support.corpus import each_corpus_file

@each_corpus_file("photo")
def test_each(corpus_file):
    assert corpus_file

def test_some(corpus):
    assert corpus

def test_none():
    pass
'''


@each_corpus_file()
def test_a_file_of_the_corpus_is_the_one_that_the_manifest_means(corpus_file: CorpusFile) -> None:
    assert corpus_file.path.stat().st_size == corpus_file.number("bytes")


def test_the_corpus_has_every_group(corpus: Corpus) -> None:
    assert {file.group for file in corpus.files} >= {"sniff", "photo", "video", "broken", "speech"}


def test_what_is_dear_to_make_is_made_in_one_process() -> None:
    shares = [
        {share_of(f"tests/infra/test_{name}.py::test_a[1]") for name in ("a_job", "applied", "the_end")},
        {
            share_of("tests/aws/s3/test_put_security.py::test_a[localstack]"),
            share_of("tests/contract/test_objects.py::test_b[localstack-0]"),
        },
        {share_of("tests/aws/test_cost.py::test_a[1]"), share_of("tests/aws/test_cost.py::test_b")},
    ]
    assert [len(share) for share in shares] == [1, 1, 1]
    assert len(set.union(*shares)) == 3
    assert share_of("tests/aws/test_windows.py::test_a") != share_of("tests/aws/test_windows.py::test_b")
