"""What a process that only reads digits sets once for itself; a library that is imported leaves these alone."""

from __future__ import annotations

import contextlib
import os

# <malloc.h> of glibc.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
KEPT_BYTES = 32 * 1024 * 1024
"""So much freed memory is kept for the next frame; the most that glibc takes as a threshold on 64 bits."""

TRIM_FRAMES = 1000
"""So often is given back what an unusual frame took, and what has come to lie in pieces: a millisecond or two."""


def single_threaded() -> None:
    """One thread for NumPy's linear algebra, of which there is next to none: to be called before NumPy is imported.

    OpenBLAS makes a thread and its memory for each processor as it is loaded, a fifth of the time that it takes to
    start; https://github.com/OpenMathLib/OpenBLAS names the variable.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def settle() -> None:
    """One thread for OpenCV, and memory that is kept from frame to frame.

    The pictures are small: OpenCV's own threads cost more than they bring, and the other cores are not ours. Arrays of
    a few hundred kilobytes come and go with each frame: given back to the kernel each time, as glibc does by default,
    they come back as some 600 page faults, a quarter of the time. Other C libraries are left as they are.
    """
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
