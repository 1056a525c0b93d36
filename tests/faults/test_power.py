"""Power cuts, systematically: every state of WAL and database that a disk may have if only synced data is sure."""

import os
import random
import shutil
import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.store import event_file, tables
from edge.store.store import Store
from edge.types import Notice

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HEADER, FRAME = 32, 24 + 4096
"""Bytes of the WAL header, and of a page with its frame header: https://www.sqlite.org/fileformat2.html#walformat."""


def notice(n: int) -> Notice:
    return Notice("camera", "running", f"v4l2:/dev/video{n}", NOON, None)


class Device:
    """A store that appends and sends, and what is known of it from outside."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder.mkdir()
        self.path, self.log = folder / "events.db", folder / "events.db-wal"
        self.synced = 0
        """Entries that were in the WAL at its last sync."""
        self.entries: list[event_file.Entry] = []
        self.sent = 0
        self.store = Store(self.path, device="shed")
        # As if it had begun earlier: a test says more events than one in a millisecond.
        self.store._seq -= 100_000
        self.outlet = self.store.outlet("far")
        sync = os.fdatasync

        def watched(descriptor: int) -> None:
            sync(descriptor)
            # The store's own thread syncs now and then, too: on a slow machine while a test appends.
            if threading.current_thread() is threading.main_thread() and os.path.samestat(
                os.fstat(descriptor), self.log.stat()
            ):
                self.synced = len(self.entries)

        monkeypatch.setattr(os, "fdatasync", watched)

    def append(self, many: int) -> None:
        for _ in range(many):
            self.entries.append(self.store.append(notice(len(self.entries))))
            if len(self.entries) % 3 == 0:
                self.sent = len(self.entries)
                self.outlet.done(self.entries[-1].position)

    def sync(self) -> None:
        file = self.store._file
        assert file is not None
        file.sync()

    def restarted(self, folder: Path, database: bytes, log: bytes) -> None:
        """Open such files: they must hold the oldest entries, all synced ones included; no key may be given twice."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        path = folder / "events.db"
        path.write_bytes(database)
        (folder / "events.db-wal").write_bytes(log)
        with Store(path, device="shed") as store:
            assert not [file.name for file in folder.iterdir() if "damaged" in file.name]
            new = store.append(notice(9999))
            outlet = store.outlet("far")
            done, pending = outlet.progress.done, outlet.pending(1000)
        with sqlite3.connect(path) as file:
            assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            rows = file.execute(f"SELECT {tables.COLUMNS} FROM events ORDER BY position").fetchall()
        file.close()
        kept = [event_file.Entry(*row) for row in rows[:-1]]
        assert kept == self.entries[: len(kept)], "a beginning of it, and none from the middle is gone"
        assert len(kept) >= self.synced, "what was on the disk is there"
        assert done <= (kept[-1].position if kept else 0), "nobody is ahead of what there is"
        if done:
            assert [*kept[done:], new] == pending, "what was not sent is sent"
        keys = {(entry.boot_id, entry.seq) for entry in self.entries}
        assert (new.boot_id, new.seq) not in keys, "not even without a new boot"
        assert not kept or new.boot_id != kept[-1].boot_id or new.seq > max(seq for _, seq in keys)


@pytest.fixture
def device(tmp_path: Path, monkeypatch):
    with_store = Device(tmp_path / "now", monkeypatch)
    yield with_store
    with_store.store.close()


def cuts(begin: int, end: int) -> list[int]:
    """Each boundary between WAL frames, and in each frame positions in its header, its middle and its last byte."""
    whole = range(begin, end + 1, FRAME)
    return [at for frame in whole for at in (frame, frame + 10, frame + 2000, frame + FRAME - 1) if at <= end]


def test_a_wal_cut_at_any_frame_keeps_the_oldest_entries(device, tmp_path: Path) -> None:
    device.append(12)
    device.sync()
    assert device.synced == 12
    sure = device.log.stat().st_size
    device.append(12)
    log, database = device.log.read_bytes(), device.path.read_bytes()
    for cut in cuts(sure, len(log)):
        device.restarted(tmp_path / "then", database, log[:cut])
    # What is not synced may be written in any order: a hole in it hides all that comes after.
    for hole in range(sure, len(log), FRAME):
        spoilt = log[:hole] + bytes(512) + log[hole + 512 :]
        device.restarted(tmp_path / "then", database, spoilt)


def test_a_power_cut_during_a_checkpoint_loses_nothing(device, tmp_path: Path) -> None:
    """Until the checkpoint is synced, the WAL has everything, and each page of the database may be old or new."""
    chance = random.Random(3)
    device.append(40)
    device.sync()
    device.append(event_file.CHECKPOINT_COMMITS)
    before = device.path.read_bytes()
    device.sync()
    after, log = device.path.read_bytes(), device.log.read_bytes()
    assert device.synced == len(device.entries) and after != before, "it was copied"
    for _ in range(30):
        size = chance.choice((len(before), len(after)))
        mixed = b"".join(
            chance.choice((before, after))[at : at + 4096].ljust(4096, b"\0") for at in range(0, size, 4096)
        )
        device.restarted(tmp_path / "then", mixed, log)


def test_a_restarted_wal_is_told_from_the_old_frames_behind_it(device, tmp_path: Path) -> None:
    device.append(event_file.CHECKPOINT_COMMITS + 10)
    device.sync()
    size = device.log.stat().st_size
    device.append(20)
    log, database = device.log.read_bytes(), device.path.read_bytes()
    assert len(log) == size, "it is written over"
    frames = 0
    while log[HEADER + frames * FRAME + 8 :][:8] == log[16:24]:
        frames += 1
    assert frames >= 20
    for frame in range(frames):
        at = HEADER + frame * FRAME
        for hole in (at, at + 1000):
            device.restarted(tmp_path / "then", database, log[:hole] + os.urandom(512) + log[hole + 512 :])


def test_there_is_no_checkpoint_without_new_commits(device) -> None:
    """SQLite's WAL-reset bug needs a checkpoint with nothing to copy that starts while another thread writes."""
    begun = []
    file = device.store._file
    copy = file._checkpoint

    def watched(connection: sqlite3.Connection) -> None:
        begun.append(len(device.entries))
        copy(connection)

    file._checkpoint = watched
    for many in (
        event_file.CHECKPOINT_COMMITS,
        0,
        1,
        event_file.CHECKPOINT_COMMITS // 2,
        event_file.CHECKPOINT_COMMITS,
        0,
    ):
        device.append(many)
        device.sync()
    assert len(begun) == 2 and begun[1] - begun[0] >= event_file.CHECKPOINT_COMMITS


def test_the_writing_thread_checkpoints_a_wal_that_is_too_long(device, monkeypatch) -> None:
    monkeypatch.setattr(event_file, "WAL_RETRY_BYTES", 50_000)
    monkeypatch.setattr(event_file, "WAL_LIMIT_BYTES", 100_000)
    device.store._file._checkpoint_at_bytes = 100_000
    reader = sqlite3.connect(device.path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM events").fetchone()
    device.append(100)
    grown = device.log.stat().st_size
    assert grown > 200_000, "nobody may take from under a reader what it reads"
    reader.close()
    device.append(300)
    assert device.log.stat().st_size < grown + 200_000
    assert [entry.text for entry in device.outlet.pending(1000)][-1] == device.entries[-1].text
