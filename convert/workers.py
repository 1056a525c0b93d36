"""Processes that share the work, and are gone at once when it is given up."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context


@contextmanager
def workers(count: int) -> Iterator[ProcessPoolExecutor]:
    """``count`` processes of one thread each; terminated where the block ends by an error."""
    others = set(active_children())
    # Spawned, as TensorFlow's threads do not survive a fork.
    with ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_alone) as pool:
        try:
            yield pool
        except BaseException:
            for child in set(active_children()) - others:
                child.terminate()
            raise


def _alone() -> None:
    import cv2

    cv2.setNumThreads(1)
    # Ctrl-C reaches every process of a terminal; the one that they work for ends them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
