"""A client of AWS that is real but for what a test plans: calls that are refused, or whose answers get lost."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

Call = Callable[..., Awaitable[Any]]
Step = Callable[[Call, Mapping[str, Any]], Awaitable[Any]]


class Unruly:
    """`plans` has for a call's name what happens to its next calls; `always` arguments that all its calls get."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.plans: dict[str, list[Step]] = {}
        self.always: dict[str, dict[str, Any]] = {}
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._client, name)
        if name not in self.plans and name not in self.always:
            return real

        async def call(**arguments: Any) -> Any:
            self.calls[name] += 1
            told, steps = {**self.always.get(name, {}), **arguments}, self.plans.get(name)
            return await (steps.pop(0)(real, told) if steps else real(**told))

        return call


def refused(error: Exception) -> Step:
    """Nothing happens but the error."""

    async def step(_: Call, __: Mapping[str, Any]) -> Any:
        raise error

    return step


def lost(error: Exception) -> Step:
    """It happens, and is answered with the error."""

    async def step(real: Call, arguments: Mapping[str, Any]) -> Any:
        await real(**arguments)
        raise error

    return step


def answered(answer: Any) -> Step:
    """Nothing happens but the answer."""

    async def step(_: Call, __: Mapping[str, Any]) -> Any:
        return answer

    return step


def error_of(code: str, status: int) -> ClientError:
    """What the SDK raises for an error of the service."""
    response: Any = {"Error": {"Code": code, "Message": "planned"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "Planned")
