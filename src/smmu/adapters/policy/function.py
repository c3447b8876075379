"""`FunctionPolicy`: a callable of the deployment's own, in this process."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio

from smmu.adapters.policy.called import answer_of, name_of
from smmu.domain.policy import Unanswered, Verdict
from smmu.ports.errors import Corrupt, Unavailable
from smmu.ports.policy import Policy, Question

Judge = Callable[[Question], Verdict | Awaitable[Verdict]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionPolicy(Policy):
    """Asks `function`, which may be async. One that is not runs in a thread: it may wait, and holds nobody up.

    A thread cannot be ended from outside, so one that never answers is left behind.
    """

    function: Judge
    seconds: float = 10.0
    unanswered: Unanswered = Unanswered.CLOSED

    async def judge(self, question: Question) -> Verdict:
        """See the port. What the callable raises is its own fault, but for a retryable `WorldError`."""
        me = f"the policy {name_of(self.function)}"
        with anyio.move_on_after(self.seconds):
            verdict = await answer_of(me, self.function, question)
            if not isinstance(verdict, Verdict):
                raise Corrupt(f"{me} gave a {type(verdict).__name__}, and no verdict")
            return verdict
        raise Unavailable(f"{me} has not answered in {self.seconds:g} s")
