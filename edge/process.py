"""What a process that only reads digits sets once for itself; a library that is imported leaves these alone."""

from __future__ import annotations

import contextlib
import gc
import os

# <malloc.h> of glibc.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
KEPT_BYTES = 32 * 1024 * 1024
"""So much freed memory is kept for the next frame; the most that glibc takes as a threshold on 64 bits."""

USUAL = gc.get_threshold()
"""When Python looks for garbage, unless it is told otherwise."""
TRIM_FRAMES = 1000
"""So often is given back what an unusual frame took, and what has come to lie in pieces: a millisecond or two."""


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
    they come back as some 600 page faults, a quarter of the time. Other C libraries are left as they are. Python looks
    for garbage as usual from here on, but not in what the start has left.
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


class Tidy:
    """Keeps memory from growing for months: the worst page of a year would else be what the process takes for ever."""

    def __init__(self) -> None:
        self._frames = 0
        import ctypes

        # Only glibc has it.
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None)

    def __call__(self) -> None:
        """To be called once for each frame."""
        self._frames += 1
        if self._trim and self._frames % TRIM_FRAMES == 0:
            self._trim(0)
