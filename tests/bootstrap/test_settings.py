"""A deployment is refused at start-up for a variable that is missing, wrong or unknown, by name and in one sentence."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from smmu.bootstrap.isolated import worker_environment
from smmu.bootstrap.limits import limits_in
from smmu.bootstrap.settings import EmbeddedPlatform, InMemoryPlatform, Settings, load_settings
from smmu.bootstrap.variables import SettingsError, leaves, variable
from smmu.domain.limits import Limits

_ON_AWS = (
    *("REGION", "RAW_BUCKET", "PROCESSED_BUCKET", "JOBS_TABLE", "UPLOADS_TABLE", "MEDIA_TABLE"),
    *("JOBS_QUEUE", "DEAD_LETTERS", "STATE_MACHINE", "CLUSTER"),
)


def test_nothing_needs_to_be_set() -> None:
    settings = load_settings()
    assert settings.platform == EmbeddedPlatform(kind="embedded", data=Path("smmu-data"))
    assert settings.limits == Limits(small_seconds_max=15)
    assert settings.workers.heavy == len(os.sched_getaffinity(0))


def test_a_data_folder_of_the_command_line_wins() -> None:
    assert load_settings(data=Path("elsewhere")).platform == EmbeddedPlatform(kind="embedded", data=Path("elsewhere"))


def test_every_level_of_the_tree_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMMU_PLATFORM__KIND", "inmemory")
    monkeypatch.setenv("SMMU_PLATFORM__TOKENS", '{"abc": "ada"}')
    monkeypatch.setenv("SMMU_WORKERS__HEAVY", "7")
    monkeypatch.setenv("SMMU_LIMITS__LEASE_SECONDS", "50")
    monkeypatch.setenv("SMMU_LIMITS__PROGRESS_SECONDS", "0.5")
    monkeypatch.setenv("SMMU_ORIGINS", '["https://a.example"]')
    settings = load_settings()
    assert settings.platform == InMemoryPlatform(kind="inmemory", tokens={"abc": "ada"})
    assert (settings.workers.heavy, settings.limits.lease_seconds) == (7, 50)
    assert (settings.limits.progress_seconds, settings.origins) == (0.5, ("https://a.example",))


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SMMU_STRAY", "1", "SMMU_STRAY is not a setting: remove it."),
        ("SMMU_WORKERS__HEVY", "1", "SMMU_WORKERS__HEVY is not a setting: did you mean SMMU_WORKERS__HEAVY?"),
        ("smmu_workers__hevy", "1", "smmu_workers__hevy is not a setting: did you mean SMMU_WORKERS__HEAVY?"),
        ("SMMU_PLATFORM", "{}", "SMMU_PLATFORM is not a setting: did you mean SMMU_PLATFORM__KIND?"),
        ("SMMU_PLATFORM__DATA", "x", "SMMU_PLATFORM__KIND is missing: set it to embedded, inmemory or aws."),
        ("SMMU_PLATFORM__KIND", "embedded", "SMMU_PLATFORM__DATA is missing."),
        ("SMMU_PLATFORM__KIND", "aws", f"{', '.join(f'SMMU_PLATFORM__{name}' for name in _ON_AWS)} are missing."),
        ("SMMU_PLATFORM__KIND", "cloud", "SMMU_PLATFORM__KIND is wrong ('cloud'): it is embedded, inmemory or aws."),
        ("SMMU_WORKERS__HEAVY", "0", "SMMU_WORKERS__HEAVY is wrong ('0'): Input should be greater than 0."),
        (
            "SMMU_ORIGINS",
            '["https://a.example", "app.example"]',
            "SMMU_ORIGINS is wrong: 'app.example' is no origin, which is a scheme and a host, as https://app.example.",
        ),
        (
            "SMMU_ORIGINS",
            '["https://a.example/"]',
            "SMMU_ORIGINS is wrong: 'https://a.example/' is no origin, which is a scheme and a host, as https://app.example.",
        ),
        (
            "SMMU_LIMITS__LEASE_SECONDS",
            "5",
            "SMMU_LIMITS is wrong: limit lease_seconds contradicts another limit: see domain/limits.py.",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("SMMU_ORIGINS", "SMMU_ORIGINS"),
        ("SMMU_PLATFORM__TOKENS", "SMMU_PLATFORM__KIND or SMMU_PLATFORM__TOKENS"),
    ],
)
def test_what_should_be_json_is_said_to_be_that(monkeypatch: pytest.MonkeyPatch, name: str, named: str) -> None:
    monkeypatch.setenv("SMMU_PLATFORM__KIND", "inmemory")
    monkeypatch.setenv(name, "https://app.example")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value) == f"{named} is wrong: it should be JSON, as docs/settings.md shows it."


def test_on_aws_a_function_has_to_be_there_for_small_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _ON_AWS:
        monkeypatch.setenv(f"SMMU_PLATFORM__{name}", "x")
    monkeypatch.setenv("SMMU_PLATFORM__KIND", "aws")
    monkeypatch.setenv("SMMU_LIMITS__SMALL_SECONDS_MAX", "15")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    words = "SMMU_LIMITS__SMALL_SECONDS_MAX is set, and SMMU_PLATFORM__RENDER_FUNCTION is not"
    assert str(refused.value) == f"{words}: on AWS a function does small tasks."
    monkeypatch.setenv("SMMU_PLATFORM__RENDER_FUNCTION", "smmu-dev-render")
    assert load_settings().limits.small_seconds_max == 15


def test_a_server_does_small_tasks_itself_unless_it_is_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().limits.small_seconds_max == 15
    monkeypatch.setenv("SMMU_LIMITS__CHUNKS_MAX", "7")
    assert (load_settings().limits.small_seconds_max, load_settings().limits.chunks_max) == (15, 7)
    monkeypatch.setenv("SMMU_LIMITS__SMALL_SECONDS_MAX", "0")
    assert load_settings().limits.small_seconds_max == 0
    monkeypatch.delenv("SMMU_LIMITS__SMALL_SECONDS_MAX")
    monkeypatch.setenv("SMMU_PLATFORM__KIND", "aws")
    for name in _ON_AWS:
        monkeypatch.setenv(f"SMMU_PLATFORM__{name}", "x")
    assert load_settings().limits.small_seconds_max == 0


def test_a_data_folder_is_refused_for_another_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMMU_PLATFORM__KIND", "inmemory")
    with pytest.raises(SettingsError, match="A data folder is for the embedded platform"):
        load_settings(data=Path("x"))


def test_variables_of_the_client_and_of_others_are_not_ours_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMMU_URL", "http://x")
    monkeypatch.setenv("SMMU_TOKEN", "t")
    monkeypatch.setenv("SMMUGGLER", "1")
    assert load_settings() == Settings()


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        load_settings().debug = True  # type: ignore[misc]


def test_every_limit_has_its_variable() -> None:
    names = {variable(path) for path in leaves(Settings)}
    assert {"SMMU_LIMITS__UPLOAD_BYTES_MAX", "SMMU_PLATFORM__KIND", "SMMU_DEBUG"} <= names
    assert "SMMU_LIMITS" not in names


# --- what a worker reads is what the server has read


def test_a_worker_reads_the_limits_that_the_server_tells_it() -> None:
    limits = Limits(lease_seconds=50, progress_seconds=0.25)
    told = worker_environment(limits)
    assert told == {"SMMU_LIMITS__LEASE_SECONDS": "50", "SMMU_LIMITS__PROGRESS_SECONDS": "0.25"}
    assert limits_in(told) == limits


def test_a_worker_that_is_told_nothing_has_the_default_limits() -> None:
    assert limits_in({"PATH": "/bin"}) == Limits()


@pytest.mark.parametrize(
    ("value", "sentence"), [("many", "should be a number, and not 'many'"), ("5", "contradicts another limit")]
)
def test_a_worker_refuses_a_limit_that_cannot_be(value: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        limits_in({"SMMU_LIMITS__LEASE_SECONDS": value})
