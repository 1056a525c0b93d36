"""Seccomp, by which a process of Linux gives up some system calls for good: seccomp(2).

For what neither Landlock nor a network namespace forbids: sockets of the file system (those of Docker or D-Bus), modes
and owners of other files, commands typed into the terminal, and leaving the process group, whose end ends them all.

The kernel's own interface: pyseccomp needs libseccomp, which not all machines have, and a filter that only lists
numbers is a few instructions.
"""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Iterator

_SET_SECCOMP, _SET_NO_NEW_PRIVILEGES, _MODE_FILTER = 22, 38, 2
"""Of prctl(2)."""
# Instructions of BPF (linux/bpf_common.h), and what a filter may answer (linux/seccomp.h).
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1
"""``_REFUSE``: the call fails with EPERM, which is 1."""
_NUMBER_AT, _MACHINE_AT, _SECOND_ARGUMENT_AT = 0, 4, 24
"""Offsets in struct seccomp_data, in bytes; of an argument, the half that a little-endian machine has first."""
_X32 = 0x40000000
"""From this number on: the calls of x86-64 with 32-bit pointers, a second way to each of them."""
_TERMINAL_COMMANDS = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX of ioctl(2), which can type on a terminal (asm-generic/ioctls.h, linux/tiocl.h)."""
_MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7, "arm": 0x40000028}
"""AUDIT_ARCH_* of linux/audit.h: whose numbers of system calls these are."""
NUMBERS: dict[str, tuple[int | None, int | None, int | None]] = {
    "ioctl": (16, 29, 54),
    "socket": (41, 198, 281),
    "setpgid": (109, 154, 57),
    "setsid": (112, 157, 66),
    "chmod": (90, None, 15), "fchmod": (91, 52, 94), "fchmodat": (268, 53, 333), "fchmodat2": (452, 452, 452),
    "chown": (92, None, 182), "chown32": (None, None, 212), "lchown": (94, None, 16), "lchown32": (None, None, 198),
    "fchown": (93, 55, 95), "fchown32": (None, None, 207), "fchownat": (260, 54, 325),
    "utime": (132, None, None), "utimes": (235, None, 269), "futimesat": (261, None, 326),
    "utimensat": (280, 88, 348), "utimensat_time64": (None, None, 412),
    "setxattr": (188, 5, 226), "lsetxattr": (189, 6, 227), "fsetxattr": (190, 7, 228), "setxattrat": (463, 463, 463),
    "removexattr": (197, 14, 235), "lremovexattr": (198, 15, 236), "fremovexattr": (199, 16, 237),
    "removexattrat": (466, 466, 466), "file_setattr": (469, 469, 469),
    "ptrace": (101, 117, 26), "process_vm_readv": (310, 270, 376), "process_vm_writev": (311, 271, 377),
    "pidfd_getfd": (438, 438, 438), "pidfd_send_signal": (424, 424, 424), "process_madvise": (440, 440, 440),
    "mount": (165, 40, 21), "umount2": (166, 39, 52), "pivot_root": (155, 41, 218), "chroot": (161, 51, 61),
    "open_tree": (428, 428, 428), "move_mount": (429, 429, 429), "fsopen": (430, 430, 430),
    "fspick": (433, 433, 433), "mount_setattr": (442, 442, 442), "unshare": (272, 97, 337), "setns": (308, 268, 375),
    "name_to_handle_at": (303, 264, 370), "open_by_handle_at": (304, 265, 371),
    "io_uring_setup": (425, 425, 425), "bpf": (321, 280, 386), "perf_event_open": (298, 241, 364),
    "userfaultfd": (323, 282, 388), "fanotify_init": (300, 262, 367),
    "add_key": (248, 217, 309), "request_key": (249, 218, 310), "keyctl": (250, 219, 311),
    "init_module": (175, 105, 128), "finit_module": (313, 273, 379), "delete_module": (176, 106, 129),
    "kexec_load": (246, 104, 347), "kexec_file_load": (320, 294, 401), "reboot": (169, 142, 88),
    "swapon": (167, 224, 87), "swapoff": (168, 225, 115), "acct": (163, 89, 51), "quotactl": (179, 60, 131),
    "settimeofday": (164, 170, 79), "clock_settime": (227, 112, 262), "clock_settime64": (None, None, 404),
    "adjtimex": (159, 171, 124), "clock_adjtime": (305, 266, 372), "clock_adjtime64": (None, None, 405),
    "sethostname": (170, 161, 74), "setdomainname": (171, 162, 121), "syslog": (103, 116, 103),
}  # fmt: skip
"""What is refused -> its number on x86-64, 64-bit ARM and 32-bit ARM, or None if it has no such call.

Sources: arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h and arch/arm/tools/syscall.tbl of
Linux. Of ``ioctl`` only the terminal's commands are refused. Measured: a conversion uses none of them, but for a probe
whether there is IPv6."""


def restrict() -> bool:
    """Let this thread and all that it starts fail with EPERM at the calls in NUMBERS; False if that cannot be done.

    Call it before there are other threads, and after all that needs one of these calls.
    """
    program = [_Instruction(*one) for one in _program(machine())]
    if not program:
        return False
    filtering = _Filter(len(program), (_Instruction * len(program))(*program))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return not prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) and not prctl(
        _SET_SECCOMP, _MODE_FILTER, ctypes.byref(filtering), 0, 0
    )


def machine() -> str:
    """Which numbers this process uses, a key of _MACHINES; empty if none of them."""
    name, is_32_bit = platform.machine(), ctypes.sizeof(ctypes.c_void_p) == 4
    if os.name != "posix" or platform.system() != "Linux":
        return ""
    if is_32_bit:
        # A 64-bit kernel may run it.
        return "arm" if name in ("aarch64", "armv6l", "armv7l", "armv8l") else ""
    return name if name in ("x86_64", "aarch64") else ""


class _Instruction(ctypes.Structure):
    """struct sock_filter: an instruction, how many to skip if it is true and if it is false, and its number."""

    _fields_ = (("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("number", ctypes.c_uint32))


class _Filter(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("first", ctypes.POINTER(_Instruction)))


def _program(name: str) -> Iterator[tuple[int, int, int, int]]:
    """The filter for this machine; nothing for another."""
    if not name:
        return
    column = list(_MACHINES).index(name)
    # The numbers mean something else for a program of another machine, which the kernel may run too.
    yield _LOAD, 0, 0, _MACHINE_AT
    yield _IF_EQUAL, 1, 0, _MACHINES[name]
    yield _RETURN, 0, 0, _REFUSE
    yield _LOAD, 0, 0, _NUMBER_AT
    if name == "x86_64":
        yield _IF_AT_LEAST, 0, 1, _X32
        yield _RETURN, 0, 0, _REFUSE
    for call, numbers in NUMBERS.items():
        if call != "ioctl" and (number := numbers[column]) is not None:
            yield _IF_EQUAL, 0, 1, number
            yield _RETURN, 0, 0, _REFUSE
    yield _IF_EQUAL, 1, 0, NUMBERS["ioctl"][column] or 0
    yield _RETURN, 0, 0, _ALLOW
    yield _LOAD, 0, 0, _SECOND_ARGUMENT_AT
    for command in _TERMINAL_COMMANDS:
        yield _IF_EQUAL, 0, 1, command
        yield _RETURN, 0, 0, _REFUSE
    yield _RETURN, 0, 0, _ALLOW
