"""A whole deployment on this machine: a stand-in of AWS, our real functions, workers and API as processes.

What is real: every line of the product, Lambda's runtime, HTTP, the state machine as compiled. What stands in: moto for
the services, threads for what brings events (`sources.py`), processes for Fargate's machines (`machines.py`).
"""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import httpx
from botocore.config import Config

from smmu.adapters.aws.account import Account, Resources
from smmu.ports.queue import Topic
from tests.support.aws import sources
from tests.support.aws.functions import Function
from tests.support.issuer import ISSUER, Published

HARNESS = "harness"  # in the user agent of whatever is not the product
_START_SECONDS = 60
_FUNCTIONS = {
    "dispatch": "smmu.entrypoints.lambdas.dispatch.handle",
    "perform": "smmu.entrypoints.lambdas.perform.handle_perform",
    "open": "smmu.entrypoints.lambdas.perform.handle_open",
    "collect": "smmu.entrypoints.lambdas.perform.handle_collect",
    "relay": "smmu.entrypoints.lambdas.relay.handle",
    "sweep": "smmu.entrypoints.lambdas.sweep.handle",
    "status": "smmu.entrypoints.lambdas.status.handle",
}


@dataclass(slots=True, kw_only=True)
class Cloud:
    """One deployment. `stop` and `start` a source by its name to open a window in which its events are not brought."""

    account: Account
    named: Resources
    folder: Path
    environment: dict[str, str]
    functions: dict[str, Function] = field(default_factory=dict)
    sources: dict[str, sources.Source] = field(default_factory=dict)
    keys: Published = field(default_factory=Published)
    url: str = ""

    def client(self, service: str) -> Any:
        """A client that is told apart from the product's."""
        return harness_client(self.account, service)

    def token(self, owner: str = "ada") -> str:
        now = int(time.time())  # noqa: TID251 - the API judges tokens by the machine's clock
        return self.keys.token(sub=owner, exp=now + 3_600)


def harness_client(account: Account, service: str) -> Any:
    key_id, secret = account.credentials or ("", "")
    return boto3.client(
        service,
        region_name=account.region,
        endpoint_url=account.endpoint,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        config=Config(user_agent_extra=HARNESS),
    )


def environment_of(account: Account, named: Resources, jwks_url: str) -> dict[str, str]:
    """What a deployment's infrastructure tells its processes."""
    key_id, secret = account.credentials or ("", "")
    platform = {
        "kind": "aws",
        "region": account.region,
        "endpoint": str(account.endpoint),
        "raw_bucket": named.raw_bucket,
        "processed_bucket": named.processed_bucket,
        "jobs_table": named.jobs_table,
        "uploads_table": named.uploads_table,
        "media_table": named.media_table,
        "jobs_queue": named.queues[Topic.JOBS],
        "dead_letters": named.dead_letters,
        "state_machine": named.state_machine,
        "cluster": named.cluster,
        "identity__issuer": ISSUER.issuer,
        "identity__audience": ISSUER.audience,
        "identity__jwks_url": jwks_url,
    }
    return {
        **{f"SMMU_PLATFORM__{name.upper()}": value for name, value in platform.items()},
        "AWS_ACCESS_KEY_ID": key_id,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": account.region,
        "AWS_REGION": account.region,
    }


@contextmanager
def published(keys: Published) -> Iterator[str]:
    """The URL of an issuer's key set, over HTTP."""

    class Routes(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(keys.document()).encode())

    with ThreadingHTTPServer(("127.0.0.1", 0), Routes) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/jwks.json"
        server.shutdown()


@contextmanager
def served(environment: Mapping[str, str], log: Path) -> Iterator[str]:
    """The URL of the real API as a process, once it answers."""
    port = _free_port()
    command = [sys.executable, "-m", "smmu.entrypoints.cli", "serve", "--port", str(port)]
    with log.open("ab") as lines:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=lines, stderr=lines)
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
