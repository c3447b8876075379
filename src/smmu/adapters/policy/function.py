"""`FunctionPolicy`: a callable of the deployment's own, in this process."""

import inspect
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio
from anyio import to_thread

from smmu.domain.policy import Unanswered, Verdict
from smmu.ports.errors import Corrupt, Unavailable, WorldError
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
        """See the port. What the callable raises is its own fault, but for a `WorldError`."""
        with anyio.move_on_after(self.seconds):
            return await self._judged(question)
        raise Unavailable(f"the policy has not answered in {self.seconds:g} s")

    async def _judged(self, question: Question) -> Verdict:
        try:
            verdict: object = await self._asked(question)
        except WorldError:
            raise
        except Exception as error:
            raise Corrupt(f"the policy failed: {error!r}, {_place(error)}") from error
        if not isinstance(verdict, Verdict):
            raise Corrupt(f"the policy gave a {type(verdict).__name__}, and no verdict")
        return verdict

    async def _asked(self, question: Question) -> object:
        if inspect.iscoroutinefunction(self.function):
            return await self.function(question)
        answer = await to_thread.run_sync(self.function, question, abandon_on_cancel=True)
        return await answer if inspect.isawaitable(answer) else answer


def _place(error: Exception) -> str:
    """Where it was raised."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename}:{last.lineno}"
