"""Ids of one machine."""

from smmu.adapters.embedded.system import RandomIds, SystemClock
from smmu.domain.values import JOB, is_id


class FixedClock(SystemClock):
    def now(self) -> float:
        return 1_750_000_000.1234


def test_ids_are_well_formed_and_never_the_same() -> None:
    ids = RandomIds(FixedClock())
    made = {ids.new(JOB) for _ in range(1_000)}
    assert len(made) == 1_000
    assert all(is_id(JOB, name) for name in made)
