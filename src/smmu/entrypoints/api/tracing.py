"""Where a request comes from: the trace in its `traceparent` header, or one that begins here (W3C Trace Context)."""

from starlette.requests import Request

from smmu.domain.trace import CHANCE_BYTES, Trace, begun, parse
from smmu.entrypoints.api.replies import Scope
from smmu.ports.chance import chance

_HEADER = b"traceparent"
_TRACE, _GIVEN = "smmu.trace", "smmu.trace_given"


def take_trace(scope: Scope) -> Trace:
    """The trace of a request, which remembers it."""
    given = _given(scope)
    trace = scope[_TRACE] = given or begun(chance(CHANCE_BYTES))
    scope[_GIVEN] = given is not None
    return trace


def trace_of(request: Request) -> str:
    """The request's trace, as records keep it."""
    trace: Trace = request.scope[_TRACE]
    return trace.parent


def trace_given(request: Request) -> str:
    """The same, and "" where the client has sent none."""
    return trace_of(request) if request.scope[_GIVEN] else ""


def _given(scope: Scope) -> Trace | None:
    for name, value in scope["headers"]:
        if name == _HEADER:
            return parse(value.decode("latin-1").strip())
    return None
