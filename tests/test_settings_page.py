"""The page of settings is the tree of settings."""

from smmu.bootstrap.settings import Settings
from smmu.bootstrap.variables import CLIENTS, leaves, variable
from tests.support.settings_page import PAGE, page
from tests.support.source import PROJECT


def test_the_page_of_settings_is_written_from_the_tree() -> None:
    assert PAGE.read_text() == page(), "run: python -m tests.support.settings_page"


def test_every_variable_is_on_the_page_once() -> None:
    for name in {variable(path) for path in leaves(Settings)} | CLIENTS:
        assert page().count(f"| `{name}` |") == 1


def test_who_looks_for_settings_finds_the_page() -> None:
    assert "(docs/settings.md)" in (PROJECT / "README.md").read_text()
