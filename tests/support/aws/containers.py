"""Containers of the stand-in that really run: each is a process, and its end is the container's.

The stand-in keeps what ECS says of a task; this starts a process where ECS would start a container, and writes down in
its place how that ended, in ECS's words. Stopping a task asks the process to end (SIGTERM) and kills it after a grace.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from moto.ecs.models import ecs_backends
from moto.moto_api import state_manager

from tests.support.aws.clusters import Cluster
from tests.support.aws.moto import REGION

Entrypoint = Callable[[Sequence[str]], Sequence[str]]  # a container's command as the program and arguments to run here

_ACCOUNT = "123456789012"
_MODEL = "ecs::task"
_NEVER = 10**9
_SAID_BYTES = 2_000


@dataclass(slots=True)
class Container:
    """One container: what it was asked to do, on what (ECS's CPU units and MiB), and how that ended."""

    command: list[str]
    process: subprocess.Popen[bytes]
    cpu: int = 0
    memory: int = 0
    begun: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    stop_reason: str | None = None
    exit_code: int | None = None
    said: str = ""

    def send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


@dataclass(slots=True)
class Containers:
    """The containers of one cluster, by their tasks' ARNs. A task's definition adds to `environment`."""

    cluster: str
    entrypoint: Entrypoint
    environment: Mapping[str, str]
    grace_seconds: float
    known: dict[str, Container] = field(default_factory=dict)
    threads: list[threading.Thread] = field(default_factory=list)

    def begin(self, task: Any) -> None:
        overrides = task.overrides.get("containerOverrides", [])
        command = [word for override in overrides for word in override.get("command", [])]
        told = {one["name"]: one["value"] for override in overrides for one in override.get("environment", [])}
        process = subprocess.Popen(
            list(self.entrypoint(command)),
            env={**self.environment, **_told_by_definition(task), **told},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        cpu, memory = (int(task.overrides.get(name) or 0) for name in ("cpu", "memory"))
        self.known[task.task_arn] = Container(command, process, cpu, memory)
        self._aside(self._watch, task, self.known[task.task_arn])

    def stop(self, task: Any, reason: str) -> None:
        container = self.known[task.task_arn]
        if container.exit_code is None and container.stop_reason is None:
            container.stop_reason, task.desired_status = reason, "STOPPED"
            container.send(signal.SIGTERM)
            self._aside(self._kill_later, container)

    def close(self) -> None:
        """Kill what still runs, and wait for all that was begun."""
        for container in self.known.values():
            if container.exit_code is None:
                container.send(signal.SIGKILL)
        for thread in self.threads:
            thread.join(10)

    def _aside(self, work: Callable[..., None], *given: Any) -> None:
        thread = threading.Thread(target=work, args=given, daemon=True)
        self.threads.append(thread)
        thread.start()

    def _kill_later(self, container: Container) -> None:
        try:
            container.process.wait(self.grace_seconds)
        except subprocess.TimeoutExpired:
            container.send(signal.SIGKILL)

    def _watch(self, task: Any, container: Container) -> None:
        said = container.process.communicate()[1]
        container.seconds = time.monotonic() - container.begun
        container.said = said.decode(errors="replace")[-_SAID_BYTES:]
        code = container.process.returncode
        container.exit_code = code if code >= 0 else 128 - code
        (told,) = task.containers
        told.exitCode, told.last_status = container.exit_code, "STOPPED"
        if code == -signal.SIGKILL and container.stop_reason is None:
            told.reason = "OutOfMemoryError: Container killed due to memory usage"  # Fargate's words
        task.stop_code = "UserInitiated" if container.stop_reason else "EssentialContainerExited"
        task.stopped_reason = container.stop_reason or "Essential container in task exited"
        task.desired_status = task.last_status = "STOPPED"


def _told_by_definition(task: Any) -> dict[str, str]:
    definition = ecs_backends[_ACCOUNT][REGION].describe_task_definition(task.task_definition_arn)
    (container,) = definition.container_definitions
    return {variable["name"]: variable["value"] for variable in container.get("environment", [])}


@contextmanager
def running(
    cluster: Cluster, entrypoint: Entrypoint, environment: Mapping[str, str], grace_seconds: float = 5.0
) -> Iterator[Containers]:
    """Meanwhile the cluster's tasks run as processes of this machine."""
    backend: Any = ecs_backends[_ACCOUNT][REGION]
    containers = Containers(cluster.name, entrypoint, environment, grace_seconds)
    start, stop = backend.run_task, backend.stop_task

    def run_task(*given: Any, **named: Any) -> list[Any]:
        tasks: list[Any] = start(*given, **named)
        for task in tasks:
            if task.cluster_name == cluster.name:
                containers.begin(task)
        return tasks

    def stop_task(cluster_str: str, task_str: str, reason: str) -> Any:
        found = backend.tasks[cluster.name].get(task_str) if cluster.name in backend.tasks else None
        if found is None:
            return stop(cluster_str, task_str, reason)
        containers.stop(found, reason)
        return found

    backend.run_task, backend.stop_task = run_task, stop_task
    state_manager.set_transition(_MODEL, {"progression": "manual", "times": _NEVER})
    try:
        yield containers
    finally:
        containers.close()
        state_manager.unset_transition(_MODEL)
        backend.run_task, backend.stop_task = start, stop  # as they were: another cluster may be there
