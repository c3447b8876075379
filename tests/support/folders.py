"""Folders for tests that make hundreds of them: in memory where the system has a place for that."""

import tempfile
from pathlib import Path

_IN_MEMORY = Path("/dev/shm")  # Linux; elsewhere the usual place is right, and slower


def quick_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder that is gone at the end. Nothing about durability can be learnt from it."""
    return tempfile.TemporaryDirectory(prefix="smmu-", dir=_IN_MEMORY if _IN_MEMORY.is_dir() else None)
