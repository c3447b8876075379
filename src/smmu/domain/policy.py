"""What a deployment's own policy may answer of a file, and what is said of it: to its owner and in the plan."""

import re
from dataclasses import dataclass
from enum import StrEnum

from smmu.domain.errors import Code, Reason
from smmu.domain.plan import Decision

WORDS_CHARS_MAX = 500
_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")


class Unanswered(StrEnum):
    """What becomes of a file that the policy has not judged, when it was asked as often as a task is tried."""

    CLOSED = "closed"  # its job fails, and may be tried again
    OPEN = "open"  # it is processed, and the plan says that nobody judged it


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A policy's answer. A rejection has a code of the deployment's own and a sentence for the owner.

    `ValueError` when it has not.
    """

    accepted: bool
    code: str = ""
    message: str = ""

    def __post_init__(self) -> None:
        """Refuse what could not be shown to an owner."""
        if self.accepted:
            return
        if not _CODE.fullmatch(self.code):
            raise ValueError("the code of a rejection is up to 64 of a-z, 0-9 and _, and begins with a letter")
        if not self.message.strip() or not self.message.isprintable() or len(self.message) > WORDS_CHARS_MAX:
            raise ValueError(f"the message of a rejection is one printable line of up to {WORDS_CHARS_MAX} characters")


def rejections(verdict: Verdict) -> tuple[Reason, ...]:
    """Why the file is rejected; empty when it is accepted."""
    if verdict.accepted:
        return ()
    words = verdict.message.strip()
    ending = "" if words[-1] in ".!?" else "."
    sentence = f"The policy of this service does not take the file ({verdict.code}): {words}{ending}"
    return (Reason(code=Code.REJECTED_BY_POLICY, message=sentence),)


ACCEPTED = Decision(subject="policy", choice="accepted", reason="the deployment's policy takes it")
NOT_JUDGED = Decision(
    subject="policy", choice="not judged", reason="the deployment's policy did not answer, and is set to open then"
)
