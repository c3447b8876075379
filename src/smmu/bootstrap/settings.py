"""Everything a deployment may set, as one frozen tree read from variables `SMMU_…`; `__` goes one level down.

A variable that is missing, wrong or unknown is refused at start-up, by name and in one sentence: a misspelt setting
must not look as if it held. Nothing below `bootstrap` reads the environment. The string below a field is its line in
docs/settings.md.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import pydantic_settings
from pydantic import Field, PositiveInt, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from smmu.bootstrap.branch import Branch
from smmu.bootstrap.classifier import Labels
from smmu.bootstrap.policy import PolicyHook
from smmu.bootstrap.speech import Speech
from smmu.bootstrap.variables import DATA, PREFIX, SEPARATOR, SettingsError, refuse_strays, variable
from smmu.domain.limits import Limits

SMALL_SECONDS_AT_HOME: Final = 15  # what is small where the server does it itself
# As browsers say it: in small letters, and without a path.
_ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://[a-z0-9._:\[\]-]+")


class EmbeddedPlatform(Branch):
    """One machine: SQLite and files under the folder `data`."""

    kind: Literal["embedded"]
    data: Path
    """The folder that everything is kept in, when the kind is `embedded`. `--data` goes before it."""


class InMemoryPlatform(Branch):
    """Nothing outlives the process."""

    kind: Literal["inmemory"]
    tokens: dict[str, str] = {}  # noqa: RUF012 - pydantic copies defaults
    """Which token is whose, when the kind is `inmemory`, as JSON: `{"token": "owner"}`."""


class Identity(Branch):
    """Whose tokens are believed: an OIDC issuer's."""

    issuer: str
    """The issuer of tokens: their claim `iss`."""
    audience: str
    """Whom tokens must be for: their claim `aud`, or `client_id` as Cognito has it."""
    jwks_url: str
    """Where the issuer publishes its keys."""
    owner_claim: str = "sub"
    """The claim that names the owner."""


class Delivery(Branch):
    """A distribution of CloudFront before what is made, which browsers enter by signed cookies."""

    url: Annotated[str, Field(pattern=r"^https://[^/]+$")]
    """Where it answers: https:// and a name."""
    cookie_domain: str
    """The domain of its cookies: one that the API's name and its own are in."""
    public_key_id: str
    """CloudFront's id of the public key."""
    signing_key: str
    """The ARN of the private one, in KMS."""


class AwsPlatform(Branch):
    """AWS, by the names of a deployment's resources."""

    kind: Literal["aws"]
    region: str
    """The region, when the kind is `aws`."""
    endpoint: str | None = None
    """Where a stand-in of AWS answers. Nothing else has one."""
    raw_bucket: str
    """The bucket that uploads go to. It keeps versions."""
    processed_bucket: str
    """The bucket of what is made. It keeps versions."""
    jobs_table: str
    """The table of jobs, tasks, events and outgoing messages."""
    uploads_table: str
    """The table of upload sessions."""
    media_table: str
    """The table of media."""
    jobs_queue: str
    """The URL of the queue of jobs to dispatch."""
    dead_letters: str
    """The URL of the queue of what could not be dispatched."""
    state_machine: str
    """The ARN of the state machine."""
    cluster: str
    """The ECS cluster of the workers."""
    models_bucket: str | None = None
    """The bucket of speech models, from which workers fetch theirs. `smmu models fetch SIZE --deploy` fills it."""
    deployment: str = "smmu"
    """The deployment's name: a dimension of its metrics."""
    worker_role: str | None = None
    """The ARN of the role that a worker acts as, narrowed to its task's owner and job. Without one it is itself."""
    render_function: str | None = None
    """The function that does small tasks (`…_LIMITS__SMALL_SECONDS_MAX` says which are) and makes pictures on request.
    Without one, containers do all, and no picture is made later."""
    signing_key: str | None = None
    """The key of KMS, for HMAC, that playback addresses are signed with. Only the API is told."""
    identity: Identity | None = None
    delivery: Delivery | None = None


class Workers(Branch):
    """How many tasks at once. Heavy ones use all the cores they get, so by default there is one for each core."""

    light: PositiveInt = 2
    """How many light tasks (inspecting, publishing) at once."""
    heavy: PositiveInt = Field(default_factory=lambda: len(os.sched_getaffinity(0)))
    """How many heavy tasks (decoding, encoding) at once, each in a process of its own."""


class Settings(BaseSettings):
    """The tree."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=SEPARATOR,
        frozen=True,
        extra="forbid",
        validate_default=True,
        use_attribute_docstrings=True,
    )

    platform: Annotated[EmbeddedPlatform | InMemoryPlatform | AwsPlatform, Field(discriminator="kind")] = (
        EmbeddedPlatform(kind="embedded", data=Path(DATA))
    )
    """Where everything is kept: `embedded` (this machine's disk), `aws` (its services) or `inmemory` (nowhere: it is
    gone with the process). Whoever sets one variable of the platform sets its kind."""
    workers: Workers = Workers()
    speech: Speech = Speech()
    policy: PolicyHook = PolicyHook()
    classifier: Labels = Labels()
    limits: Limits = Limits()
    public_url: str | None = None
    """What clients reach the service as, when that is not the address it listens on."""
    origins: tuple[str, ...] = ()
    """The web origins whose pages may call the API, as a JSON list: `["https://app.example"]`, or `["*"]` for all."""
    debug: bool = False
    """Show the trace of a bug, and what `smmu process` logs."""

    @model_validator(mode="before")
    @classmethod
    def _small_tasks_need_no_process(cls, given: dict[str, Any]) -> dict[str, Any]:
        """On one machine the server does small tasks itself, which costs nothing, unless it is told otherwise."""
        platform, limits = given.get("platform") or {"kind": "embedded"}, given.get("limits", {})
        if isinstance(platform, Mapping) and platform.get("kind") != "aws" and isinstance(limits, Mapping):
            return {**given, "limits": {"small_seconds_max": SMALL_SECONDS_AT_HOME, **limits}}
        return given

    @model_validator(mode="after")
    def _somebody_does_small_tasks(self) -> Self:
        """What nobody does must not look as if it were done."""
        nobody = isinstance(self.platform, AwsPlatform) and self.platform.render_function is None
        if nobody and self.limits.small_seconds_max:
            small, function = variable(("limits", "small_seconds_max")), variable(("platform", "render_function"))
            raise ValueError(f"{small} is set, and {function} is not: on AWS a function does small tasks")
        return self

    @field_validator("origins")
    @classmethod
    def _as_browsers_say_them(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        """What no browser says would let nobody in, without a word."""
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is no origin, which is a scheme and a host, as https://app.example")
        return origins


def load_settings(*, data: Path | None = None) -> Settings:
    """The settings of this process. `data`, when given, is the embedded platform's folder whatever is set.

    Raises `SettingsError` with a sentence that names the variable.
    """
    refuse_strays(os.environ, Settings)
    try:
        settings = Settings()
    except ValidationError as error:
        raise SettingsError(_sentence(error)) from error
    except pydantic_settings.SettingsError as error:
        raise SettingsError(_about_json(error)) from error
    return settings if data is None else _with_data(settings, data)


def _with_data(settings: Settings, data: Path) -> Settings:
    if not isinstance(settings.platform, EmbeddedPlatform):
        words = f"A data folder is for the embedded platform, and {PREFIX}PLATFORM__KIND is {settings.platform.kind}."
        raise SettingsError(words)
    return settings.model_copy(update={"platform": settings.platform.model_copy(update={"data": data})})


def _sentence(error: ValidationError) -> str:
    """Everything that is missing; else the first thing that is wrong, and the next start says the next one."""
    errors = error.errors(include_url=False)
    missing = [_name_in(found["loc"]) for found in errors if found["type"] == "missing"]
    if missing:
        return f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing."
    first = errors[0]
    if not first["loc"]:  # it is about several together
        return f"{first['msg'].removeprefix('Value error, ')}."
    name = _name_in(first["loc"])
    if first["type"] == "union_tag_not_found":
        return f"{name}{SEPARATOR}KIND is missing: set it to {_KINDS}."
    if first["type"] == "union_tag_invalid":
        return f"{name}{SEPARATOR}KIND is wrong ({first['ctx']['tag']!r}): it is {_KINDS}."
    given = f" ({first['input']!r})" if isinstance(first["input"], str) else ""
    return f"{name} is wrong{given}: {first['msg'].removeprefix('Value error, ')}."


def _about_json(error: pydantic_settings.SettingsError) -> str:
    """What holds several values is JSON in its variable. The library names the field at the top of the tree alone."""
    named = re.search(r'field "(\w+)"', str(error))
    name = variable([named[1]]) if named else PREFIX
    held = [other for other in sorted(os.environ) if other == name or other.startswith(name + SEPARATOR)]
    return f"{' or '.join(held) or name} is wrong: it should be JSON, as docs/settings.md shows it."


def _name_in(location: tuple[int | str, ...]) -> str:
    return variable([str(step) for step in location if step not in _TAGS])


# A location in a discriminated union holds the tag, which no variable's name does.
_TAGS = ("embedded", "inmemory", "aws")
_KINDS = f"{', '.join(_TAGS[:-1])} or {_TAGS[-1]}"
