"""A whole deployment on this machine: a stand-in of AWS, our real functions, workers and API as processes.

What is real: every line of the product, Lambda's runtime, HTTP, the state machine as compiled. What stands in: moto for
the services, threads for what brings events (`sources.py`), processes for Fargate's machines (`machines.py`).
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import anyio
import boto3
import httpx
from botocore.config import Config

from smmu.adapters.aws.account import Account, Resources, open_clients
from smmu.adapters.aws.asl import compile_pipeline
from smmu.adapters.aws.asl_tasks import Names
from smmu.domain.catalogue import pipeline
from smmu.domain.limits import Limits
from smmu.ports.queue import Topic
from tests.support.aws import accounting, clusters, containers, machines, moto, resources, sources
from tests.support.aws.containers import Containers
from tests.support.aws.functions import Function
from tests.support.issuer import ISSUER, Published
from tests.support.listening import listening

_START_SECONDS = 60
_MESSAGE_SECONDS = 3
WORKER_ROLE = "arn:aws:iam::123456789012:role/smmu-test-transcode-session"
WORKER_KEY = "AKIAWORKERITSELF"  # whose requests are told apart: those of a worker's own role
_INVOKED = ("perform", "open", "collect", "render")  # by others; what brings events invokes the rest
HANDLERS = {
    "arrived": "smmu.entrypoints.lambdas.arrived.handle",
    "dispatch": "smmu.entrypoints.lambdas.dispatch.handle",
    "perform": "smmu.entrypoints.lambdas.perform.handle_perform",
    "open": "smmu.entrypoints.lambdas.perform.handle_open",
    "collect": "smmu.entrypoints.lambdas.perform.handle_collect",
    "render": "smmu.entrypoints.lambdas.render.handle",
    "relay": "smmu.entrypoints.lambdas.relay.handle",
    "sweep": "smmu.entrypoints.lambdas.sweep.handle",
    "status": "smmu.entrypoints.lambdas.status.handle",
}


@dataclass(slots=True, kw_only=True)
class Cloud:
    """One deployment. `without` opens a window in which some events are not brought."""

    account: Account
    named: Resources
    folder: Path
    environment: dict[str, str]
    functions: dict[str, Function]
    sources: dict[str, sources.Source]
    containers: Containers
    keys: Published
    url: str

    def client(self, service: str) -> Any:
        """A client that is told apart from the product's."""
        return harness_client(self.account, service)

    @contextmanager
    def without(self, *names: str) -> Iterator[None]:
        """Meanwhile nobody brings the events of these sources."""
        for name in names:
            self.sources[name].pause()
        try:
            yield
        finally:
            for name in names:
                self.sources[name].resume()

    def token(self, owner: str = "ada") -> str:
        now = int(time.time())  # noqa: TID251 - the API judges tokens by the machine's clock
        issuer, audience = (self.environment[f"SMMU_PLATFORM__IDENTITY__{name}"] for name in ("ISSUER", "AUDIENCE"))
        return self.keys.token(sub=owner, exp=now + 3_600, iss=issuer, aud=audience)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What a deployment's processes find when they begin.

    `functions` are the ARNs that the state machine calls. `told` are the variables that a deployment gives each of its
    processes: a function by its name, "api", and "worker", if its task definition does not tell it. `messages` is the
    pattern of what wakes the relay; `arrivals` is the queue of what storage tells, where it tells anything.
    """

    named: Resources
    cluster: clusters.Cluster
    functions: Mapping[str, str]
    handlers: Mapping[str, str]
    told: Mapping[str, Mapping[str, str]]
    messages: str = sources.MESSAGES
    arrivals: str | None = None


@contextmanager
def deployed(folder: Path, stage: Stage | None = None) -> Iterator[Cloud]:
    """A deployment, until the block ends: on `stage`, or on one of its own. Its processes' logs go to `folder`."""
    account = moto.account()
    machines.interpret()
    keys = Published()
    with ExitStack() as stack:
        sandboxes: dict[str, Function] = {}
        called = {name: _late(sandboxes, name) for name in _INVOKED}
        if stage is None:
            stage = _stage(account, stack.enter_context(machines.functions(called)))
        else:
            stack.enter_context(machines.answering({stage.functions[name]: called[name] for name in _INVOKED}))
        machine = machine_of(account, folder / "scratch")
        for name, handler in stage.handlers.items():
            environment = {**machine, **_key_of(name), **stage.told[name]}
            sandboxes[name] = Function(name, handler, environment, folder / "functions.log")
            stack.callback(sandboxes[name].close)
        told = {**machine, "AWS_ACCESS_KEY_ID": WORKER_KEY, **stage.told["worker"]}
        workers = stack.enter_context(containers.running(stage.cluster, _worker, told))
        brought = _sources(account, stage, sandboxes)
        for source in brought.values():
            source.start()
            stack.callback(source.stop)
        jwks_url = stack.enter_context(published(keys))
        environment = {**machine, **stage.told["api"], "SMMU_PLATFORM__IDENTITY__JWKS_URL": jwks_url}
        url = stack.enter_context(served(environment, folder / "api.log"))
        yield Cloud(
            account=account,
            named=stage.named,
            folder=folder,
            environment=environment,
            functions=sandboxes,
            sources=brought,
            keys=keys,
            containers=workers,
            url=url,
        )


def _key_of(function: str) -> dict[str, str]:
    """The function that renders is a worker: its own requests are told apart as theirs are."""
    return {"AWS_ACCESS_KEY_ID": WORKER_KEY} if function == "render" else {}


def _stage(account: Account, arns: Mapping[str, str]) -> Stage:
    named, cluster = anyio.run(_resources, account), clusters.make_cluster()
    named = replace(named, cluster=cluster.name, state_machine=_state_machine(arns, cluster))
    named = replace(named, render_function=arns["render"].rpartition(":")[2])
    told = settings_of(account, named)
    everyone = dict.fromkeys((*HANDLERS, "api"), told)
    everyone["worker"] = everyone["render"] = {**told, "SMMU_PLATFORM__WORKER_ROLE": WORKER_ROLE}
    return Stage(named=named, cluster=cluster, functions=arns, handlers=HANDLERS, told=everyone)


def _worker(command: Sequence[str]) -> Sequence[str]:
    """What the image's entry point makes of a container's command."""
    return [sys.executable, "-m", "smmu.entrypoints.cli", *command]


async def _resources(account: Account) -> Resources:
    """As a deployment has them, but for messages that come back sooner: a test waits for it."""
    async with open_clients(account) as clients:
        named = await resources.make(clients, Limits(), (Topic.JOBS,))
        patience = {"VisibilityTimeout": str(_MESSAGE_SECONDS)}
        await clients.sqs.set_queue_attributes(QueueUrl=named.queues[Topic.JOBS], Attributes=patience)
        return named


def _late(sandboxes: Mapping[str, Function], name: str) -> Callable[[Any], Any]:
    """The state machine is made before its functions, which are told its name."""

    def invoke(event: Any) -> Any:
        return sandboxes[name](event)

    return invoke


def _state_machine(arns: Mapping[str, str], cluster: clusters.Cluster) -> str:
    names = Names(
        perform=arns["perform"],
        open=arns["open"],
        collect=arns["collect"],
        render=arns["render"],
        cluster=cluster.name,
        family_prefix=cluster.family_prefix,
        subnets=cluster.subnets,
        security_groups=cluster.security_groups,
    )
    return machines.create(compile_pipeline(pipeline(Limits()), names, seconds_max=Limits().job_seconds_max))


def _sources(account: Account, stage: Stage, functions: Mapping[str, Function]) -> dict[str, sources.Source]:
    named = stage.named

    def client(service: str) -> Any:
        return harness_client(account, service)

    queue = sources.queue_source(client("sqs"), named.queues[Topic.JOBS], functions["dispatch"])
    stream = sources.stream_source(
        client("dynamodb"), client("dynamodbstreams"), named.jobs_table, functions["relay"], stage.messages
    )
    ends = sources.status_source(client("stepfunctions"), named.state_machine, functions["status"])
    told = {}
    if stage.arrivals is not None:
        arrivals = sources.queue_source(client("sqs"), stage.arrivals, functions["arrived"])
        told["arrivals"] = sources.Source(arrivals, 0.1)
    return {
        **told,
        "queue": sources.Source(queue, 0.1),
        "stream": sources.Source(stream, 0.1),
        "status": sources.Source(ends, 0.5),
        "schedule": sources.Source(sources.schedule(functions["sweep"]), 60),
    }


def harness_client(account: Account, service: str) -> Any:
    key_id, secret = account.credentials or ("", "")
    return boto3.client(
        service,
        region_name=account.region,
        endpoint_url=account.endpoint,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        config=Config(user_agent_extra=accounting.HARNESS),
    )


def ours_apart(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without our own variables: those of tests are no settings, and a process refuses them."""
    return {name: value for name, value in environment.items() if not name.startswith("SMMU_")}


def settings_of(account: Account, named: Resources) -> dict[str, str]:
    """What infrastructure tells every process. The issuer is the API's alone to know; telling it to all does no harm."""
    platform = {
        "kind": "aws",
        "region": account.region,
        "raw_bucket": named.raw_bucket,
        "processed_bucket": named.processed_bucket,
        "models_bucket": named.models_bucket,
        "jobs_table": named.jobs_table,
        "uploads_table": named.uploads_table,
        "media_table": named.media_table,
        "jobs_queue": named.queues[Topic.JOBS],
        "dead_letters": named.dead_letters,
        "state_machine": named.state_machine,
        "cluster": named.cluster,
        "signing_key": named.signing_key,
        "render_function": named.render_function,
        "identity__issuer": ISSUER.issuer,
        "identity__audience": ISSUER.audience,
        "identity__jwks_url": ISSUER.jwks_url,
    }
    limits = {"SMMU_LIMITS__PROGRESS_PERCENT": "10",
              "SMMU_LIMITS__CHUNKS_FROM_SECONDS": "30", "SMMU_LIMITS__CHUNK_SECONDS": "18"}  # fmt: skip
    return {f"SMMU_PLATFORM__{name.upper()}": value for name, value in platform.items()} | limits


def machine_of(account: Account, scratch: Path) -> dict[str, str]:
    """What a machine has by itself and no infrastructure tells: where AWS is, a role's credentials, a disk."""
    scratch.mkdir()
    key_id, secret = account.credentials or ("", "")
    return {
        **ours_apart(os.environ),
        "SMMU_PLATFORM__ENDPOINT": str(account.endpoint),
        "AWS_ACCESS_KEY_ID": key_id,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": account.region,
        "AWS_REGION": account.region,
        "TMPDIR": str(scratch),
    }


@contextmanager
def published(keys: Published) -> Iterator[str]:
    """The URL of an issuer's key set, over HTTP."""

    class Routes(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(keys.document()).encode())

    with listening(Routes) as origin:
        yield f"{origin}/jwks.json"


@contextmanager
def served(environment: Mapping[str, str], log: Path) -> Iterator[str]:
    """The URL of the real API as a process, once it answers."""
    port = _free_port()
    command = [sys.executable, "-m", "smmu.entrypoints.cli", "serve", "--port", str(port)]
    with log.open("ab") as lines:
        process = subprocess.Popen(command, env={**environment}, stdout=lines, stderr=lines)
    try:
        url = f"http://127.0.0.1:{port}"
        _until_it_answers(url, process, log)
        yield url
    finally:
        process.terminate()
        process.wait()


def _until_it_answers(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(f"{url}/healthz").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)  # noqa: TID251 - this is no task of an event loop
    raise RuntimeError(f"the API did not start: {log.read_text(errors='replace')[-2_000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
