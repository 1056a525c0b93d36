"""Many devices on one Mosquitto, what is lost and how long events take: ``python -m tests.faults.fleet --devices 500``.

Each device has its own store, courier and connection; about a hundred devices share a process. An event contains the
time when it happened. The listener, in another process, notes when it arrives.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from edge.controls import Program
from edge.publishers import open_publisher
from edge.publishers.courier import Courier
from edge.store.store import Store
from edge.types import Event, Reading
from tests.support.mosquitto import Broker, Listener

MODEL = "mnist-1.0 sha256:ab12"


def devices(folder: Path, port: int, names: range, seconds: float, period: float) -> int:
    """Store an event for each of these devices about every ``period`` seconds; returns the number of events."""
    rng = random.Random(names.start)
    said = 0
    with ExitStack() as stack:
        stores, couriers = [], []
        for name in names:
            device = f"pi{name:04d}"
            store = stack.enter_context(Store(folder / f"{device}.db", device=device))
            uri = f"mqtt://127.0.0.1:{port}/fleet?home_assistant=off"
            courier = open_publisher(uri, program=Program(device=device), outlet=store.outlet)
            assert isinstance(courier, Courier)
            stores.append(store)
            couriers.append(stack.enter_context(courier))
        while not all(courier.delivery().connected for courier in couriers):
            time.sleep(0.05)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            said += 1
            now = datetime.now(UTC)
            reading = Reading("desk", said, now, (), "blank", MODEL, 1.0)
            rng.choice(stores).append(Event("changed", now, str(said), "0", 1.0, 0.9, reading))
            time.sleep(rng.expovariate(len(names) / period))
        while any(courier.delivery().backlog for courier in couriers):
            time.sleep(0.05)
    return said


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--period", type=float, default=5.0, help="seconds between two events of a device")
    parser.add_argument("--each", type=int, default=125, help="devices in one process")
    parser.add_argument("--from", dest="first", type=int, default=-1, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.folder:
        names = range(given.first, min(given.first + given.each, given.devices))
        sys.stdout.write(f"{devices(given.folder, given.port, names, given.seconds, given.period)}\n")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        there = Broker(
            Path(folder) / "broker", "max_inflight_messages 0", "max_queued_messages 0", "max_connections -1"
        )
        judge = Listener(there.port, "fleet/+/event")
        keys: set[tuple[str, str, int]] = set()
        took: list[float] = []

        def collect() -> None:
            while True:
                message = judge.heard.get()
                if not message.topic:
                    return
                stored = json.loads(message.payload)
                took.append(time.time() - datetime.fromisoformat(stored["at"]).timestamp())
                keys.add((stored["device"], stored["boot_id"], stored["seq"]))

        listening = threading.Thread(target=collect)
        listening.start()
        began = time.monotonic()
        words = [sys.executable, "-m", "tests.faults.fleet", "--folder", folder, "--port", str(there.port)]
        words += [f"--{name}={getattr(given, name)}" for name in ("devices", "seconds", "period", "each")]
        running = [
            subprocess.Popen([*words, "--from", str(first)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for first in range(0, given.devices, given.each)
        ]
        for child in running:
            assert child.stdout and child.stdin and child.stdout.readline() == "ready\n"
        connected = time.monotonic() - began
        for child in running:
            child.stdin.write("go\n")  # type: ignore[union-attr]
            child.stdin.flush()  # type: ignore[union-attr]
        said = sum(int(child.communicate()[0]) for child in running)
        until = time.monotonic() + 10
        while len(keys) < said and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.2)
        end = type("End", (), {"topic": ""})()
        judge.heard.put(end)
        listening.join()
        judge.close()
        there.kill()
    marks = statistics.quantiles(took, n=1000, method="inclusive")
    p50, p99, worst = (1000 * value for value in (marks[499], marks[989], max(took)))
    sys.stdout.write(
        f"{given.devices} devices, connected in {connected:.1f} s; {said} events in {given.seconds:g} s, "
        f"lost {said - len(keys)}, twice {len(took) - len(keys)}; "
        f"event to listener: median {p50:.1f} ms, p99 {p99:.1f} ms, worst {worst:.1f} ms\n"
    )
    return 1 if said != len(keys) else 0


if __name__ == "__main__":
    sys.exit(main())
