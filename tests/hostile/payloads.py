"""Sends messages of up to 256 MB to `edge run` and `edge watch`, and prints what they cost: `python -m
tests.hostile.payloads`.

The memory is the peak from before the message until the program obeys the next command, or shows the next change; the
seconds are how long that took. Meanwhile `edge run` must write readings.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.hostile.large_messages import publish_large
from tests.hostile.listeners import Running, edge_run, edge_watch, obeys
from tests.support.mosquitto import Broker, Listener, Wire, eventually

ALLOWED = 10.0
"""MB by which the memory may grow."""
LARGEST = 268_435_455 - 2 - len("home/desk/set/threshold") - 2
"""Bytes of the largest message that MQTT allows on these topics."""
SIZES = (60_000, 100_000, 1_000_000, 16_000_000, 64_000_000, 250_000_000, LARGEST)
STATE = {"event": "changed", "text": "42", "confidence": 0.9, "at": "2026-11-23T08:00:00.123456Z"}


def measured(running: Running, send: Callable[[], object], answered: Callable[[], object]) -> str:
    """What ``send`` costs a program until ``answered`` returns, as a cell of the table."""
    running.forget_peak()
    start = time.monotonic()
    try:
        send()
        answered()
        took = time.monotonic() - start
        assert running.process.poll() is None
        growth = running.growth()
    except (AssertionError, OSError):
        return f"ended ({running.process.poll()})!" if running.process.poll() else "does not go on!"
    return f"+{growth:.1f} MB, {took:.1f} s{'!' if growth > ALLOWED else ''}"


def of_run(folder: Path, version: int, size: int) -> list[str]:
    """The cells for ``edge run``: a live message, one without QoS, and a retained one at each connection."""
    broker = Broker(folder / "broker")
    wire = Wire(broker.port)
    with Listener(broker.port, "home/desk/image") as device, Listener(broker.port, "home/desk/threshold") as user:
        running = edge_run(folder / "desk", wire.port, version)

        def answered() -> None:
            obeys(user, 120)
            running.goes_on()

        try:
            device.next("/image")
            live = measured(running, lambda: publish_large(broker.port, "home/desk/set/pause", size), answered)
            loose = measured(running, lambda: publish_large(broker.port, "home/desk/set/read", size, qos=0), answered)
            publish_large(broker.port, "home/desk/set/read", size, retain=True)
            retained = measured(running, wire.cut, answered)
        finally:
            running.close()
            wire.close()
            broker.kill()
    return [live, loose, retained]


def of_watch(folder: Path, version: int, size: int) -> list[str]:
    """The cells for ``edge watch``: a live message, and a retained one at the next connection."""
    broker = Broker(folder / "broker")
    wire = Wire(broker.port)
    with Listener(broker.port, "home/none") as device:
        running = edge_watch(folder / "watch", wire.port, version)
        texts = iter(range(10**6))

        def shown() -> None:
            text = str(next(texts))

            def is_shown() -> bool:
                device.say("home/attic/state", json.dumps({**STATE, "text": text}))
                time.sleep(0.2)
                return text in [line["text"] for line in running.lines()]

            eventually(is_shown, 120)

        try:
            shown()
            live = measured(running, lambda: publish_large(broker.port, "home/shed/state", size), shown)
            publish_large(broker.port, "home/shed/stats", size, retain=True)
            retained = measured(running, wire.cut, shown)
        finally:
            running.close()
            wire.close()
            broker.kill()
    return [live, "", retained]


def main(sizes: list[int]) -> int:
    """Print the table; returns 1 if a limit was exceeded."""
    print("| program | MQTT | bytes | live | QoS 0 | retained, at a connection |\n|---|---|---|---|---|---|")
    failed = False
    for what, cells in (("edge run", of_run), ("edge watch", of_watch)):
        for version in (3, 5):
            for size in sizes:
                with tempfile.TemporaryDirectory() as folder:
                    row = cells(Path(folder), version, size)
                failed |= any(cell.endswith("!") for cell in row)
                protocol = "3.1.1" if version == 3 else "5"
                print(f"| `{what}` | {protocol} | {size:,} | {' | '.join(row)} |", flush=True)
    return int(failed)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bytes", type=int, nargs="+", default=SIZES, help="sizes of the messages")
    sys.exit(main(options.parse_args().bytes))
