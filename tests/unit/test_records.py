"""The stored form of records and messages (ports/records.py, ports/queue.py)."""

import msgspec
import pytest
from pydantic import TypeAdapter

from smmu.domain.upload import Upload
from smmu.ports.queue import Message, decode_message, encode_message
from smmu.ports.records import Value, decode, encode
from tests.support.records import a_message, an_upload, one_of_each


@pytest.mark.parametrize("value", one_of_each(), ids=lambda value: type(value).__name__)
def test_what_older_releases_wrote_with_pydantic_is_written_and_read_the_same(value: Value) -> None:
    written = TypeAdapter(type(value)).dump_json(value)
    assert encode(value) == written
    assert decode(type(value), written) == value
    assert decode(type(value), written.decode()) == value


def test_messages_of_older_releases_are_read_the_same() -> None:
    written = TypeAdapter(Message).dump_json(a_message("1"))
    assert encode_message(a_message("1")) == written
    assert decode_message(written) == a_message("1")


def test_a_record_of_an_older_release_has_what_was_added_since() -> None:
    written = msgspec.json.decode(encode(an_upload()))
    del written["trace"]
    assert decode(Upload, msgspec.json.encode(written)).trace == ""


@pytest.mark.parametrize("wrong", [{"state": "lost"}, {"reserved_bytes": "many"}, {"layout": None}])
def test_what_is_no_record_is_told_at_once(wrong: dict[str, object]) -> None:
    written = msgspec.json.decode(encode(an_upload()))
    with pytest.raises(msgspec.ValidationError):
        decode(Upload, msgspec.json.encode({**written, **wrong}))
