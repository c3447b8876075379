"""`domain/keys.py` and `ports/tickets.py`: no owner reaches another's bytes, no holder of a URL does more than it says."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.domain.keys import attempt_prefix, media_prefix, owner_segment, source_key, upload_of
from smmu.ports.tickets import Ticket, seal, unseal

SECRET = b"s" * 32
TICKET = Ticket(does="put", key="raw/ada/upl_1/source", expires_at=1.5, storage_id="s1", number=2, size=10)

owners = st.text(min_size=1, max_size=80)


@given(owners, owners)
def test_two_owners_never_share_a_key(one: str, other: str) -> None:
    assert (source_key(one, "upl_1") == source_key(other, "upl_1")) is (one == other)
    assert (owner_segment(one) == owner_segment(other)) is (one == other)


@given(owners)
def test_an_owner_is_one_plain_segment(owner: str) -> None:
    segment = owner_segment(owner)
    assert 0 < len(segment) <= 64
    assert all(letter.isascii() and (letter.isalnum() or letter in "_-.") for letter in segment)
    assert segment.strip(".")


@given(owners)
def test_a_source_tells_its_upload_where_its_owner_is_plain(owner: str) -> None:
    plain = owner_segment(owner) == owner
    assert upload_of(source_key(owner, "upl_1")) == ((owner, "upl_1") if plain else None)


@pytest.mark.parametrize(
    "key", ["", "raw/ada/source", "raw/ada/upl_1/source/x", "media/ada/med_1/job_1-a1/source", "raw/.ab/upl_1/source"]
)
def test_what_is_no_source_tells_no_upload(key: str) -> None:
    assert upload_of(key) is None


@pytest.mark.parametrize("owner", ["ada\n", "../ada", "ada/x", "", ".ada", "é", "a" * 65])
def test_an_owner_that_is_not_plain_is_a_digest(owner: str) -> None:
    assert owner_segment(owner).startswith(".")


def test_no_attempts_keys_are_anothers() -> None:
    first, eleventh = (attempt_prefix("ada", "med_1", "job_1", attempt) for attempt in (1, 11))
    assert not eleventh.startswith(first)
    assert first.startswith(media_prefix("ada", "med_1"))
    assert not media_prefix("ada", "med_11").startswith(media_prefix("ada", "med_1"))


# --- tickets

tickets = st.builds(
    Ticket,
    does=st.sampled_from(("put", "get")),
    key=st.text(max_size=20),
    expires_at=st.sampled_from((0.0, 1.5, 1_750_000_000.25)),
    storage_id=st.text(max_size=5),
    number=st.integers(0, 10_000),
    size=st.none() | st.integers(0, 10**12),
    size_max=st.integers(0, 10**12),
    part_size=st.integers(0, 10**9),
    checksum=st.text(max_size=5),
    version=st.text(max_size=5),
    etag=st.text(max_size=5),
    filename=st.text(max_size=20),
)


@given(tickets)
def test_a_ticket_comes_back_as_it_was_sealed(ticket: Ticket) -> None:
    token = seal(ticket, SECRET)
    assert unseal(token, SECRET) == ticket
    assert token.isascii()
    assert not set(token) & set("/+=%?#& ")


@given(tickets, st.integers(0), st.integers(1, 255))
def test_no_changed_token_is_a_ticket_of_another_meaning(ticket: Ticket, place: int, change: int) -> None:
    token = seal(ticket, SECRET)
    at = place % len(token)
    changed = token[:at] + chr(ord(token[at]) ^ change) + token[at + 1 :]
    assert unseal(changed, SECRET) in (None, ticket)


@given(st.text(max_size=40))
def test_no_text_that_we_did_not_write_is_a_ticket(text: str) -> None:
    assert unseal(text, SECRET) is None


def test_another_secret_opens_nothing() -> None:
    assert unseal(seal(TICKET, SECRET), b"t" * 32) is None


def test_a_signature_is_of_its_own_payload() -> None:
    mine, other = seal(TICKET, SECRET), seal(msgspec.structs.replace(TICKET, number=3), SECRET)
    assert unseal(f"{mine.split('.')[0]}.{other.split('.')[1]}", SECRET) is None
