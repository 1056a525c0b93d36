"""Frames leave no memory behind: what Python allocates for one is freed before the next."""

import gc
import os
import tracemalloc
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from edge.publishers import open_publisher
from edge.reading.reader import Reader
from edge.sources import open_source
from edge.types import Frame
from tests.support.line import Line

FRAMES = 300
MAX_GROWTH_BYTES = 64 * 1024
"""How much memory may grow over FRAMES, in bytes. The tracker's memory differs from page to page, and NumPy keeps small
blocks; a leak of one glyph a frame would be four times as much."""


@pytest.mark.parametrize("hold", [1, 60], ids=["each frame another page", "pages that lie still"])
@pytest.mark.slow
def test_memory_is_flat(hold: int) -> None:
    pages = list(islice(open_source(f"synthetic:?size=320x240&digits=3&hold={hold}"), 60))
    start = datetime(2026, 11, 23, 12, tzinfo=UTC)
    with Reader() as reader, open_publisher(f"jsonl:{os.devnull}") as publisher:
        line = Line(reader)

        def show(first: int, count: int) -> None:
            for n in range(first, first + count):
                seconds = n / 30
                frame = Frame(pages[n % len(pages)].pixels, "flat", n, start + timedelta(seconds=seconds))
                reading, events = line.see(frame, seconds)
                for message in (reading, *events):
                    publisher.publish(message)

        show(0, 120)
        tracemalloc.start()
        try:
            show(120, 120)
            gc.collect()
            before = tracemalloc.get_traced_memory()[0]
            show(240, FRAMES)
            gc.collect()
            after = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
    assert after - before < MAX_GROWTH_BYTES, f"{after - before} bytes more"
