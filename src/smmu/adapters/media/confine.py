"""What the kernel can take away from a process that is about to read hostile bytes, and how it is asked to.

Run by the child on itself, once, after its imports and before the first byte of media; only `hide` is its parent's.
Nothing here can be undone by the child afterwards. It refuses to pretend: what a kernel lacks is reported as `False`,
never papered over.
"""

import ctypes
import fcntl
import os
import platform
import resource
import select
import signal
import struct
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from pathlib import Path

from smmu.adapters.media import seccomp

_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 4, 38, 47, 4
_CAPABILITY_VERSION_3 = 0x20080522
_CAPSET = {"x86_64": 126, "aarch64": 91}
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_TSYNC = 1, 1

# Landlock (linux/landlock.h) has the same call numbers everywhere.
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_LANDLOCK_VERSION, _LANDLOCK_PATH_BENEATH = 1, 1
_WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_DIR, _REMOVE_FILE = 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5
_MAKE_DIR, _MAKE_REG, _REFER, _TRUNCATE = 1 << 7, 1 << 8, 1 << 13, 1 << 14
_READ = _READ_FILE | _READ_DIR
_WRITE = _READ | _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _REFER | _TRUNCATE
_ON_FILES = _READ_FILE | _WRITE_FILE | _TRUNCATE
_ABI_REFER, _ABI_TRUNCATE, _ABI_NETWORK, _ABI_IOCTL, _ABI_SCOPES = 2, 3, 4, 5, 6

_F_SETSIG = 10
_HARD_CPU_SECONDS = 5  # after SIGXCPU, which says why, comes SIGKILL, which does not
_OPEN_FILES_MAX = 64


def die_with_parent(lifeline: int) -> None:
    """Have the kernel kill this process when the other end of the pipe `lifeline` is closed, however that happens.

    PR_SET_PDEATHSIG would do, were it not that it fires when the *thread* that started the process ends: trio
    starts processes from a worker thread, which it retires when idle, and the child would die in mid-work.
    """
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, _F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    poll = select.poll()
    poll.register(lifeline, 0)
    if poll.poll(0):  # it was closed before the kernel was asked to watch it
        os.kill(os.getpid(), signal.SIGKILL)


def hide() -> None:
    """Close this process's memory and environment to others of its user: to children that will read hostile bytes.

    Who may debug any process still may, and a program that is started from here can be looked into again.
    """
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def limit_resources(*, memory_bytes: int, cpu_seconds: int, file_bytes: int) -> None:
    """Bound address space, processor time, size of any one file, open files; and leave no core dump behind."""
    wanted = {
        resource.RLIMIT_AS: (memory_bytes, memory_bytes),
        resource.RLIMIT_CPU: (cpu_seconds, cpu_seconds + _HARD_CPU_SECONDS),
        resource.RLIMIT_FSIZE: (file_bytes, file_bytes),
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_NOFILE: (_OPEN_FILES_MAX, _OPEN_FILES_MAX),
    }
    for which, (soft, hard) in wanted.items():
        ceiling = resource.getrlimit(which)[1]
        if ceiling == resource.RLIM_INFINITY:
            resource.setrlimit(which, (soft, hard))
        else:  # what the machine allows less of already stays as it is
            resource.setrlimit(which, (min(soft, ceiling), min(hard, ceiling)))


def confine(*, writable: Path, readable: Iterable[Path]) -> dict[str, bool]:
    """Take everything away. Returns which of the kernel's protections really hold."""
    libc = ctypes.CDLL(None, use_errno=True)
    done = {"no_new_privileges": libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0}
    done["not_dumpable"] = libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0
    done["files"] = _restrict_files(libc, writable, readable)
    done["no_capabilities"] = _drop_capabilities(libc)
    done["system_calls"] = _refuse_calls(libc)
    return done


def available() -> dict[str, bool]:
    """Which protections this machine has, found out without applying any."""
    libc = ctypes.CDLL(None, use_errno=True)
    machine = platform.machine()
    return {
        "no_new_privileges": True,
        "not_dumpable": True,
        "files": _landlock_abi(libc) >= _ABI_REFER,
        "no_capabilities": machine in _CAPSET,
        "system_calls": machine in _SECCOMP and Path("/proc/sys/kernel/seccomp").exists(),
    }


def library_paths() -> list[Path]:
    """What Python and the codecs may still load after confinement: libraries, and nothing of the user's."""
    names = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    names |= {entry for entry in sys.path if entry}
    names |= {"/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache"}
    names |= {"/dev/null", "/dev/zero", "/dev/urandom", "/proc/meminfo", "/sys/devices/system/cpu"}
    return [Path(name) for name in sorted(names)]


def _restrict_files(libc: ctypes.CDLL, writable: Path, readable: Iterable[Path]) -> bool:
    abi = _landlock_abi(libc)
    if abi < _ABI_REFER:  # the first version forbids moving a file between folders, its own included
        return False
    handled, network, scopes = _landlock_rights(abi)
    attributes = struct.pack("=QQQ", handled, network, scopes)
    size = 8 if abi < _ABI_NETWORK else 16 if abi < _ABI_SCOPES else 24
    ruleset = libc.syscall(_LANDLOCK_CREATE, attributes, size, 0)
    if ruleset < 0:
        return False
    try:
        _allow(libc, ruleset, writable, _WRITE & handled)
        for path in readable:
            _allow(libc, ruleset, path, _READ & handled)
        return bool(libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _landlock_abi(libc: ctypes.CDLL) -> int:
    return int(libc.syscall(_LANDLOCK_CREATE, None, 0, _LANDLOCK_VERSION))


def _landlock_rights(abi: int) -> tuple[int, int, int]:
    """All rights this kernel can take away: on files, on TCP, and over processes outside."""
    bits = 14 + (abi >= _ABI_TRUNCATE) + (abi >= _ABI_IOCTL)
    return (1 << bits) - 1, 3 if abi >= _ABI_NETWORK else 0, 3 if abi >= _ABI_SCOPES else 0


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path, rights: int) -> None:
    """What does not exist needs no permission."""
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rights &= ~0 if path.is_dir() else _ON_FILES
        libc.syscall(_LANDLOCK_ADD, ruleset, _LANDLOCK_PATH_BENEATH, struct.pack("=Qi", rights, handle), 0)
    finally:
        os.close(handle)


def _drop_capabilities(libc: ctypes.CDLL) -> bool:
    """A process of user 0 in a container has capabilities; without them it is one more user."""
    number = _CAPSET.get(platform.machine())
    if number is None:
        return False
    libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    return bool(libc.syscall(number, struct.pack("=Ii", _CAPABILITY_VERSION_3, 0), bytes(24)) == 0)


def _refuse_calls(libc: ctypes.CDLL) -> bool:
    program: Sequence[bytes] | None = seccomp.program(platform.machine(), os.getpid())
    number = _SECCOMP.get(platform.machine())
    if program is None or number is None:
        return False
    code = ctypes.create_string_buffer(b"".join(program))
    filter_ = struct.pack("@HP", len(program), ctypes.addressof(code))
    # TSYNC: a library may have started threads while it was imported, and they are bound as well.
    return bool(libc.syscall(number, _SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_TSYNC, filter_) == 0)
