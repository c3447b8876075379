"""A classifier that pretends: labels are a function of the picture. It judges nothing."""

import hashlib

from smmu.domain.labels import Label, Sight
from smmu.ports.classify import Classifier

MODEL = "pretend 1"
FORBIDDEN = "forbidden"  # a picture that has this word in it is labelled for moderation
_NAMES = ("sea", "sky", "street", "face", "animal", "screen")


class PretendClassifier(Classifier):
    """Two labels from the digest of what it is shown, and one for moderation when the picture asks for it."""

    async def look(self, jpeg: bytes) -> Sight:
        """Labels of a picture."""
        first, second = hashlib.sha256(jpeg).digest()[:2]
        refused = (Label(name=FORBIDDEN, confidence=0.99),) if FORBIDDEN.encode() in jpeg else ()
        return Sight(
            labels=(_label(first, 0.9), _label(second, 0.6)),
            moderation=refused,
            models={"labels": MODEL, "moderation": MODEL},
        )


def _label(byte: int, confidence: float) -> Label:
    return Label(name=_NAMES[byte % len(_NAMES)], confidence=confidence)
