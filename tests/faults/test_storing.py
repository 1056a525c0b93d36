"""SIGKILL, power cuts and full disks while events are stored: no stored event is lost without a report."""

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.store import store
from edge.store.outlet import Backlog
from edge.store.store import Store
from edge.types import Notice
from tests.support.patience import patience

ROOT = Path(__file__).parent.parent.parent
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
CHILD = """
import os, sys, threading
from datetime import UTC, datetime
from pathlib import Path
from edge.store.settings import StoreSettings
from edge.store.store import Store
from edge.types import Notice

def line(number, *words):
    # A line that a killed process began may stand before it.
    os.write(number, ("\\n" + " ".join(map(str, words)) + " .").encode())

store = Store(Path(sys.argv[1]), device="shed", limits=StoreSettings(rows=1_000_000))
outlet = store.outlet("broker")

def send():
    while True:
        for entry in outlet.pending(7):
            line(2, entry.boot_id, entry.seq)
            outlet.done(entry.position)
        outlet.wait(1)

threading.Thread(target=send, daemon=True).start()
for n in range(int(sys.argv[2])):
    entry = store.append(Notice("camera", "running", "v4l2:", datetime.now(UTC), None))
    line(1, entry.boot_id, entry.seq)
while outlet.backlog().count:
    outlet.wait(0.01)
"""
"""Appends events and prints each on stdout; its publisher thread prints on stderr what it sends."""
KILLS = 24


def notice(n: int) -> Notice:
    return Notice("camera", "running", f"v4l2:/dev/video{n}", NOON, None)


def rows(path: Path) -> list[tuple[int, str, int]]:
    file = sqlite3.connect(path)
    assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    found = file.execute("SELECT position, boot_id, seq FROM events ORDER BY position").fetchall()
    file.close()
    return found


def whole_lines(path: Path) -> list[tuple[str, int]]:
    """The complete lines of the output; a line without its full stop was cut off by a kill."""
    lines = (line.split() for line in path.read_text().split("\n") if line.endswith(" ."))
    return [(boot, int(seq)) for boot, seq, _ in lines]


def test_a_service_killed_at_any_time_loses_nothing_and_keeps_the_order(tmp_path: Path) -> None:
    chance = random.Random(1)
    path, kept, sent = tmp_path / "events.db", tmp_path / "kept", tmp_path / "sent"

    def child(many: int) -> subprocess.Popen:
        with kept.open("ab") as out, sent.open("ab") as errors:
            return subprocess.Popen(
                [sys.executable, "-c", CHILD, path, str(many)],
                stdout=out,
                stderr=errors,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )

    for _ in range(KILLS):
        before = kept.stat().st_size if kept.exists() else 0
        process = child(1_000_000)
        end = time.monotonic() + patience(30)
        while kept.stat().st_size <= before and time.monotonic() < end:
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.1))
        process.kill()
        assert process.wait(patience(30)) == -signal.SIGKILL
    assert child(50).wait(patience(120)) == 0

    acknowledged, stored, delivered = whole_lines(kept), rows(path), whole_lines(sent)
    keys = [(boot, seq) for _, boot, seq in stored]
    assert len(acknowledged) > KILLS and set(acknowledged) <= set(keys), "nothing lost"
    assert len({boot for boot, _ in keys}) == 1
    assert [seq for _, seq in keys] == list(range(keys[0][1], keys[0][1] + len(keys))), "in order, no gap, none twice"
    assert set(delivered) == set(keys), "every one is sent"
    firsts = list(dict.fromkeys(delivered))
    assert firsts == sorted(firsts), "in order, but for those sent again with the same key"


def test_a_power_cut_leaves_a_database_that_is_complete_up_to_some_event(tmp_path: Path) -> None:
    """After a power cut a disk may have the WAL up to any byte, or with a torn page at its end."""
    chance = random.Random(2)
    path = tmp_path / "now" / "events.db"
    path.parent.mkdir()
    one = Store(path, device="shed")
    outlet = one.outlet("a")
    lost = 0
    for n in range(150):
        entry = one.append(notice(n))
        if n % 3 == 0:
            outlet.done(entry.position)
        if n == 60:
            one._file._commits = 10**6
            one._file.sync()
        then = tmp_path / "then"
        shutil.rmtree(then, ignore_errors=True)
        then.mkdir()
        shutil.copy(path, then)
        log = (path.parent / "events.db-wal").read_bytes()
        cut = chance.randrange(len(log) + 1)
        torn = os.urandom(min(512, len(log) - cut)) if n % 2 else b""
        (then / "events.db-wal").write_bytes(log[:cut] + torn)
        two = Store(then / "events.db", device="shed")
        new = two.append(notice(n))
        two.close()
        if any("damaged" in file.name for file in then.iterdir()):
            # Before the first checkpoint the whole file is in the log.
            assert n < 60
            continue
        positions = [position for position, _, _ in rows(then / "events.db")]
        assert positions == list(range(positions[0], positions[0] + len(positions)))
        assert positions[-1] <= new.position <= entry.position + 1
        assert n <= 60 or positions[-1] > 60, "what was in the file itself is there"
        lost += positions[-1] < entry.position + 1
    one.close()
    assert lost > 50, "the cuts did take something"


@pytest.fixture
def small_disk(tmp_path: Path):
    """A disk of 1 MB, mounted for this test alone."""
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("this user may not mount")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def test_on_a_full_disk_events_wait_in_memory_and_are_sent(small_disk: Path, caplog) -> None:
    one = Store(small_disk / "events.db", device="shed")
    outlet = one.outlet("a")
    sent = [one.append(notice(n)) for n in range(20)]
    with (small_disk / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError):
        while True:
            filler.write(bytes(4096))
    sent += [one.append(notice(n)) for n in range(200)]
    assert outlet.pending(1000) == sent
    outlet.done(sent[9].position)
    assert len(caplog.records) == 1 and "full" in caplog.text
    (small_disk / "filler").unlink()
    sent.append(one.append(notice(0)))
    assert outlet.pending(1000) == sent[10:]
    one.close()
    assert [seq for _, _, seq in rows(small_disk / "events.db")] == [entry.seq for entry in sent]


def test_a_disk_that_becomes_read_only_stops_nothing(small_disk: Path, caplog, monkeypatch) -> None:
    monkeypatch.setattr(store, "RETRY_SECONDS", 0.0)
    one = Store(small_disk / "events.db", device="shed")
    outlet = one.outlet("a")
    sent = [one.append(notice(n)) for n in range(20)]
    one.close()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    two = Store(small_disk / "events.db", device="shed")
    outlet = two.outlet("b")
    new = [two.append(notice(n)) for n in range(5)]
    assert outlet.pending() == new
    assert len(caplog.records) == 1
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    new.append(two.append(notice(9)))
    two.close()
    assert [seq for _, _, seq in rows(small_disk / "events.db")] == [e.seq for e in sent + new]
    assert not [file for file in small_disk.iterdir() if "damaged" in file.name]


def test_ten_thousand_events_while_the_broker_is_away_arrive(tmp_path: Path) -> None:
    one = Store(tmp_path / "events.db", device="shed")
    outlet = one.outlet("broker")
    for n in range(10_000):
        one.append(notice(n))
    got: list[str] = []

    def send() -> None:
        while entries := outlet.pending(100):
            got.extend(json.loads(entry.text)["name"] for entry in entries)
            outlet.done(entries[-1].position)

    thread = threading.Thread(target=send)
    thread.start()
    thread.join(patience(60))
    assert got == [f"v4l2:/dev/video{n}" for n in range(10_000)]
    assert outlet.backlog() == Backlog(0, 0.0, 0)
    one.close()
