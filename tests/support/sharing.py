"""How processes share the tests of a long suite: one by one, but what is dear to make is made in one process alone.

`--dist loadgroup` of pytest-xdist is meant for that. Its 3.8 marks groups in a way that pytest 9.2 does not read, so this
is the rule that it asks for, and goes by where a test is.
"""

from xdist.scheduler.loadgroup import LoadGroupScheduling

# One server that checks signatures; one deployment made by Terraform; one film, or one run of jobs, looked at often.
_ONE_LOCALSTACK = "[localstack"
_TOGETHER = (
    "tests/infra/",
    "tests/release/test_bootstrap.py",
    "tests/aws/test_cost.py",
    "tests/aws/test_narrowing.py",
    "tests/e2e/test_browser.py",
    "tests/e2e/test_media.py",
    "tests/e2e/test_verify.py",
)


def share_of(nodeid: str) -> str:
    """What one process is given with this test: all tests with the same answer."""
    if _ONE_LOCALSTACK in nodeid:
        return _ONE_LOCALSTACK
    return next((place for place in _TOGETHER if nodeid.startswith(place)), nodeid)


class Sharing(LoadGroupScheduling):  # type: ignore[misc]  # it has no types
    """Gives each process that is free the next share, the one of most tests first."""

    def _split_scope(self, nodeid: str) -> str:
        return share_of(nodeid)
