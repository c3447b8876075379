"""`ports/chance.py`: nothing is given twice, whoever asks."""

import subprocess
import sys
import threading

import pytest

from smmu.ports.chance import chance


def test_each_gets_as_much_as_asked_for_and_nobody_anothers() -> None:
    found: list[bytes] = []

    def take() -> None:
        found.extend(chance(16) for _ in range(1_000))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {len(each) for each in found} == {16}
    assert len({*found}) == len(found) == 4_000


FORK = """
import os
from smmu.ports.chance import chance
print(chance(32).hex(), flush=True)  # there is some left now
child = os.fork()
if child:
    os.waitpid(child, 0)  # so that their lines do not mix
for _ in range(100):
    print(chance(32).hex())
"""


def test_a_fork_gets_none_of_its_parents() -> None:
    found = subprocess.run([sys.executable, "-c", FORK], check=True, stdout=subprocess.PIPE).stdout.split()
    assert len({*found}) == len(found) == 201


def test_more_than_a_cell_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        chance(33)
