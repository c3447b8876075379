"""The rules that hold the code together: import-linter's contracts, and by syntax tree what they cannot say.

Each rule is first shown to be able to fail, on a small package that breaks it.
"""

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.source import (
    PACKAGE,
    PROJECT,
    dotted,
    imported_modules,
    parse,
    place,
    python_files,
    roots_of,
)

DOMAIN = python_files("src/smmu/domain")
CORE = DOMAIN + python_files("src/smmu/application")
BELOW_ENTRYPOINTS = [path for path in python_files("src/smmu") if not path.is_relative_to(PACKAGE / "entrypoints")]
EVENT_LOOPS = {"asyncio", "trio"}
AMBIENT_MODULES = {"time", "random", "secrets", "uuid"}
AMBIENT_CALLS = {"now", "utcnow", "today"}
AGGREGATES = ("upload", "job")
LAYERS = (
    *("domain", "ports", "application", "bootstrap", "client", "entrypoints", "entrypoints/api", "adapters"),
    "entrypoints/lambdas",
    *("adapters/aws", "adapters/embedded", "adapters/inmemory", "adapters/media", "adapters/policy", "adapters/speech"),
)


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the contracts of the pyproject.toml in that folder on the package that is importable from it."""
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", command, "--no-logo", "--no-cache"],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def empty_house(tmp_path: Path) -> Path:
    """A project with our contracts and our layers, and nothing in them; it starts out in order."""
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    for layer in ("", *LAYERS):
        (tmp_path / "smmu" / layer).mkdir(exist_ok=True)
        (tmp_path / "smmu" / layer / "__init__.py").touch()
    for module in ("wire", "adapters/aws/ledger", "adapters/aws/rows"):
        (tmp_path / "smmu" / f"{module}.py").touch()
    return tmp_path


def test_the_contracts_are_kept() -> None:
    done = lint_imports(PROJECT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_empty_house_with_every_adapter_family_is_in_order(empty_house: Path) -> None:
    done = lint_imports(empty_house)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("domain/plan.py", "import smmu.ports", "1. Layers"),
        ("client/uploader.py", "import smmu.bootstrap", "1. Layers"),
        ("plugins.py", "", "1. Layers"),
        ("adapters/embedded/queue.py", "import smmu.adapters.inmemory", "2. Adapter families"),
        ("domain/plan.py", "import os.path", "3. The domain"),
        ("application/steps.py", "import asyncio", "4. asyncio"),
        ("bootstrap/container.py", "from trio import sleep", "4. asyncio"),
        ("adapters/embedded/uploads.py", "import botocore.session", "5a. AWS"),
        ("domain/parts.py", "import awscrt.checksums", "5a. AWS"),
        ("application/steps.py", "import av", "5b. Media"),
        ("adapters/media/audio.py", "import faster_whisper", "5c. Speech"),
        ("entrypoints/cli.py", "import dependency_injector.containers", "5d. The injector"),
        ("entrypoints/worker.py", "from fastapi import FastAPI", "5e. FastAPI"),
        ("adapters/inmemory/ledger.py", "import sqlite3", "5f. SQLite"),
        ("adapters/aws/account.py", "import boto3.session", "5g. Blocking"),
        ("entrypoints/lambdas/sweep.py", "import smmu.adapters.aws.ledger", "5h. Entrypoints"),
        ("entrypoints/worker.py", "import smmu.adapters.aws.rows", "5h. Entrypoints"),
        ("domain/plan.py", "import smmu.domain.ladder", "6. No cycles"),
    ],
)
def test_a_contract_that_is_broken_is_reported(empty_house: Path, module: str, line: str, contract: str) -> None:
    (empty_house / "smmu/domain/ladder.py").write_text("import smmu.domain.plan\n", encoding="utf-8")
    (empty_house / "smmu/domain/plan.py").touch()
    (empty_house / "smmu" / module).write_text(f"{line}\n", encoding="utf-8")
    done = lint_imports(empty_house)
    broken = [told for told in done.stdout.splitlines() if told.endswith("BROKEN")]
    assert done.returncode == 1, done.stdout + done.stderr
    assert len(broken) == 1, broken
    assert broken[0].startswith(contract), broken


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("entrypoints/cli.py", "import asyncio, trio"),
        ("adapters/aws/uploads.py", "import aiobotocore.session, botocore.exceptions"),
        ("ports/checksums.py", "import awscrt.checksums"),
        ("entrypoints/lambdas/relay.py", "import smmu.adapters.aws.rows"),
        ("adapters/media/image.py", "import av, PIL.Image"),
        ("adapters/speech/pocketsphinx.py", "import pocketsphinx"),
        ("adapters/embedded/database.py", "import sqlite3"),
        ("bootstrap/container.py", "import dependency_injector, smmu.adapters.media"),
        ("entrypoints/api/app.py", "import fastapi, starlette.responses"),
    ],
)
def test_a_vendor_is_welcome_in_its_home(empty_house: Path, module: str, line: str) -> None:
    (empty_house / "smmu" / module).write_text(f"{line}\n", encoding="utf-8")
    done = lint_imports(empty_house)
    assert done.returncode == 0, done.stdout + done.stderr


# --- what import-linter cannot say


def waits(tree: ast.Module) -> Iterator[str]:
    """Every place where code could give way to other code."""
    kinds = ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith
    for node in ast.walk(tree):
        if isinstance(node, kinds):
            yield f"line {node.lineno}: {type(node).__name__}"
        elif isinstance(node, ast.comprehension) and node.is_async:
            yield f"line {node.target.lineno}: async comprehension"


def event_loops_named(tree: ast.Module) -> Iterator[str]:
    """Imports of an event loop, and its bare name in code or as a string of its own (prose may mention it)."""
    yield from sorted(roots_of(imported_modules(tree)) & EVENT_LOOPS)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in EVENT_LOOPS:
            yield f"line {node.lineno}: {node.id}"
        elif isinstance(node, ast.Constant) and node.value in EVENT_LOOPS:
            yield f"line {node.lineno}: {node.value!r}"


def ambient(tree: ast.Module) -> Iterator[str]:
    """Time, ids and chance that were not handed in."""
    yield from sorted(roots_of(imported_modules(tree)) & AMBIENT_MODULES)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner, _, name = dotted(node.func).rpartition(".")
            if name in AMBIENT_CALLS and owner.rpartition(".")[2] in {"datetime", "date"}:
                yield f"line {node.lineno}: {owner}.{name}"


@pytest.mark.parametrize(
    "snippet",
    ["async def f(): ...", "async def f():\n    async with g(): ...", "x = [i async for i in y]"],
)
def test_a_wait_is_seen(snippet: str) -> None:
    assert list(waits(ast.parse(snippet)))


def test_the_domain_waits_for_nothing() -> None:
    assert [f"{place(path)}: {wait}" for path in DOMAIN for wait in waits(parse(path))] == []


def test_the_domain_is_made_of_the_standard_library() -> None:
    assert "pydantic" not in sys.stdlib_module_names
    strangers = {
        place(path): roots_of(imported_modules(parse(path))) - sys.stdlib_module_names - {"smmu"} for path in DOMAIN
    }
    assert {name: found for name, found in strangers.items() if found} == {}


@pytest.mark.parametrize(
    "snippet",
    ["import asyncio", "from trio.abc import Clock", "asyncio.sleep(1)", "import_module('trio')"],
)
def test_the_name_of_an_event_loop_is_seen(snippet: str) -> None:
    assert list(event_loops_named(ast.parse(snippet)))


def test_event_loops_are_named_only_in_entrypoints() -> None:
    named = [f"{place(path)}: {name}" for path in BELOW_ENTRYPOINTS for name in event_loops_named(parse(path))]
    assert named == []


@pytest.mark.parametrize(
    "snippet",
    ["from uuid import uuid4", "import random", "datetime.datetime.now(UTC)", "date.today()"],
)
def test_time_and_chance_out_of_the_air_are_seen(snippet: str) -> None:
    assert list(ambient(ast.parse(snippet)))


def test_time_ids_and_chance_are_handed_to_the_core() -> None:
    assert list(ambient(ast.parse("clock.now()"))) == []
    assert [f"{place(path)}: {found}" for path in CORE for found in ambient(parse(path))] == []


@pytest.mark.parametrize(("aggregate", "other"), [AGGREGATES, AGGREGATES[::-1]])
def test_aggregates_do_not_import_each_other(aggregate: str, other: str) -> None:
    tree = parse(PACKAGE / "domain" / f"{aggregate}.py")
    assert f"smmu.domain.{other}" not in imported_modules(tree)


def test_an_import_is_seen_however_it_is_written() -> None:
    for snippet in (
        "import smmu.domain.job",
        "from smmu.domain import job",
        "from smmu.domain.job import Job",
    ):
        assert "smmu.domain.job" in imported_modules(ast.parse(snippet))
