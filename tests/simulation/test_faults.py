"""The fault wrapper covers every promise that there is, and each kind of fault does what its name says."""

import inspect
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, is_typeddict

import anyio
import pytest
import trio.testing

import smmu.ports
from smmu.adapters.inmemory.objects import MemoryObjectStore
from smmu.adapters.inmemory.system import AnyioClock
from smmu.adapters.inmemory.world import World
from smmu.ports.errors import Unavailable
from smmu.ports.objects import ObjectStore
from tests.simulation.faults import PORTS, Crash, Fault, Faults, Plan, Process, faulty

# Made of other ports in memory (Orchestrator), written by the application itself (Sink, Pieces), behind the engine or the
# API's door and not yet asked for by any use case that a simulation runs (the others).
NOT_WRAPPED = {
    "Orchestrator",
    "Sink",
    "Pieces",
    "Isolation",
    "SpeechRecognizer",
    "SearchIndex",
    "Classifier",
    "PictureMaker",
    "Policy",
    "Delivery",
    "Secrets",
    "TokenVerifier",
    "UploadForms",
}


def ports_that_wait() -> set[str]:
    """The names of all Protocols of `smmu.ports` with a method that may fail: one that is awaited."""
    modules = [import_module(f"smmu.ports.{found.name}") for found in iter_modules(smmu.ports.__path__)]
    classes = {value for module in modules for value in vars(module).values() if inspect.isclass(value)}
    protocols = {value for value in classes if getattr(value, "_is_protocol", False) and not is_typeddict(value)}
    return {
        value.__name__
        for value in protocols
        if value.__module__.startswith("smmu.") and any(map(inspect.iscoroutinefunction, vars(value).values()))
    }


def test_every_port_is_wrapped_or_has_a_reason_not_to_be() -> None:
    assert ports_that_wait() == {port.__name__ for port in PORTS} | NOT_WRAPPED


async def put_and_look(plan: Plan) -> tuple[Any, bool, float]:
    """What putting an object came to, whether it is there, and how long that took."""
    process, began, world = Process("api"), anyio.current_time(), World()
    faults = Faults(plan=plan, pause_seconds=100.0, after=lambda _: None)
    objects = faulty(ObjectStore, MemoryObjectStore(world, AnyioClock()), process, faults)  # type: ignore[type-abstract] # the wrapper makes it concrete
    came: Any = "cancelled"
    with process.scope:
        try:
            came = (await objects.put("a", b"x", content_type="text/plain")).size
        except (Unavailable, Crash) as error:
            came = type(error)
    return came, "a" in world.objects.rows, anyio.current_time() - began


@pytest.mark.parametrize(
    ("fault", "came", "there", "seconds"),
    [
        (None, 1, True, 0),
        (Fault.CRASH_BEFORE, Crash, False, 0),
        (Fault.FAIL_BEFORE, Unavailable, False, 0),
        (Fault.FAIL_AFTER, Unavailable, True, 0),
        (Fault.CRASH_AFTER, Crash, True, 0),
        (Fault.PAUSE, 1, True, 100),
        (Fault.STOP, "cancelled", False, 0),
    ],
)
def test_a_fault_does_what_its_name_says(fault: Fault | None, came: Any, *, there: bool, seconds: float) -> None:
    clock = trio.testing.MockClock(autojump_threshold=0)
    plan = {0: fault} if fault else {}
    done = anyio.run(put_and_look, plan, backend="trio", backend_options={"clock": clock})
    assert done == (came, there, seconds)


def test_after_a_crash_no_call_of_that_process_happens() -> None:
    async def main() -> int:
        process, world = Process("api"), World()
        faults = Faults(plan={0: Fault.CRASH_BEFORE}, pause_seconds=1.0, after=lambda _: None)
        objects = faulty(ObjectStore, MemoryObjectStore(world, AnyioClock()), process, faults)  # type: ignore[type-abstract] # as above
        with process.scope:
            for _ in range(3):
                with pytest.raises(Crash):
                    await objects.put("a", b"x", content_type="text/plain")
        return len(world.objects.rows)

    assert anyio.run(main, backend="trio") == 0
