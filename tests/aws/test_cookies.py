"""Whoever holds the cookies of a folder gets what is in it until its time is over, and nothing else.

What stands in for CloudFront here does what its developer guide says that it does with a custom policy: the letters are
put back, the signature is checked with the public key, and the policy's one statement is held against the request.
"""

import base64
import fnmatch
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import given
from hypothesis import strategies as st

from smmu.adapters.aws.account import Clients, Distribution
from smmu.adapters.aws.cookies import SignedCookies
from smmu.domain.keys import attempt_prefix
from smmu.ports.delivery import Cookie
from smmu.ports.errors import NotFound

URL, END = "https://cdn.acme.example", 1_790_000_000
PREFIX = attempt_prefix("ada", "med_1", "job_1", 1)
FILM = f"{URL}/{PREFIX}film-2/hls/master.m3u8"


@dataclass(frozen=True, slots=True)
class Edge:
    """CloudFront, with one key in its group."""

    key: rsa.RSAPublicKey

    def lets_in(self, cookies: Sequence[Cookie], url: str, now: float) -> bool:
        sent = {cookie.name: cookie.value for cookie in cookies}
        assert sent["CloudFront-Hash-Algorithm"] == "SHA256"
        policy = _decoded(sent["CloudFront-Policy"])
        try:
            self.key.verify(_decoded(sent["CloudFront-Signature"]), policy, padding.PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        (statement,) = json.loads(policy)["Statement"]
        end = statement["Condition"]["DateLessThan"]["AWS:EpochTime"]
        return fnmatch.fnmatchcase(url, statement["Resource"]) and now < end


def _decoded(text: str) -> bytes:
    return base64.b64decode(text.translate(str.maketrans("-_~", "+=/")), validate=True)


async def new_key(clients: Clients) -> str:
    made = await clients.kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    return str(made["KeyMetadata"]["Arn"])


def distribution(key: str) -> Distribution:
    return Distribution(url=URL, cookie_domain="acme.example", public_key_id="K2JCJMDEHXQW5F", signing_key=key)


@pytest.fixture
async def signing_key(clients: Clients) -> str:
    return await new_key(clients)


@pytest.fixture
async def edge(clients: Clients, signing_key: str) -> Edge:
    public = load_der_public_key((await clients.kms.get_public_key(KeyId=signing_key))["PublicKey"])
    assert isinstance(public, rsa.RSAPublicKey)
    return Edge(public)


@pytest.fixture
def delivery(clients: Clients, signing_key: str) -> SignedCookies:
    return SignedCookies(clients, distribution(signing_key))


async def test_a_folders_cookies_open_what_is_below_it_until_their_end(delivery: SignedCookies, edge: Edge) -> None:
    cookies = await delivery.admit(PREFIX, expires_at=END + 0.9)
    assert edge.lets_in(cookies, delivery.url(f"{PREFIX}film-2/hls/720p/seg-00001.m4s"), END - 1)
    assert not edge.lets_in(cookies, FILM, END)


@pytest.mark.parametrize(
    "key",
    [
        attempt_prefix("ada", "med_1", "job_1", 11) + "x.mp4",
        attempt_prefix("ada", "med_2", "job_1", 1) + "x.mp4",
        attempt_prefix("grace", "med_1", "job_1", 1) + "x.mp4",
        "raw/ada/upl_1/source",
    ],
)
async def test_a_folders_cookies_open_no_other(delivery: SignedCookies, edge: Edge, key: str) -> None:
    assert not edge.lets_in(await delivery.admit(PREFIX, expires_at=END), delivery.url(key), END - 1)


async def test_what_another_key_has_signed_opens_nothing(clients: Clients, edge: Edge) -> None:
    other = SignedCookies(clients, distribution(await new_key(clients)))
    assert not edge.lets_in(await other.admit(PREFIX, expires_at=END), FILM, END - 1)


async def test_a_policy_that_was_changed_opens_nothing(delivery: SignedCookies, edge: Edge) -> None:
    mine, theirs = [await delivery.admit(prefix, expires_at=END) for prefix in (PREFIX, "media/grace/med_9/")]
    mixed = [*theirs[:1], *mine[1:]]
    assert not edge.lets_in(mixed, delivery.url("media/grace/med_9/x"), END - 1)


async def test_the_policy_is_written_as_the_guide_writes_it(delivery: SignedCookies) -> None:
    policy = _decoded((await delivery.admit("media/ada/med_1/job_1-a1/", expires_at=1_790_000_000))[0].value)
    assert policy == (
        b'{"Statement":[{"Resource":"https://cdn.acme.example/media/ada/med_1/job_1-a1/*",'
        b'"Condition":{"DateLessThan":{"AWS:EpochTime":1790000000}}}]}'
    )


async def test_cookies_are_of_the_folder_and_of_letters_that_cookies_have(delivery: SignedCookies) -> None:
    cookies = await delivery.admit(PREFIX, expires_at=END)
    assert {cookie.name for cookie in cookies} == {
        "CloudFront-Policy",
        "CloudFront-Signature",
        "CloudFront-Key-Pair-Id",
        "CloudFront-Hash-Algorithm",
    }
    assert {(cookie.domain, cookie.path) for cookie in cookies} == {("acme.example", f"/{PREFIX}")}
    assert all(re.fullmatch(r"[A-Za-z0-9_~-]+", cookie.value) for cookie in cookies)


@pytest.mark.parametrize("prefix", ["", "media", "media/*/", "media/?/", "*", "media/a b/"])
async def test_what_is_no_folder_is_a_bug(delivery: SignedCookies, prefix: str) -> None:
    with pytest.raises(ValueError, match="no folder"):
        await delivery.admit(prefix, expires_at=END)


@given(st.text(min_size=1))
def test_every_owners_keys_are_addresses_as_they_are(owner: str) -> None:
    """A browser asks for them letter by letter, and so they match the policy."""
    assert re.fullmatch(r"[A-Za-z0-9._/-]+/", attempt_prefix(owner, "med_1", "job_1", 1))


async def test_a_key_that_is_not_there_is_the_deployments_fault(clients: Clients, signing_key: str) -> None:
    missing = f"{signing_key.rpartition('/')[0]}/00000000-0000-0000-0000-000000000000"
    with pytest.raises(NotFound):
        await SignedCookies(clients, distribution(missing)).admit(PREFIX, expires_at=END)
