"""The system calls that a process decoding hostile bytes never needs, as a seccomp BPF program.

A list of what is refused and not of what is allowed: decoders and allocators differ by version, and a list of
allowed calls that kills a worker after an upgrade gets switched off. What is refused answers EPERM, so that a
library's probing ends in an error; a foreign calling convention kills. Numbers: asm/unistd_64.h, asm-generic/unistd.h.
"""

import errno
import struct

# name: (x86_64, aarch64); None where the architecture has no such call
_REFUSED: dict[str, tuple[int | None, int]] = {
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
    # io_uring does all of the above past this filter
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    # no other program, no other process
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, None),  # type: ignore[dict-item]
    "vfork": (58, None),  # type: ignore[dict-item]
}
