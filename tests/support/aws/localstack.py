"""LocalStack's S3: the one stand-in that checks signatures, expiry, signed headers, form policies and checksums.

It runs as a process of its own, from an environment of its own (`make localstack`), with nothing but loopback; the first
who asks starts it, and it ends with this process.
"""

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

import httpx

from smmu.adapters.aws.account import Account

PYTHON = Path(__file__).resolve().parents[3] / ".venv-localstack" / "bin" / "python"
REGION = "eu-central-1"
_KEY = ("test", "test")  # the only secret that it knows
_START_SECONDS, _END_SECONDS = 60.0, 10.0


def is_present() -> bool:
    """Whether `make localstack` was done here, to the end."""
    return PYTHON.exists() and (PYTHON.parents[1] / ".ready").exists()


@cache
def account() -> Account:
    """Its account."""
    folder, port = tempfile.mkdtemp(prefix="smmu-localstack-"), _free_port()
    with Path(folder, "log").open("wb") as log:
        process = subprocess.Popen(
            [PYTHON, "-m", "localstack.runtime.main"], env=_environment(folder, port), stdout=log, stderr=log
        )
    atexit.register(_end, process, folder)
    _await(process, f"http://127.0.0.1:{port}/_localstack/health", Path(folder, "log"))
    return Account(region=REGION, endpoint=f"http://127.0.0.1:{port}", credentials=_KEY)


def _environment(folder: str, port: int) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "HOME": folder,
        "FILESYSTEM_ROOT": folder,
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "SERVICES": "s3",
        "STRICT_SERVICE_LOADING": "1",
        "S3_SKIP_SIGNATURE_VALIDATION": "0",
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DNS_ADDRESS": "0",
    }


def _await(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(httpx.TransportError):
            if httpx.get(url, trust_env=False, timeout=5).is_success:
                return
        with suppress(subprocess.TimeoutExpired):  # that it ends is news, too
            process.wait(0.1)
    raise RuntimeError(f"LocalStack does not start: {log.read_text(encoding='utf-8')}")


def _end(process: "subprocess.Popen[bytes]", folder: str) -> None:
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
