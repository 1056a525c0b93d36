"""Limits of a process that reads what somebody else made: memory, time, files, network."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import re
import resource
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from convert.system import landlock, seccomp

MEMORY_BYTES = 1536 * 2**20
"""How much private memory it may use, in bytes, and THREAD_BYTES for each processor. Measured: 740 MiB for two models
of other people; TensorFlow's code takes 250 MiB more, which is not private."""
THREAD_BYTES = 16 * 2**20
"""TensorFlow starts two threads for each processor, whose stacks of 8 MiB count though they are hardly used."""
FILE_BYTES = 512 * 2**20
"""The largest file that it may write, in bytes: twice the largest model."""
OPEN_FILES = 512
"""How many files it may have open. Measured: 60."""
CLOCK_FACTOR = 20
"""How many times its computing time a step may take by the clock: other programs may need the processors. Chosen: only
what waits for ever reaches it."""
TOTAL_SECONDS = 3 * 3600
"""How much time it may compute in all, in seconds. Chosen: the slowest model that is accepted takes an hour."""
_SET_DEATH_SIGNAL = 1
"""Of prctl(2)."""
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
"""unshare(2)."""
KEPT_VARIABLES = re.compile(
    "PATH|LD_LIBRARY_PATH|LANG|LANGUAGE|LC_[A-Z]+|TZ|TERM|COLORTERM|COLUMNS|LINES|NO_COLOR|FORCE_COLOR"
    "|PYTHON(HOME|HASHSEED|WARNINGS|UTF8|IOENCODING|DONTWRITEBYTECODE|NOUSERSITE|PLATLIBDIR|MALLOC)"
    "|(OMP|OPENBLAS|MKL)_[A-Z_]+|TF_(CPP|ENABLE|NUM)_[A-Z_]+|TF_DETERMINISTIC_OPS"
)
"""The environment variables that such a process gets (a regular expression): others may be passwords and tokens, and
what it writes is kept. Not all that begin with ``TF_``: Terraform keeps secrets in ``TF_VAR_*`` and ``TF_TOKEN_*``."""


@dataclass(frozen=True, slots=True)
class Protections:
    """Which limits are in force; a kernel may lack some."""

    memory_bytes: int
    """The greatest private memory, in bytes."""
    network: str
    """What keeps it off the network: ``namespace`` (it has none), ``landlock`` (no TCP), ``none``."""
    landlock: int
    """The version of Landlock that keeps it off other files; 0: nothing does."""
    seccomp: bool = False
    """Whether the system calls in ``seccomp.NUMBERS`` are refused, such as those for sockets and for file modes."""


def confine(reading: Iterable[Path], writing: Iterable[Path]) -> Protections:
    """Limit this process and all that it starts; it can read only ``reading``, and write only ``writing``.

    Call it before there are other threads. What the kernel cannot do is left out, as the result says.
    """
    memory = MEMORY_BYTES + THREAD_BYTES * (os.cpu_count() or 1)
    limits = {
        resource.RLIMIT_DATA: memory,
        resource.RLIMIT_FSIZE: FILE_BYTES,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_CPU: TOTAL_SECONDS,
        resource.RLIMIT_CORE: 0,
    }
    for which, most in limits.items():
        _, hard = resource.getrlimit(which)
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (allowed, allowed))
    # The process that started it must not leave it behind.
    ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, int(signal.SIGKILL), 0, 0, 0)
    has_no_network = _leave_network()
    found = 0
    with contextlib.suppress(OSError):
        found = landlock.restrict(reading, writing)
    network = "namespace" if has_no_network else "landlock" if found >= landlock.WITH_TCP else "none"
    return Protections(memory, network, found, seccomp.restrict())


def allow(seconds: float) -> None:
    """From now on this process may compute for so long, and CLOCK_FACTOR times that by the clock; then it is ended.

    0: for as long as it likes.

    The signals have no handlers, so they end even an endless loop in C++.
    Memory that was freed before is given back: glibc keeps it, and it would count in this step too.
    """
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        gc.collect()
        trim(0)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, CLOCK_FACTOR * seconds)


def environment(home: Path) -> dict[str, str]:
    """The environment variables of such a process: KEPT_VARIABLES, and ``home`` for all that programs keep there."""
    kept = {name: value for name, value in os.environ.items() if KEPT_VARIABLES.fullmatch(name)}
    places = {"HOME": "", "TMPDIR": "tmp", "XDG_CACHE_HOME": "cache", "XDG_CONFIG_HOME": "config"}
    for place in places.values():
        (home / place).mkdir(exist_ok=True)
    return {**kept, **{name: str(home / place) for name, place in places.items()}}


def _leave_network() -> bool:
    """Enter a network namespace that has no interfaces; False if this user may not."""
    unshare = ctypes.CDLL(None, use_errno=True).unshare
    # A user namespace as well if the kernel gives that right to everybody; root would lose rights in it.
    return unshare(_NEW_NETWORK) == 0 or unshare(_NEW_USER | _NEW_NETWORK) == 0
