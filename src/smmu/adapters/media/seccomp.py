"""The system calls that a process decoding hostile bytes never needs, as a seccomp BPF program.

It is a list of what is refused and not of what is allowed: decoders and allocators differ by version, and a list of
allowed calls that kills a worker after an upgrade gets switched off. What is refused answers EPERM, so that a
library's probing ends in an error; a foreign calling convention kills. Numbers: asm/unistd_64.h (x86-64) and
asm-generic/unistd.h (everything newer).
"""

import errno
import struct

# name: (x86_64, aarch64); None where the architecture has no such call
_REFUSED: dict[str, tuple[int, int | None]] = {
    # no network, nor any other way to speak to a process outside
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "msgget": (68, 186),
    "semget": (64, 190),
    "shmget": (29, 194),
    "mq_open": (240, 180),
    # io_uring would do all of the above past this filter
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    # no other program and no other process
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, None),
    "vfork": (58, None),
    # no look into another process, and no signal to one
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "kcmp": (312, 272),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "kill": (62, 129),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    # no file by another way than its name
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "mknod": (133, None),
    "mknodat": (259, 33),
    # no other view of the machine
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    # large parts of the kernel that no decoder needs and that have been broken before
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "personality": (135, 92),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "acct": (163, 89),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "syslog": (103, 116),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
}
_CLONE3 = 435
_CLONE = {"x86_64": 56, "aarch64": 220}
_TGKILL = {"x86_64": 234, "aarch64": 131}
_PRLIMIT = {"x86_64": 302, "aarch64": 261}
_FCNTL = {"x86_64": 72, "aarch64": 25}
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

_CLONE_THREAD = 0x10000
_SIGNAL_COMMANDS = (8, 10, 15)  # F_SETOWN, F_SETSIG, F_SETOWN_EX: a file that signals any process
_X32_BIT = 0x40000000

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # linux/bpf_common.h
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000  # linux/seccomp.h
_AT_NUMBER, _AT_ARCHITECTURE, _AT_ARGUMENTS = 0, 4, 16  # struct seccomp_data


def program(machine: str, own_pid: int) -> list[bytes] | None:
    """The filter for this machine's architecture, or `None` when it is not a known one."""
    if machine not in _ARCHITECTURES:
        return None
    column, architecture = _ARCHITECTURES[machine]
    code = [
        _instruction(_LOAD, _AT_ARCHITECTURE),
        _instruction(_JUMP_EQUAL, architecture, if_true=1),
        _instruction(_RETURN, _KILL),
        _instruction(_LOAD, _AT_NUMBER),
        _instruction(_JUMP_AT_LEAST, _X32_BIT, if_false=1),
        _instruction(_RETURN, _KILL),
    ]
    for numbers in _REFUSED.values():
        number = numbers[column]
        if number is not None:
            code += _when(number, [_refuse(errno.EPERM)])
    # The flags of clone3 are behind a pointer, where a filter cannot look: ENOSYS makes glibc use clone instead.
    code += _when(_CLONE3, [_refuse(errno.ENOSYS)])
    code += _when(_CLONE[machine], _argument(0, _JUMP_ANY_BIT, (_CLONE_THREAD,), allowed=True))
    code += _when(_TGKILL[machine], _argument(0, _JUMP_EQUAL, (own_pid,), allowed=True))
    code += _when(_PRLIMIT[machine], _argument(0, _JUMP_EQUAL, (0, own_pid), allowed=True))
    code += _when(_FCNTL[machine], _argument(1, _JUMP_EQUAL, _SIGNAL_COMMANDS, allowed=False))
    return [*code, _instruction(_RETURN, _ALLOW)]


def _instruction(code: int, operand: int, *, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, operand)


def _refuse(number: int) -> bytes:
    return _instruction(_RETURN, _ERRNO | number)


def _when(number: int, then: list[bytes]) -> list[bytes]:
    return [_instruction(_JUMP_EQUAL, number, if_false=len(then)), *then]


def _argument(index: int, test: int, values: tuple[int, ...], *, allowed: bool) -> list[bytes]:
    """Decide the call by the low half of an argument: what matches one of `values` is allowed, or is refused."""
    matched, otherwise = _instruction(_RETURN, _ALLOW), _refuse(errno.EPERM)
    if not allowed:
        matched, otherwise = otherwise, matched
    code = [_instruction(_LOAD, _AT_ARGUMENTS + 8 * index)]
    for value in values:
        code += [_instruction(test, value, if_false=1), matched]
    return [*code, otherwise]
