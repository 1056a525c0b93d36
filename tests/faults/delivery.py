"""Checks that every event arrives, in order, whatever is killed: ``python -m tests.faults.delivery --events 10000``.

A device, a process of its own, appends numbered events to its store. A courier delivers them to a real broker, through
a proxy. Again and again the device is killed with SIGKILL at a random moment, the broker is killed during a burst and
comes back later, and the proxy swallows all data for a while. A listener records what arrives.
"""

from __future__ import annotations

import argparse
import json
import queue
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from edge.controls import Program
from edge.mqtt import connection
from edge.publishers import open_publisher
from edge.store.store import FILE, Store
from edge.types import Event, Reading
from tests.support.mosquitto import Broker, Listener, Wire, eventually

MODEL = "mnist-1.0 sha256:ab12"


class Outcome(NamedTuple):
    """What arrived."""

    events: int
    lost: int
    """Events that did not arrive."""
    early: int
    """Events that arrived before an older one."""
    strange: int
    """Repeats with another key than the first time, and keys that two events share."""
    repeats: int
    """Repeats with the same key, which "at least once" allows."""
    killed: int
    """How often the device was killed."""
    broker_killed: int
    """How often the broker was killed."""
    holes: int
    """How often the proxy swallowed all data for a while."""
    away: int
    """Events, a second apart, that were stored during the broker's longest absence."""
    seconds: float
    """How long it all took."""


def device(folder: Path, uri: str, events: int, rate: float, seed: int) -> None:
    """Store the events that are still missing, in bursts; then wait until all are sent."""
    connection.ACK_SECONDS = 2.0
    rng = random.Random(seed)
    number = _newest_number(folder / FILE)
    began = datetime(2026, 11, 23, tzinfo=UTC)
    with (
        Store(folder / FILE, device="desk") as store,
        open_publisher(uri, program=Program(device="desk"), outlet=store.outlet) as sending,
    ):
        while number < events:
            for _ in range(min(rng.choice((1, 2, 5, 20, 100)), events - number)):
                number += 1
                # A second apart, as on a busy desk.
                at = began + timedelta(seconds=number)
                reading = Reading("desk", number, at, (), "blank", MODEL, 1.0)
                store.append(Event("changed", at, str(number), str(number - 1), 1.0, 0.9, reading))
                time.sleep(rng.expovariate(rate * 4))
            time.sleep(rng.expovariate(rate / 20))
        while sending.delivery().backlog:  # type: ignore[attr-defined]
            time.sleep(0.05)


def _newest_number(path: Path) -> int:
    """The number of the newest event in a store; 0 if there is none."""
    if not path.exists():
        return 0
    with closing(sqlite3.connect(path)) as file:
        try:
            row = file.execute("SELECT text FROM events ORDER BY position DESC LIMIT 1").fetchone()
        except sqlite3.OperationalError:
            # Killed before it had tables.
            return 0
    return int(json.loads(row[0])["text"]) if row else 0


def deliver(
    folder: Path, *, events: int, kills: int, broker_kills: int, holes: int, rate: float, seed: int, away: int = 0
) -> Outcome:
    """Run the whole check; ``rate`` is about how many events are stored per second.

    The first time, the broker stays away until ``away`` more events are stored, which are that many seconds apart in
    the device's own time.
    """
    rng = random.Random(seed)
    there = Broker(folder / "broker", "max_inflight_messages 0", "max_queued_messages 0")
    wire = Wire(there.port)
    uri = f"mqtt://127.0.0.1:{wire.port}/home?home_assistant=off"
    judge = Listener(there.port, "home/desk/event", name="judge")
    arrived: list[dict[str, object]] = []
    child: subprocess.Popen[bytes] | None = None
    longest = 0
    began = time.monotonic()

    def start() -> subprocess.Popen[bytes]:
        words = ["-m", "tests.faults.delivery", "--device", str(folder), "--uri", uri]
        words += ["--events", str(events), "--rate", str(rate)]
        return subprocess.Popen([sys.executable, *words, "--seed", str(rng.randrange(10**9))])

    def collect() -> None:
        while True:
            try:
                arrived.append(json.loads(judge.heard.get_nowait().payload))
            except queue.Empty:
                return

    # Each fault comes when a random number of events has arrived, in any order.
    kinds = ["kill"] * kills + ["broker"] * broker_kills + ["hole"] * holes
    rng.shuffle(kinds)
    plan = sorted((rng.uniform(0.01, 0.95) * events for _ in kinds), reverse=True)
    faults = list(zip(plan, kinds, strict=True))
    try:
        child = start()
        while True:
            collect()
            newest = max((int(str(e["text"])) for e in arrived[-200:]), default=0)
            if faults and newest >= faults[-1][0]:
                _, what = faults.pop()
                time.sleep(rng.uniform(0, 0.1))
                if what == "kill":
                    child.send_signal(signal.SIGKILL)
                    child.wait()
                    child = start()
                elif what == "hole":
                    wire.hole = True
                    time.sleep(rng.uniform(0.5, 4))
                    wire.cut()
                    wire.hole = False
                else:
                    # The listener must be back before the device: a broker that is killed forgets acknowledged
                    # messages, which no device can prevent.
                    wire.open = False
                    there.kill()
                    wire.cut()
                    eventually(lambda: not judge.paho.is_connected())
                    before = _newest_number(folder / FILE)
                    time.sleep(rng.uniform(0, 3))
                    while away and not longest and _newest_number(folder / FILE) < min(before + away, events):
                        time.sleep(0.1)
                    longest = max(longest, _newest_number(folder / FILE) - before)
                    there.start()
                    judge.ready()
                    wire.open = True
            if child.poll() is not None:
                assert child.returncode == 0, f"the device ended with {child.returncode}"
                break
            time.sleep(0.005)
        until = time.monotonic() + 5
        while len({e["text"] for e in arrived}) < events and time.monotonic() < until:
            time.sleep(0.05)
            collect()
    finally:
        if child and child.poll() is None:
            child.kill()
            child.wait()
        judge.close()
        wire.close()
        there.kill()
    seconds = time.monotonic() - began
    return _outcome(arrived, events)._replace(
        killed=kills, broker_killed=broker_kills, holes=holes, away=longest, seconds=seconds
    )


def _outcome(arrived: list[dict[str, object]], events: int) -> Outcome:
    keys: dict[int, tuple[object, object]] = {}
    early = strange = repeats = highest = 0
    for stored in arrived:
        number, key = int(str(stored["text"])), (stored["boot_id"], stored["seq"])
        if number in keys:
            repeats += 1
            strange += keys[number] != key
            continue
        keys[number] = key
        early += number < highest
        highest = max(highest, number)
    strange += len(keys) - len(set(keys.values()))
    lost = len(set(range(1, events + 1)) - set(keys))
    return Outcome(events, lost, early, strange, repeats, 0, 0, 0, 0, 0.0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--broker-kills", type=int, default=8)
    parser.add_argument("--holes", type=int, default=4)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--away", type=int, default=600, help="events during the longest absence of the broker")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--uri", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.device:
        device(given.device, given.uri, given.events, given.rate, given.seed)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        outcome = deliver(
            Path(folder),
            events=given.events,
            kills=given.kills,
            broker_kills=given.broker_kills,
            holes=given.holes,
            rate=given.rate,
            seed=given.seed,
            away=given.away,
        )
    sys.stdout.write(f"{outcome}\n")
    return 1 if outcome.lost or outcome.early or outcome.strange else 0


if __name__ == "__main__":
    sys.exit(main())
