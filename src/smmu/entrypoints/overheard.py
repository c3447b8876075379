"""What hooks of a deployment failed of, by job: in a one-shot run the operator, who may know that, is the owner."""

from dataclasses import dataclass, field

from smmu.ports.about import known
from smmu.ports.system import Telemetry

_UNANSWERED = {"policy_unanswered": "policy", "classifier_unanswered": "classifier"}
_ANSWERED = {"policy_answered": "policy", "classifier_answered": "classifier"}


@dataclass(frozen=True, slots=True)
class Overheard(Telemetry):
    """Passes everything on to the telemetry `behind`, and remembers of each job why a hook gave no answer."""

    behind: Telemetry
    failures: dict[str, dict[str, str]] = field(default_factory=dict)

    def event(self, name: str, **fields: object) -> None:
        """See the port. A hook that has answered after all has not failed."""
        job_id = str({**known(), **fields}.get("job_id", ""))
        if name in _UNANSWERED:
            self.failures.setdefault(job_id, {})[_UNANSWERED[name]] = _sentence(str(fields.get("error", "")))
        elif name in _ANSWERED:
            self.failures.get(job_id, {}).pop(_ANSWERED[name], None)
        self.behind.event(name, **fields)

    def flush(self) -> None:
        """See the port."""
        self.behind.flush()

    def of(self, job_id: str) -> dict[str, str]:
        """What each hook failed of at a job, in a sentence."""
        return self.failures.get(job_id, {})


def _sentence(words: str) -> str:
    line = " ".join(words.split())
    return f"{line[:1].upper()}{line[1:]}" + ("" if line.endswith((".", "!", "?")) else ".")
