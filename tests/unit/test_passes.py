"""`domain/passes.py`: a pass says what was said, and nobody can write or change one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.domain.passes import Pass, seal, unseal
from smmu.domain.signed import signed
from smmu.domain.values import ObjectRef
from smmu.ports.tickets import Ticket
from smmu.ports.tickets import seal as seal_ticket

SECRET, OTHER = b"s" * 32, b"t" * 32
refs = st.builds(
    ObjectRef, key=st.text(max_size=40), version=st.text(max_size=8), etag=st.text(max_size=8), size=st.integers(0)
)
passes = st.builds(
    Pass,
    owner=st.text(min_size=1, max_size=20),
    media_id=st.text(max_size=30),
    manifest=refs,
    expires_at=st.floats(0, 4e9),
)


@given(passes)
def test_a_pass_opens_to_what_was_sealed_and_stands_in_an_address(leave: Pass) -> None:
    token = seal(leave, SECRET)
    assert unseal(token, SECRET) == leave
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


@given(passes, st.data())
def test_no_changed_letter_and_no_other_secret_opens(leave: Pass, data: st.DataObject) -> None:
    token = seal(leave, SECRET)
    at = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("Aa0-_.é"))
    changed = token[:at] + letter + token[at + 1 :]
    assert unseal(token, OTHER) is None
    assert unseal(changed, SECRET) in (None, leave)  # the last letter of base 64 has bits that say nothing
    assert changed == token or unseal(changed, SECRET) is None or at in (token.index(".") - 1, len(token) - 1)


@pytest.mark.parametrize("token", ["", ".", "x", "x.y", "é.é", "a" * 5_000])
def test_what_is_no_token_is_none(token: str) -> None:
    assert unseal(token, SECRET) is None
    assert signed(b"", SECRET) != token


def test_a_ticket_is_no_pass_because_it_is_signed_with_another_secret() -> None:
    ticket = seal_ticket(Ticket(does="get", key="media/ada/x", expires_at=4e9), OTHER)
    assert unseal(ticket, SECRET) is None
