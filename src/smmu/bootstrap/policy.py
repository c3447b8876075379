"""A deployment's own policy, by its settings: a callable by its name, or the URL of a service."""

import ipaddress
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, SecretStr

from smmu.adapters.policy.function import FunctionPolicy
from smmu.bootstrap.branch import Branch
from smmu.bootstrap.named import function_named
from smmu.bootstrap.variables import SettingsError, variable
from smmu.domain.policy import Unanswered
from smmu.ports.policy import Policy
from smmu.ports.system import Clock

_KEY_CHARS_MIN = 32
_HOOK, _KEY = variable(("policy", "hook")), variable(("policy", "key"))


class PolicyHook(Branch):
    """Who judges files after inspection, and before anything is made of them (docs/policy.md)."""

    hook: str | None = None
    """Who judges each file before it is processed: `package.module:function`, or an `https://` URL that is asked by
    POST (`http://` on this machine alone). Without one, all that can be processed is."""
    key: SecretStr | None = None
    """What questions to a URL are signed with, of at least 32 characters: its service knows it as well."""
    seconds: Annotated[float, Field(gt=0, le=60)] = 10.0
    """How long it may take to answer."""
    unanswered: Unanswered = Unanswered.CLOSED
    """What becomes of a file that it did not judge, asked again and again: its job fails (`closed`), or it is processed
    and its plan says so (`open`)."""


def policy_of(chosen: PolicyHook, clock: Clock) -> Policy | None:
    """The policy; `None` without a hook. Raises `SettingsError`."""
    if chosen.hook is None:
        return None
    if "://" in chosen.hook:
        return _remote(chosen, chosen.hook, clock)
    function = function_named(chosen.hook, _HOOK, "a URL")
    return FunctionPolicy(function=function, seconds=chosen.seconds, unanswered=chosen.unanswered)


def _remote(chosen: PolicyHook, url: str, clock: Clock) -> Policy:
    from smmu.adapters.policy.remote import RemotePolicy  # noqa: PLC0415 - its HTTP client is loaded where it is asked

    parts = _parts(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(parts.hostname)):
        raise SettingsError(f"{_HOOK} is wrong: a URL begins with https://, or is one of this machine's own.")
    if parts.hostname is None or parts.username is not None:
        raise SettingsError(f"{_HOOK} is wrong: a URL has a host, and no password.")
    key = "" if chosen.key is None else chosen.key.get_secret_value()
    if len(key) < _KEY_CHARS_MIN:
        words = f"a URL is asked with a key of at least {_KEY_CHARS_MIN} characters."
        raise SettingsError(f"{_KEY} is missing or short: {words}")
    return RemotePolicy(url=url, key=key.encode(), clock=clock, seconds=chosen.seconds, unanswered=chosen.unanswered)


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise SettingsError(f"{_HOOK} is wrong: {error}.") from error
    return parts


def _is_here(host: str | None) -> bool:
    if host is None or host == "localhost":
        return host is not None
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
