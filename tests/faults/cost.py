"""Measures what publishing costs a frame, with the broker up, down, silent or slow: ``python -m tests.faults.cost``.

Each frame checks the controls and gives its reading to the courier; some also store an event. Both are timed in the
loop's thread, while the courier works in its own.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from edge.controls import Program
from edge.publishers import open_publisher
from edge.store.store import Store
from edge.types import Event, Reading
from tests.support.mosquitto import Broker, Wire


def measure(folder: Path, port: int, frames: int, every: int) -> tuple[list[float], list[float]]:
    """Microseconds of each frame without an event, and of each with one; ``every`` frames an event, at 100 fps."""
    program = Program(device="desk")
    plain, with_event = [], []
    with (
        Store(folder / "events.db", device="desk") as store,
        open_publisher(f"mqtt://127.0.0.1:{port}/home", program=program, outlet=store.outlet) as courier,
    ):
        time.sleep(1)
        for n in range(frames):
            now = datetime.now(UTC)
            reading = Reading("desk", n, now, (), "blank", "mnist-1.0 sha256:ab12", 1.0)
            began = time.perf_counter()
            if not program.controls.paused and program.controls.threshold and not program.controls.reading_requested:
                courier.publish(reading)
            if n % every == 0:
                store.append(Event("changed", now, str(n), "", 1.0, 0.9, reading))
            (plain if n % every else with_event).append(1e6 * (time.perf_counter() - began))
            time.sleep(0.01)
    return plain, with_event


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--every", type=int, default=10, help="frames from one event to the next")
    given = parser.parse_args()
    for how in ("up", "down", "silent", "slow"):
        with tempfile.TemporaryDirectory() as folder:
            there = Broker(Path(folder) / "broker")
            wire = Wire(there.port)
            wire.open, wire.bytes_a_second = how != "down", 1000 if how == "slow" else 0
            wire.hole = how == "silent"
            plain, with_event = measure(Path(folder), wire.port, given.frames, given.every)
            wire.close()
            there.kill()
        p99 = statistics.quantiles(with_event, n=100, method="inclusive")[98]
        sys.stdout.write(
            f"broker {how}: a frame {statistics.median(plain):.1f} us, one with an event "
            f"{statistics.median(with_event):.0f} us (medians; p99 of those {p99:.0f} us)\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
