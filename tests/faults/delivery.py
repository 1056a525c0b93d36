"""Whether every event arrives, in order, whatever is killed: ``python -m tests.faults.delivery --events 10000``.

A device of its own process says numbered events into its store; a courier takes them to a real broker, through a wire.
Again and again the device is killed with SIGKILL, at a random moment; the broker is killed in the middle of bursts and
comes back later; the wire swallows what it is given. A listener writes down what arrives.
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
    """Events that arrived before one that was said earlier."""
    strange: int
    """Repeats with another key than the first, and keys that two events have."""
    repeats: int
    """Repeats with the same key: what at least once means."""
    killed: int
    """How often the device was killed."""
    broker_killed: int
    holes: int
    away: int
    """Events, a second apart, that were said while the broker was away for the longest time."""
    seconds: float


def device(folder: Path, uri: str, events: int, rate: float, seed: int) -> None:
    """Say what was not said yet, in bursts; then wait until all of it is sent."""
    connection.ACK_SECONDS = 2.0
    rng = random.Random(seed)
    said = _said(folder / FILE)
    began = datetime(2026, 11, 23, tzinfo=UTC)
    with (
        Store(folder / FILE, device="desk") as store,
        open_publisher(uri, program=Program(device="desk"), outlet=store.outlet) as sending,
    ):
        while said < events:
            for _ in range(min(rng.choice((1, 2, 5, 20, 100)), events - said)):
                said += 1
                # A second apart, as they may be on a busy desk.
                at = began + timedelta(seconds=said)
                reading = Reading("desk", said, at, (), "blank", MODEL, 1.0)
                store.append(Event("changed", at, str(said), str(said - 1), 1.0, 0.9, reading))
                time.sleep(rng.expovariate(rate * 4))
            time.sleep(rng.expovariate(rate / 20))
        while sending.delivery().backlog:  # type: ignore[attr-defined]
            time.sleep(0.05)


def _said(path: Path) -> int:
    """The number of the newest event in the store."""
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
    """Do all that; ``rate`` is how many events a second are said, about.

    The broker stays away the first time until ``away`` more events are said: so many seconds of the device's own time.
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

    def hear() -> None:
        while True:
            try:
                arrived.append(json.loads(judge.heard.get_nowait().payload))
            except queue.Empty:
                return

    # Each misfortune comes when so many events have arrived, spread over the whole, in any order.
    list_of = ["kill"] * kills + ["broker"] * broker_kills + ["hole"] * holes
    rng.shuffle(list_of)
    plan = sorted((rng.uniform(0.01, 0.95) * events for _ in list_of), reverse=True)
    misfortunes = list(zip(plan, list_of, strict=True))
    try:
        child = start()
        while True:
            hear()
            newest = max((int(str(e["text"])) for e in arrived[-200:]), default=0)
            if misfortunes and newest >= misfortunes[-1][0]:
                _, what = misfortunes.pop()
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
                    # The listener has to be back before the device is: what a broker has said yes to, and forgets when
                    # it is killed itself, is out of a device's hands.
                    wire.open = False
                    there.kill()
                    wire.cut()
                    eventually(lambda: not judge.paho.is_connected())
                    before = _said(folder / FILE)
                    time.sleep(rng.uniform(0, 3))
                    while away and not longest and _said(folder / FILE) < min(before + away, events):
                        time.sleep(0.1)
                    longest = max(longest, _said(folder / FILE) - before)
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
            hear()
    finally:
        if child and child.poll() is None:
            child.kill()
            child.wait()
        judge.close()
        wire.close()
        there.kill()
    seconds = time.monotonic() - began
    return _judged(arrived, events)._replace(
        killed=kills, broker_killed=broker_kills, holes=holes, away=longest, seconds=seconds
    )


def _judged(arrived: list[dict[str, object]], events: int) -> Outcome:
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
    parser.add_argument("--away", type=int, default=600, help="seconds of the device's time that the broker is away")
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
