"""How a function fails: by a class that is called as the error's code, because that is the name that callers see."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from smmu.adapters.aws.failures import HELD
from smmu.application.causes import cause_of
from smmu.application.invocations import Held, TaskFailed
from smmu.application.system import System
from smmu.domain.errors import WORDS, Refused


async def told(system: System, work: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 - JSON
    """What `work` gives. What it raises is raised under a code that the pipeline's rules match, in our words."""
    try:
        return await work()
    except TaskFailed as failure:
        raise _named(failure.error, _words(str(failure), failure.task_id)) from failure
    except Held as held:
        raise _named(HELD, str(held)) from held
    except Refused as refusal:
        raise _named(refusal.code, _words(refusal.message)) from refusal
    except Exception as error:  # the boundary: by its own name, no rule would match it and try again
        system.telemetry.event("invocation_failed", error=repr(error))
        code = cause_of(error)
        raise _named(code, _words(WORDS[code])) from error


def _named(name: str, words: str) -> Exception:
    kind: type[Exception] = type(str(name), (Exception,), {})
    return kind(words)


def _words(message: str, task_id: str | None = None) -> str:
    return json.dumps({"message": message, "task_id": task_id}, ensure_ascii=False)
