"""Which policy a deployment gets, and what is wrong with one in one sentence."""

import pytest
from pydantic import SecretStr

from smmu.adapters.inmemory.system import FixedClock
from smmu.adapters.policy.function import FunctionPolicy
from smmu.adapters.policy.remote import RemotePolicy
from smmu.bootstrap.opening import open_system
from smmu.bootstrap.policy import PolicyHook, policy_of
from smmu.bootstrap.settings import InMemoryPlatform, Settings, load_settings
from smmu.bootstrap.variables import SettingsError
from smmu.domain.policy import Unanswered

KEY = "k" * 32


def test_without_a_hook_there_is_none() -> None:
    assert policy_of(Settings().policy, FixedClock()) is None


def test_a_function_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMMU_POLICY__HOOK", "posixpath:basename")
    monkeypatch.setenv("SMMU_POLICY__SECONDS", "3")
    monkeypatch.setenv("SMMU_POLICY__UNANSWERED", "open")
    found = policy_of(load_settings().policy, FixedClock())
    assert isinstance(found, FunctionPolicy)
    assert (found.function.__name__, found.seconds, found.unanswered) == ("basename", 3.0, Unanswered.OPEN)


@pytest.mark.parametrize(
    "url", ["https://policy.example/judge", "http://127.0.0.1:9/", "http://[::1]:9/", "http://localhost/judge"]
)
def test_a_url_is_asked_by_a_key(url: str) -> None:
    found = policy_of(PolicyHook(hook=url, key=SecretStr(KEY)), FixedClock())
    assert isinstance(found, RemotePolicy)
    assert (found.url, found.key) == (url, KEY.encode())
    assert found.unanswered is Unanswered.CLOSED


@pytest.mark.parametrize(
    ("hook", "key", "words"),
    [
        ("http://policy.example/", KEY, "HOOK is wrong: a URL begins with https://"),
        ("http://127.0.0.1.example/", KEY, "HOOK is wrong: a URL begins with https://"),
        ("ftp://127.0.0.1/", KEY, "HOOK is wrong: a URL begins with https://"),
        ("https:///judge", KEY, "HOOK is wrong: a URL has a host, and no password."),
        ("https://me:secret@policy.example/", KEY, "HOOK is wrong: a URL has a host, and no password."),
        ("https://policy.example:none/", KEY, "HOOK is wrong: Port could not be cast"),
        ("https://policy.example/", None, "KEY is missing or short: a URL is asked with a key of at least 32"),
        ("https://policy.example/", "hunter2", "KEY is missing or short: a URL is asked with a key of at least 32"),
        ("judge", None, "HOOK is wrong ('judge'): it is package.module:function, or a URL."),
        ("nowhere.at_all:judge", None, "HOOK is wrong ('nowhere.at_all:judge'): No module named 'nowhere'."),
        ("posixpath:judge", None, "HOOK is wrong ('posixpath:judge'): module 'posixpath' has no attribute 'judge'."),
        ("posixpath:curdir", None, "HOOK is wrong ('posixpath:curdir'): that is no function."),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(hook: str, key: str | None, words: str) -> None:
    chosen = PolicyHook(hook=hook, key=None if key is None else SecretStr(key))
    with pytest.raises(SettingsError) as refused:
        policy_of(chosen, FixedClock())
    assert str(refused.value).startswith(f"SMMU_POLICY__{words}")
    assert key is None or key not in str(refused.value)


async def test_a_product_is_opened_with_its_policy() -> None:
    platform = InMemoryPlatform(kind="inmemory")
    async with open_system(Settings(platform=platform, policy=PolicyHook(hook="posixpath:basename"))) as running:
        assert running.system.worker.steps.gate is not None
    async with open_system(Settings(platform=platform)) as running:
        assert running.system.worker.steps.gate is None
