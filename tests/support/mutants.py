"""Damage as it happens to files: an upload that broke off, and bytes that changed on the way. Seeded, so repeatable."""

import random

from tests.support.corpus import CorpusFile

KIB = 1024


def cut(data: bytes, share: float) -> bytes:
    """The first part of a file."""
    return data[: int(len(data) * share)]


def mutant(data: bytes, seed: str) -> bytes:
    """The file with one byte in each KiB changed to another, all chosen by `seed`."""
    chance = random.Random(seed)
    changed = bytearray(data)
    for start in range(0, len(data), KIB):
        at = start + chance.randrange(min(KIB, len(data) - start))
        changed[at] ^= chance.randint(1, 255)
    return bytes(changed)


def is_accepted_video(file: CorpusFile) -> bool:
    """Which files of the corpus are damaged."""
    return file.expected["should_accept"] == "accept" and file.expected["kind"] == "video"
