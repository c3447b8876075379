"""What happened to a job, in order. Events are past tense, stored beside the change they tell of, numbered from 1."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEvent:
    """One line of a job's history. `data` is a small JSON object, the same that `GET /jobs/{id}/events` sends."""

    job_id: str
    owner: str
    seq: int
    at: float
    attempt: int
    type: Literal["state", "progress", "task"]
    data: Mapping[str, Any]

    @property
    def record_id(self) -> str:
        """Its id in the ledger: sorts by job, then by sequence number."""
        return f"{self.job_id}/{self.seq:010d}"
