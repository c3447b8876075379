"""How bodies leave: in pieces that are worth a system call each, whatever is in them, and the same again for a retry."""

import ast

import pytest

from smmu.adapters.aws.sending import Chunks, body, crc_of
from tests.support.source import parse, place, python_files

PUTS = {"put_object", "upload_part"}


@pytest.mark.parametrize("data", [b"", b"a", b"\n" * 1_000_000, bytes(1_000_000)])
def test_a_body_is_sent_in_large_pieces_and_again_from_its_start(data: bytes) -> None:
    sent = body(data)
    for _ in range(2):
        sent["Body"].seek(0)
        pieces = list(sent["Body"])
        assert b"".join(pieces) == data
        assert len(pieces) <= 4
    assert isinstance(sent["Body"], Chunks)
    assert sent["ChecksumCRC64NVME"] == crc_of(data).value


def test_no_body_goes_to_s3_but_as_such_pieces() -> None:
    puts = [
        (place(path, node), [keyword.arg for keyword in node.keywords])
        for path in python_files("src")
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in PUTS
    ]
    assert len(puts) >= len(PUTS)
    assert [where for where, given in puts if "Body" in given] == []
