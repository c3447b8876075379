"""Credentials narrowed to one attempt of one owner's job: a session of a role, which its tags give its rights.

A worker's own role may do nothing but begin such a session. The role's policy names no owner; it names the session's
tags (`${aws:PrincipalTag/owner}`), so the same policy gives each session other rights (infra/modules/workers):

    tag       value                              gives rights to
    owner     the owner as key segments have it  `raw/{owner}/…`; items of the jobs table whose partition it is
    job       the job's id                       with the owner and the attempt `media/{owner}/…/{job}-a{attempt}/…`
    attempt   its number                         as above

The owner alone gives rights to `media/{owner}/…/chunks/…`, which attempts share, and in the session of the function
that renders to `media/{owner}/…/variants/…`, which are of no attempt: for those the tag says 0.

A tag takes letters, digits, spaces and `_.:/=+-@`. Key segments have less, so no owner's name has to be changed for
it, and none has a `*` that a policy would read as more than itself.

One role that assumes another gets sessions of an hour at most. The SDK begins the next one 15 minutes before that ends,
with whatever request comes first.

IAM: `sts:AssumeRole`, `sts:TagSession` on the role of sessions. Costs: nothing; one AssumeRole for each task, and one
more for each 45 minutes that it works.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from aiobotocore.credentials import AnyioDeferredRefreshableCredentials
from aiobotocore.session import AioSession

from smmu.domain.keys import owner_segment
from smmu.ports.platform import Scope

_SECONDS = 3_600  # the most that a role may ask for that is a session itself
_NAME_CHARS_MAX = 64

OpenClient = Callable[[str], AbstractAsyncContextManager[Any]]  # of a service, with the process's own credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """A role, by its ARN, and what a session of it is narrowed to."""

    role: str
    scope: Scope

    @property
    def tags(self) -> Mapping[str, str]:
        """The session's tags."""
        return {
            "owner": owner_segment(self.scope.owner),
            "job": self.scope.job_id,
            "attempt": str(self.scope.attempt),
        }

    @property
    def request(self) -> dict[str, Any]:
        """The arguments of AssumeRole. The session's name is for whoever reads a trail of what was done."""
        return {
            "RoleArn": self.role,
            "RoleSessionName": f"{self.scope.job_id}-a{self.scope.attempt}"[:_NAME_CHARS_MAX],
            "DurationSeconds": _SECONDS,
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()],
        }


def narrowed_session(own: AioSession, open_own: OpenClient, narrowed: Narrowed) -> AioSession:
    """A session of the SDK whose clients act with the role's rights; the first request begins it, none sooner.

    `open_own` opens a client of `own`, the process's own session, whose descriptions of services are shared.
    """

    async def begin() -> dict[str, Any]:
        async with open_own("sts") as sts:
            given = (await sts.assume_role(**narrowed.request))["Credentials"]
        return {
            "access_key": given["AccessKeyId"],
            "secret_key": given["SecretAccessKey"],
            "token": given["SessionToken"],
            "expiry_time": given["Expiration"].isoformat(),
        }

    session = AioSession()
    session.register_component("data_loader", own.get_component("data_loader"))
    session.register_component("credential_provider", _Only(AnyioDeferredRefreshableCredentials(begin, "assume-role")))
    return session


@dataclass(frozen=True, slots=True)
class _Only:
    """As the SDK asks for credentials: these, and nothing that the environment may have."""

    credentials: AnyioDeferredRefreshableCredentials

    async def load_credentials(self) -> AnyioDeferredRefreshableCredentials:
        return self.credentials
