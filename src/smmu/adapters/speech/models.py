"""Whisper's models: which there are to get, and which lie on this machine. It gets none: `fetching.py` does."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from smmu.adapters.speech.whisper import is_model

DEFAULT = "small"

# Smallest first; sizes in MB, rounded. All are MIT-licensed, and none knows less languages than Whisper itself does.
SIZES: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "tiny": ("Systran/faster-whisper-tiny", 78),
        "base": ("Systran/faster-whisper-base", 148),
        "small": ("Systran/faster-whisper-small", 486),
        "medium": ("Systran/faster-whisper-medium", 1_530),
        "large-v3": ("Systran/faster-whisper-large-v3", 3_090),
    }
)


def present(folder: Path) -> list[str]:
    """The names of the models that are in this folder, smallest first; those of unknown names after them."""
    there = [path.name for path in folder.iterdir() if is_model(path)] if folder.is_dir() else []
    order = list(SIZES)
    return sorted(there, key=lambda name: (order.index(name) if name in SIZES else len(order), name))


def largest(folder: Path) -> str | None:
    """The largest model by its weights; `None` when there is none."""
    return max(present(folder), key=lambda name: (folder / name / "model.bin").stat().st_size, default=None)
