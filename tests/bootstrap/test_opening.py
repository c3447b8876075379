"""The table is complete, and a product opened from settings works and closes."""

import subprocess
import sys
from pathlib import Path

import pytest

from smmu.adapters.embedded.identity import HmacVerifier
from smmu.adapters.inmemory.identity import StaticVerifier
from smmu.adapters.inmemory.platform import memory_platform
from smmu.adapters.inmemory.system import MemoryTelemetry
from smmu.adapters.inmemory.tasks import InlineTaskRunner
from smmu.application.system import System
from smmu.bootstrap.container import Container
from smmu.bootstrap.isolated import open_worker
from smmu.bootstrap.opening import open_system, verifier_of
from smmu.bootstrap.settings import EmbeddedPlatform, InMemoryPlatform, Settings
from smmu.domain.limits import Limits
from smmu.ports.errors import Denied, Unavailable


def embedded(folder: Path) -> Settings:
    return Settings(platform=EmbeddedPlatform(kind="embedded", data=folder))


def test_every_row_of_the_table_is_made_of_rows_that_are_there() -> None:
    limits = Limits()
    platform = memory_platform(limits)
    container = Container(
        settings=Settings(),
        platform=platform,
        verifier=StaticVerifier({}, platform.clock),
        telemetry=MemoryTelemetry(),
        scratch="/nowhere",
        recognizer=None,
        policy=None,
        classifier=None,
    )
    container.check_dependencies()
    system = container.system()
    assert isinstance(system, System)
    assert container.system() is system
    assert system.platform is platform


def test_a_table_with_a_row_missing_says_so() -> None:
    with pytest.raises(Exception, match="platform"):
        Container(settings=Settings()).check_dependencies()


async def test_an_embedded_product_opens_in_an_empty_folder(tmp_path: Path) -> None:
    async with open_system(embedded(tmp_path / "new"), telemetry=MemoryTelemetry()) as running:
        assert running.system.platform.name == "embedded"
        assert isinstance(running.verifier, HmacVerifier)


async def test_only_one_process_serves_a_folder(tmp_path: Path) -> None:
    async with open_system(embedded(tmp_path)):
        with pytest.raises(Unavailable):
            async with open_system(embedded(tmp_path)):
                pass
        async with open_system(embedded(tmp_path), exclusive=False) as beside:
            assert beside.system.platform.name == "embedded"


async def test_what_the_dead_left_in_scratch_is_removed_by_the_next_server(tmp_path: Path) -> None:
    async with open_system(embedded(tmp_path)):
        pass  # it was served once
    left = tmp_path / "tmp" / "smmu-1" / "half"
    left.parent.mkdir(parents=True)
    left.touch()
    async with open_system(embedded(tmp_path), exclusive=False):
        assert left.exists()
    async with open_system(embedded(tmp_path)):
        assert not left.exists()


async def test_heavy_tasks_are_done_here_when_asked_for(tmp_path: Path) -> None:
    async with open_system(embedded(tmp_path), inline=True) as running:
        assert isinstance(running.system.platform.tasks, InlineTaskRunner)


async def test_a_product_in_memory_knows_the_tokens_of_its_settings() -> None:
    settings = Settings(platform=InMemoryPlatform(kind="inmemory", tokens={"t": "ada"}))
    async with open_system(settings) as running:
        assert (await running.verifier.verify("t")).owner == "ada"
        with pytest.raises(Denied):
            await running.verifier.verify("u")


async def test_a_token_of_one_folder_is_not_valid_in_another(tmp_path: Path) -> None:
    token = verifier_of(tmp_path / "a").issue("ada", 60)
    assert (await verifier_of(tmp_path / "a").verify(token)).owner == "ada"
    with pytest.raises(Denied):
        await verifier_of(tmp_path / "b").verify(token)


async def test_a_worker_opens_a_folder_that_is_served(tmp_path: Path) -> None:
    async with open_system(embedded(tmp_path)), open_worker(str(tmp_path), {}) as system:
        assert system.limits == Limits()


def test_a_worker_loads_neither_web_nor_settings_nor_injector() -> None:
    unwanted = ("fastapi", "starlette", "uvicorn", "pydantic_settings", "dependency_injector", "jwt", "typer", "httpx")
    code = f"import sys, smmu.entrypoints.worker; print([name for name in {unwanted} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
