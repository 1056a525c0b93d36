"""What a process that only reads digits sets once for itself; a library that is imported leaves these alone."""

from __future__ import annotations

import contextlib
import gc
import os
from pathlib import Path
from typing import Any

# <malloc.h> of glibc, and <sys/mman.h>.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_MADV_DONTNEED = 4
KEPT_BYTES = 32 * 1024 * 1024
"""So much freed memory is kept for the next frame; the most that glibc takes as a threshold on 64 bits."""

USUAL = gc.get_threshold()
"""When Python looks for garbage, unless it is told otherwise."""
FIRST_FRAMES, TRIM_FRAMES = 30, 1000
"""After so many frames, and so often, is given back what an unusual frame took, what has come to lie in pieces, and
what is not used any more: a few milliseconds."""


def begin() -> None:
    """To be called before anything large is imported: one thread for NumPy's linear algebra, and fewer collections.

    There is next to no linear algebra, and OpenBLAS makes a thread and its memory for each processor as it is loaded
    (https://github.com/OpenMathLib/OpenBLAS names the variable). What is imported stays: to look for garbage in it
    again and again is a tenth of a start.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.set_threshold(50_000, *USUAL[1:])


def end() -> None:
    """To be called last: the interpreter walks over all objects once more otherwise, a tenth of ``edge read``."""
    gc.freeze()


def settle() -> None:
    """One thread for OpenCV, and memory that is kept from frame to frame.

    The pictures are small: OpenCV's own threads cost more than they bring, and the other cores are not ours. Arrays of
    a few hundred kilobytes come and go with each frame: given back to the kernel each time, as glibc does by default,
    they come back as some 600 page faults, a quarter of the time. What the loop does not need, other threads may use:
    a heap of their own each would keep what their largest picture took. Other C libraries are left as they are. Python
    looks for garbage as usual from here on, but not in what the start has left.
    """
    gc.freeze()
    gc.set_threshold(*USUAL)
    import ctypes

    import cv2

    cv2.setNumThreads(1)
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, KEPT_BYTES)
        mallopt(_M_TRIM_THRESHOLD, 2 * KEPT_BYTES)
        mallopt(_M_ARENA_MAX, 1)


class Tidy:
    """Keeps memory from growing for months: the worst page of a year would else be what the process takes for ever.

    The same for code: a sixth of a process that reads digits is code of libraries that only its start has run.
    """

    def __init__(self) -> None:
        self._frames = 0
        import ctypes

        self._libc = ctypes.CDLL(None)

    def __call__(self) -> None:
        """To be called once for each frame."""
        self._frames += 1
        if self._frames % TRIM_FRAMES == FIRST_FRAMES:
            # Only glibc has it.
            if trim := getattr(self._libc, "malloc_trim", None):
                trim(0)
            forget_code(self._libc)


def forget_code(libc: Any) -> None:
    """Have the kernel take away all code that is mapped from files; what runs comes back from its cache as it runs.

    Code alone: nobody has written to it, so that nothing can be lost.
    """
    from ctypes import c_size_t, c_void_p

    with contextlib.suppress(OSError, AttributeError):
        for line in Path("/proc/self/maps").read_text("utf-8").splitlines():
            # Such as 7f13bb21e000-7f13bb41e000 r-xp 00000000 08:01 1234  /usr/lib/libc.so.6
            addresses, rights, _, _, inode, *_ = line.split()
            if rights == "r-xp" and inode != "0":
                begin, end = (int(address, 16) for address in addresses.split("-"))
                libc.madvise(c_void_p(begin), c_size_t(end - begin), _MADV_DONTNEED)
