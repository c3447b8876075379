"""`FunctionClassifier`: a callable of the deployment's own that says what is in a picture, in this process."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from smmu.adapters.policy.called import answer_of, name_of
from smmu.domain.labels import Sight
from smmu.ports.classify import Classifier
from smmu.ports.errors import Corrupt

Look = Callable[[bytes], Sight | Awaitable[Sight]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionClassifier(Classifier):
    """Shows pictures to `function`, which may be async; one that is not runs in a thread."""

    function: Look

    async def look(self, jpeg: bytes) -> Sight:
        """See the port. What the callable raises is its own fault, but for a retryable `WorldError`."""
        me = f"the classifier {name_of(self.function)}"
        sight = await answer_of(me, self.function, jpeg)
        if not isinstance(sight, Sight):
            raise Corrupt(f"{me} gave a {type(sight).__name__}, and no sight")
        return sight
