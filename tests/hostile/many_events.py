"""100,000 events in the store: what a start, an append, the history and the page's history cost then.

    python -m tests.hostile.many_events           about a minute
    python -m tests.hostile.many_events 10000

All of them wait for a broker that is away, and are then delivered. The status is 1 if one of them is missing, or if
the file is larger than the setting ``megabytes``.
"""

from __future__ import annotations

import itertools
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from edge.store import history
from edge.store.settings import StoreSettings
from edge.store.store import FILE, Store
from edge.types import Box, Digit, Event, Reading

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def event(number: int) -> Event:
    """An event as a camera makes it."""
    digits = tuple(Digit(int(one), 0.99, 0, Box(20 * i, 20, 16, 24)) for i, one in enumerate(f"{number:06d}"))
    reading = Reading("v4l2:/dev/video0", number, NOON, digits, None, "mnist sha256:cf191c204ee8", 12.5)
    return Event("changed", NOON, reading.text, "000000", 1.5, 0.99, reading)


def timed(what: str, begun: float) -> None:
    """A line of the table: seconds since ``begun``, and the memory used so far."""
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what:34} {time.monotonic() - begun:8.2f} s  {memory:6.0f} MB at most so far", flush=True)


def endure(many: int) -> bool:
    """Store and deliver so many events; whether all came and the file stayed within its limit."""
    with tempfile.TemporaryDirectory() as folder:
        path, limits = Path(folder) / FILE, StoreSettings()
        begun = time.monotonic()
        with Store(path, device="many", limits=limits) as store:
            store.outlet("broker")
            for number in range(many):
                store.append(event(number))
            timed(f"append {many} events", begun)
        size = path.stat().st_size / 1e6
        print(f"the file has {size:.1f} MB")
        begun = time.monotonic()
        with Store(path, device="many", limits=limits) as store:
            timed("start", begun)
            outlet, begun, sent = store.outlet("broker"), time.monotonic(), 0
            waiting = outlet.backlog()
            timed(f"count the backlog: {waiting.count}", begun)
            begun = time.monotonic()
            while entries := outlet.pending(100):
                sent += len(entries)
                outlet.done(entries[-1].position)
            timed(f"deliver {sent}, {outlet.backlog().dropped} dropped", begun)
        begun = time.monotonic()
        newest = list(history.read(path, last=50))
        timed(f"the newest {len(newest)} of the history", begun)
        begun = time.monotonic()
        read = sum(1 for _ in history.read(path))
        timed(f"all {read} of the history", begun)
        first = list(itertools.islice(history.read(path, since=NOON), 1))
        return sent + waiting.dropped == many and bool(first) and size <= limits.megabytes


if __name__ == "__main__":
    sys.exit(0 if endure(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000) else 1)
