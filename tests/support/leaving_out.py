"""What some tests need and not every machine has. Without it they are left out, and counted aloud at the end."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from tests.support import browser, pages, terraform
from tests.support.aws import live, localstack
from tests.support.corpus import find_corpus


@dataclass(frozen=True, slots=True)
class Need:
    """Tests that have the mark need what `is_present` looks for; `otherwise` says that it is absent."""

    mark: str
    is_present: Callable[[], bool]
    otherwise: str

    def sentence(self, count: int) -> str:
        return f"{self.otherwise}: {count} {self.mark} tests left out"


def _has_localstack() -> bool:
    """In CI it must be there: a test of it then fails where it is not."""
    return localstack.is_present() or os.environ.get("CI") == "true"


NEEDS = (
    Need("corpus", lambda: find_corpus() is not None, "corpus not present"),
    Need("localstack", _has_localstack, "no .venv-localstack (`make localstack`)"),
    Need("terraform", terraform.is_present, "no terraform with its AWS provider (SMMU_TERRAFORM_MIRROR)"),
    Need("browser", lambda: browser.is_present() and pages.has_player(), "no Chromium, or no player (`make player`)"),
    Need("live", live.is_present, "no AWS account named, or not alone (`make test-live`)"),
)
