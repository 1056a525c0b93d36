"""Tunes threads, memory and garbage collection of a process that only reads digits; an imported library does not."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

# <malloc.h> of glibc, and <sys/mman.h>.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_MADV_DONTNEED = 4
KEPT_BYTES = 32 * 1024 * 1024
"""Arrays up to this size in bytes come from the heap, and twice as much freed heap is kept for the next frame. It is
the highest mmap threshold that glibc accepts on 64 bits."""
DEFAULT_GC_THRESHOLD = gc.get_threshold()
"""Python's default thresholds of the garbage collector."""
MAX_IMAGE_PIXELS = 100_000_000
"""Most pixels that an image may have. Chosen: more is a mistake or a decompression bomb, not a photograph of digits."""
FIRST_TRIM_FRAMES = 30
"""Frames before memory is trimmed for the first time: the start is then over. Chosen."""
TRIM_EVERY_FRAMES = 1000
"""Frames between two trims of memory. A trim takes a few milliseconds."""


def before_imports() -> None:
    """Call it before anything large is imported: one thread for NumPy's linear algebra, fewer garbage collections,
    no image that unpacks to gigabytes.

    There is almost no linear algebra here, but OpenBLAS makes a thread and its memory for each processor when it is
    loaded (https://github.com/OpenMathLib/OpenBLAS documents the variable). Imported objects stay, so looking for
    garbage among them is useless; it would take a tenth of a start. OpenCV reads its limit when it is loaded; the usual
    one is ten times as many pixels, which it unpacks before anybody can see how many they are.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_IMAGE_PIXELS))
    gc.set_threshold(50_000, *DEFAULT_GC_THRESHOLD[1:])


def before_exit(status: int) -> None:
    """Call it last: otherwise the interpreter visits all objects once more, which takes a tenth of ``edge read``.

    If another thread still works, the process ends at once with that exit status: the interpreter's own end would
    abort it where a thread is inside a C++ library (the thread is ended there, which C++ does not allow).
    """
    gc.freeze()
    if threading.active_count() > 1:
        end_process(status)


def discard_output() -> None:
    """Lose what is not written to stdout yet: Python would try once more at the exit, and fail."""
    if sys.stdout is not None:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def end_process(status: int) -> NoReturn:
    """End the process at once, without waiting for any thread."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.flush()
    os._exit(status)


def after_imports() -> None:
    """Call it before the first frame: one thread for OpenCV, and memory that is kept from frame to frame.

    The pictures are so small that OpenCV's own threads cost more than they save, and other programs need the cores.

    Each frame allocates and frees arrays of a few hundred kilobytes. By default, glibc gives them back to the kernel
    each time, which costs some 600 page faults a frame, a quarter of its time. All threads share one heap, because
    otherwise each thread's heap would keep as much memory as its largest picture took. Other C libraries are left as
    they are.

    From here on Python collects garbage as usual, but ignores the objects that exist already.
    """
    gc.freeze()
    gc.set_threshold(*DEFAULT_GC_THRESHOLD)
    import ctypes

    import cv2

    # It first asks the system how many processors there are, and fails if it cannot read the answer.
    with contextlib.suppress(cv2.error):
        cv2.setNumThreads(1)
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, KEPT_BYTES)
        mallopt(_M_TRIM_THRESHOLD, 2 * KEPT_BYTES)
        mallopt(_M_ARENA_MAX, 1)


class MemoryTrimmer:
    """Gives unused memory back to the kernel from time to time.

    Otherwise the process would keep for ever what its most demanding frame once took. This includes code: a sixth of
    the memory of a process that reads digits is library code that ran only at its start.
    """

    def __init__(self) -> None:
        self._frames = 0
        import ctypes

        self._libc = ctypes.CDLL(None)

    def __call__(self) -> None:
        """Call it once for each frame."""
        self._frames += 1
        if self._frames % TRIM_EVERY_FRAMES == FIRST_TRIM_FRAMES:
            # Only glibc has it.
            if trim := getattr(self._libc, "malloc_trim", None):
                trim(0)
            drop_code_pages(self._libc)


def drop_code_pages(libc: Any) -> None:
    """Drop all code that is mapped from files from memory; code that runs is loaded again from the page cache.

    Only code is dropped. Nothing can be lost, because it was never written to.
    """
    from ctypes import c_size_t, c_void_p

    with contextlib.suppress(OSError, AttributeError):
        for line in Path("/proc/self/maps").read_text("utf-8").splitlines():
            # Such as 7f13bb21e000-7f13bb41e000 r-xp 00000000 08:01 1234  /usr/lib/libc.so.6
            addresses, rights, _, _, inode, *_ = line.split()
            if rights == "r-xp" and inode != "0":
                begin, end = (int(address, 16) for address in addresses.split("-"))
                libc.madvise(c_void_p(begin), c_size_t(end - begin), _MADV_DONTNEED)
