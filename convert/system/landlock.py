"""Landlock, by which a process of Linux gives up the right to touch most files: landlock(7).

The kernel's own interface: the packages that wrap it are young, and this is one structure and three calls.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
"""The numbers of the system calls, the same on all machines (linux/arch/*/entry/syscalls)."""
_ASK_VERSION, _PATH_BENEATH = 1, 1
_SET_NO_NEW_PRIVILEGES = 38
"""Of prctl(2): Landlock asks for it, so that no program with more rights can be started."""
# Rights, in the order of their bits (linux/landlock.h).
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_DIR, _REMOVE_FILE = (1 << bit for bit in range(6))
_MAKE_DIR, _MAKE_REG, _REFER, _TRUNCATE = 1 << 7, 1 << 8, 1 << 13, 1 << 14
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_WRITE = _READ | _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _REFER | _TRUNCATE
"""Without devices, pipes, sockets and symbolic links: a link could lead whoever reads the folder later elsewhere."""
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""Version of Landlock -> how many rights to files it knows; later ones know 16."""
_TCP = 0b11
"""To listen and to connect."""
WITH_TCP = 4
"""The first version that can refuse TCP."""
_SCOPES = 0b11
"""Not to reach other processes by abstract sockets and signals: version 6."""


def version() -> int:
    """Which version the kernel has; 0 if none, or if it is switched off."""
    return max(0, _call(_CREATE_RULESET, None, 0, _ASK_VERSION))


def restrict(reading: Iterable[Path], writing: Iterable[Path]) -> int:
    """Let this thread and all that it starts from now on read only these files and folders, and write only ``writing``.

    What does not exist is left out. Where the kernel can, TCP and signals to other processes are refused too. Returns
    the version of Landlock that is in force; 0: none. Call it before there are other threads. Raises OSError.
    """
    known = version()
    if not known:
        return 0
    handled = (1 << _RIGHTS.get(known, 16)) - 1
    attributes = (ctypes.c_uint64 * 3)(handled, _TCP if known >= WITH_TCP else 0, _SCOPES if known >= 6 else 0)
    size = 24 if known >= 6 else 16 if known >= WITH_TCP else 8
    rules = _checked(_call(_CREATE_RULESET, attributes, size, 0))
    try:
        for paths, rights in ((reading, _READ), (writing, _WRITE)):
            for path in paths:
                _allow(rules, path, rights & handled)
        if ctypes.CDLL(None, use_errno=True).prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        _checked(_call(_RESTRICT_SELF, rules, 0))
    finally:
        os.close(rules)
    return known


class _Beneath(ctypes.Structure):
    """struct landlock_path_beneath_attr."""

    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("folder", ctypes.c_int32))


def _allow(rules: int, path: Path, rights: int) -> None:
    try:
        number = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        allowed = rights if path.is_dir() else rights & _OF_FILES
        _checked(_call(_ADD_RULE, rules, _PATH_BENEATH, ctypes.byref(_Beneath(allowed, number)), 0))
    finally:
        os.close(number)


def _call(number: int, *arguments: object) -> int:
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in arguments]
    return int(ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(number), *words))


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), f"Landlock: {os.strerror(ctypes.get_errno())}")
    return result
