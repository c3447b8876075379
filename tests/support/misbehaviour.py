"""Routines for the confined child that do what a taken-over decoder would: reach out, eat, hang, die, lie.

A test starts the real child with one of these in place of an inspection. What they shall do it to is in the source,
as JSON.
"""

import ctypes
import errno
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from smmu.adapters.media import child, confine
from smmu.adapters.media.workbench import Workbench
from smmu.domain.errors import Code, refuse


def main(name: str) -> None:
    """Be the child, whose one operation is the routine called `name`."""
    if name == "look_at_the_parent":
        confine._restrict_files = lambda *_: False
    sys.modules["smmu.adapters.media.misbehaviour"] = sys.modules[__name__]
    child._ROUTINES["inspect-av"] = ("misbehaviour", name)
    child.main()


def _outcome(action: Callable[..., Any], *arguments: Any) -> str:
    """What came of it: "done", or the name of the error's number."""
    try:
        action(*arguments)
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, repr(error))
    except subprocess.SubprocessError as error:
        return repr(error)
    return "done"


def _wishes(bench: Workbench) -> dict[str, Any]:
    bench.source.seek(16)
    wishes: dict[str, Any] = json.loads(bench.source.read())
    return wishes


def surroundings(_: Workbench) -> dict[str, Any]:
    return {"environment": dict(os.environ), "arguments": sys.argv[1:], "folder": str(Path.cwd())}


def reach_out(bench: Workbench) -> dict[str, str]:
    wishes = _wishes(bench)
    victim = Path(wishes["victim"])
    return {
        "internet": _outcome(socket.create_connection, ("127.0.0.1", wishes["port"])),
        "socket": _outcome(socket.socket, socket.AF_INET),
        "unix": _outcome(socket.socket, socket.AF_UNIX),
        "pair": _outcome(socket.socketpair),
        "parent's environment": _outcome(Path(f"/proc/{os.getppid()}/environ").read_bytes),
        "parent's memory": _outcome(Path(f"/proc/{os.getppid()}/mem").open),
        "signal": _outcome(os.kill, os.getppid(), 0),
        "fork": _outcome(os.fork),
        "program": _outcome(os.execv, "/bin/true", ["true"]),
        "victim": _outcome(victim.read_bytes),
        "neighbour": _outcome(victim.write_text, "mine"),
        "trace": _outcome(_ptrace),
        "limits": _outcome(_raise_limits),
    }


def look_at_the_parent(_: Workbench) -> dict[str, str]:
    """What there is to see when the kernel does not guard files: an old one has no Landlock."""
    parent = Path("/proc") / str(os.getppid())
    return {name: _outcome((parent / name).read_bytes) for name in ("environ", "maps")} | {
        "mem": _outcome((parent / "mem").open),
        "status": _outcome((parent / "status").read_bytes),
    }


def _ptrace() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(16, os.getppid(), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def _raise_limits() -> None:
    try:
        resource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40))
    except ValueError as error:
        raise PermissionError(errno.EPERM, "setrlimit") from error


def work_in_threads(bench: Workbench) -> list[int]:
    done: list[int] = []
    threads = [threading.Thread(target=done.append, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (bench.directory / "mine").write_text("a file of my own")
    return sorted(done)


def eat(_: Workbench) -> None:
    hoard = []
    while True:
        hoard.append(bytearray(16 << 20))


def hang(_: Workbench) -> None:
    time.sleep(600)  # noqa: TID251 - it hangs


def dawdle(bench: Workbench) -> None:
    while True:
        bench.beat()
        time.sleep(0.05)  # noqa: TID251 - it never ends


def spin(_: Workbench) -> None:
    while True:
        pass


def crash(_: Workbench) -> None:
    ctypes.string_at(0)


def be_killed(_: Workbench) -> None:
    signal.raise_signal(signal.SIGKILL)


def be_stopped(_: Workbench) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.raise_signal(signal.SIGTERM)


def run_out_of_disk(_: Workbench) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def write_much(bench: Workbench) -> None:
    with (bench.directory / "much").open("wb") as file:
        while True:
            file.write(bytes(1 << 20))


def hand_over_much(bench: Workbench) -> None:
    """Files of a mebibyte each, without end."""
    while True:
        (bench.directory / "part").write_bytes(bytes(1 << 20))
        bench.finish("part", "video/mp4")


def talk_nonsense(_: Workbench) -> None:
    for handle in range(3, 64):
        try:
            os.write(handle, b"{nonsense}\n")
        except OSError:
            continue


def lie_about_a_name(bench: Workbench) -> None:
    (bench.directory / "done-0").write_text("x")
    bench._tell({"says": "file", "name": "done-0", "path": "../../escaped", "content_type": "image/png"})


def hand_over_a_link(bench: Workbench) -> None:
    (bench.directory / "file").symlink_to(_wishes(bench)["victim"])
    (bench.directory / "file").rename(bench.directory / "done-0")
    bench._tell({"says": "file", "name": "done-0", "path": "images/a.png", "content_type": "image/png"})


def hand_over_a_neighbour(bench: Workbench) -> None:
    bench._tell({"says": "file", "name": "../../victim", "path": "images/a.png", "content_type": "image/png"})


def give_another_verdict(_: Workbench) -> None:
    raise refuse(Code.UNAUTHENTICATED, "The file says who you are.")


def answer_with_rubbish(_: Workbench) -> dict[str, str]:
    return {"kind": "treasure"}
