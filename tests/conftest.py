"""What all suites share: the event loop, Hypothesis profiles, the corpus, and a plain word for what is absent."""

import os
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer

from tests.support.aws import validator
from tests.support.corpus import Corpus, find_corpus
from tests.support.leaving_out import NEEDS
from tests.support.sharing import Sharing

settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))

LEFT_OUT = pytest.StashKey[dict[str, int]]()
LEFT_OUT_BY_WORKERS = pytest.StashKey[list[dict[str, int]]]()
_TESTS = Path(__file__).parent
MARKED_BY_FOLDER = {_TESTS / "e2e": "slow", _TESTS / "media": "media", _TESTS / "aws": "aws"}
REPORTED_AS = "smmu_tests_left_out"


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Production's event loop. Simulations start trio by themselves, with a virtual clock."""
    return "asyncio"


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    """The open corpus. A test that asks for it is left out where it is not present."""
    found = find_corpus()
    assert found is not None, "tests that use the corpus are left out before this"
    return found


def pytest_itemcollected(item: pytest.Item) -> None:
    """Marks that follow from where a test is and what it asks for, set before `-m` chooses."""
    if "corpus" in getattr(item, "fixturenames", ()):
        item.add_marker("corpus")
    for folder, mark in MARKED_BY_FOLDER.items():
        if item.path.is_relative_to(folder):
            item.add_marker(mark)


# Last, so that only tests which `-m` and `-k` have chosen count as left out.
@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    counts = config.stash.setdefault(LEFT_OUT, {})
    for need in NEEDS:
        if need.is_present():
            continue
        left_out = [item for item in items if item.get_closest_marker(need.mark)]
        items[:] = [item for item in items if not item.get_closest_marker(need.mark)]
        counts[need.mark] = len(left_out)
        if left_out:
            config.hook.pytest_deselected(items=left_out)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist hands its counts to the session that started it."""
    output: dict[str, dict[str, int]] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[REPORTED_AS] = session.config.stash.get(LEFT_OUT, {})


class CountFromWorkers:
    """Listens to pytest-xdist; registered only where it is active."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        output: dict[str, dict[str, int]] = getattr(node, "workeroutput", {})
        self.config.stash.setdefault(LEFT_OUT_BY_WORKERS, []).append(output.get(REPORTED_AS, {}))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Sharing | None:
    """The long suites' own; others are shared as pytest-xdist does it."""
    return Sharing(config, log) if config.getoption("dist") == "loadgroup" else None


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(CountFromWorkers(config), "smmu-count-from-workers")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    # Every worker collects every test, so the workers' counts are equal: the largest is the number, not the sum.
    told = [config.stash.get(LEFT_OUT, {}), *config.stash.get(LEFT_OUT_BY_WORKERS, [])]
    for need in NEEDS:
        count = max(counts.get(need.mark, 0) for counts in told)
        if count:
            terminalreporter.write_line(need.sentence(count))
    if not validator.is_there():
        terminalreporter.write_line("asl-validator not present: state machines were run, and not validated")
