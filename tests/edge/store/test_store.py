"""The store: every event, in order, at least once, whatever the disk, the clock and the power do."""

import errno
import json
import os
import resource
import shutil
import sqlite3
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.store import damage, event_file, outlet, store, sync, tables
from edge.store.entry import boot_id, uptime
from edge.store.settings import StoreSettings
from edge.store.store import Store
from edge.types import Notice
from tests.support.patience import patience

ROOT = Path(__file__).parents[3]
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def notice(n: int = 0, size: int = 0, at: datetime = NOON) -> Notice:
    return Notice("camera", "running", f"v4l2:/dev/video{n}{'x' * size}", at, None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.db"


@pytest.fixture
def opened(path: Path):
    """Makes stores, and closes them all at the end."""
    made = []

    def make(**limits: float) -> Store:
        made.append(Store(path, device="shed", limits=StoreSettings(**limits)))
        return made[-1]

    yield make
    for one in made:
        one.close()


def rows(path: Path) -> list[tuple[str, int, str]]:
    file = sqlite3.connect(path)
    found = file.execute("SELECT boot_id, seq, text FROM events ORDER BY position").fetchall()
    file.close()
    return found


def test_a_message_is_kept_as_sent_with_device_boot_and_number(opened, path: Path) -> None:
    made = opened()
    entry = made.append(notice(3))
    assert made.newest_message == entry.text and made.newest_event is None, "a notice is no event"
    assert json.loads(entry.text) == {
        **notice(3).as_dict(),
        "device": "shed",
        "boot_id": entry.boot_id,
        "seq": entry.seq,
    }
    assert rows(path) == [(entry.boot_id, entry.seq, entry.text)]
    assert entry.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def test_a_file_name_that_is_no_utf8_can_be_kept(opened, path: Path) -> None:
    opened().append(Notice("camera", "running", "files:\udce4.png", NOON, None))
    assert json.loads(rows(path)[0][2])["name"] == "files:\udce4.png"


def test_numbers_go_on_over_restarts_and_begin_anew_with_another_boot(opened, monkeypatch) -> None:
    first = opened()
    numbers = [first.append(notice()).seq for _ in range(3)]
    first.close()
    second = opened()
    assert second.append(notice()).seq == numbers[0] + 3
    second.close()
    monkeypatch.setattr(store, "boot_id", lambda: "another boot")
    monkeypatch.setattr(store, "uptime", lambda: 7.5)
    third = opened()
    assert (third.append(notice()).boot_id, third.append(notice()).seq) == ("another boot", 7502)


def test_no_number_is_given_twice_when_the_file_is_lost_within_a_boot(opened, path: Path) -> None:
    keys = set()
    for _ in range(4):
        one = opened()
        for _ in range(5):
            entry = one.append(notice())
            assert (entry.boot_id, entry.seq) not in keys
            keys.add((entry.boot_id, entry.seq))
        one.close()
        path.unlink()
        time.sleep(0.02)


def keys(entries) -> set[tuple[str, int]]:
    return {(entry.boot_id, entry.seq) for entry in entries}


def test_no_number_is_given_twice_when_an_old_copy_is_put_back_within_a_boot(
    opened, path: Path, tmp_path: Path
) -> None:
    first = opened()
    given = [first.append(notice(n)) for n in range(3)]
    first.close()
    old = path.read_bytes()
    second = opened()
    given += [second.append(notice(n)) for n in range(5)]
    second.close()
    path.write_bytes(old)
    assert (third := opened().append(notice())).seq == given[-1].seq + 1, "the note beside it knows"
    elsewhere = tmp_path / "elsewhere" / "events.db"
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(old)
    while uptime() * 1000 <= third.seq + 1:  # fewer than 1,000 events a second is what is promised
        time.sleep(0.001)
    with Store(elsewhere, device="shed") as fourth:
        entry = fourth.append(notice())
    assert keys([entry]) & keys([*given, third]) == set() and entry.seq > third.seq


HUGE = f"{boot_id()} {2**63:020}\n".encode()


@pytest.mark.parametrize("note", [b"", b"\0" * 58, b"rubbish", b"another boot 99999999999\n", b"\xff 12", HUGE])
def test_a_lock_file_without_a_key_of_this_boot_is_ignored(note: bytes, opened, path: Path) -> None:
    one = opened()
    before = [one.append(notice(n)) for n in range(3)]
    one.close()
    event_file.sibling(path, ".lock").write_bytes(note)
    assert opened().append(notice()).seq > before[-1].seq


def test_what_could_not_be_written_has_numbers_that_nobody_gives_again(opened, path: Path, caplog) -> None:
    """Sent from memory, and then the process ends: the next one finds nothing of it in the file."""
    one = opened()
    outlet = one.outlet("a")
    stored = [one.append(notice(n)) for n in range(3)]
    one._file._run("PRAGMA query_only = ON")
    unstored = [one.append(notice(n)) for n in range(3, 6)]
    assert outlet.pending() == [*stored, *unstored] and len(caplog.records) == 1
    one._file._run("PRAGMA query_only = OFF")
    one._waiting.clear()
    one.close()
    two = opened()
    later = [two.append(notice(n)) for n in range(6, 12)]
    assert len(keys([*stored, *unstored, *later])) == 12
    assert [entry.seq for entry in later] == list(range(stored[-1].seq + 1, stored[-1].seq + 7))
    boot = stored[0].boot_id
    assert all(entry.boot_id.startswith(boot) and entry.boot_id != boot for entry in unstored)


def test_a_process_that_gets_the_file_later_goes_on_after_its_numbers(opened, path: Path) -> None:
    (path.parent / "none").touch()
    early = Store(path.parent / "none" / "events.db", device="shed")
    early.path = path
    one = opened()
    one._seq += 10**6
    given = [one.append(notice(n)) for n in range(3)]
    one.close()
    early._last_try = float("-inf")
    got = [early.append(notice(n)) for n in range(3)]
    early.close()
    assert [entry.seq for entry in got] == [given[-1].seq + n for n in (1, 2, 3)]
    assert [seq for _, seq, _ in rows(path)] == [entry.seq for entry in [*given, *got]]


def test_a_flipped_byte_spoils_only_its_own_entry(opened, path: Path, caplog) -> None:
    one = opened()
    outlet = one.outlet("a")
    sent = [one.append(notice(n)) for n in range(5)]
    one.close()
    file = sqlite3.connect(path, isolation_level=None)
    file.execute("UPDATE events SET text = CAST(X'FF7B' AS TEXT) WHERE position = ?", (sent[4].position,))
    file.close()
    two = opened()
    outlet = two.outlet("a")
    got = outlet.pending()
    assert [entry.seq for entry in got] == [entry.seq for entry in sent] and got[:4] == sent[:4]
    assert not caplog.records


@pytest.mark.parametrize("column", ["boot_id", "seq", "at", "up", "text"])
@pytest.mark.parametrize("value", ["NULL", "X'FF00'", "'x'", "1e300"])
def test_a_value_of_a_wrong_type_spoils_only_its_own_entry(
    column: str, value: str, opened, path: Path, monkeypatch
) -> None:
    """A flipped byte in the head of a record changes the types of its values, whatever the table wants."""
    monkeypatch.setattr(store, "TRIM_EVERY_APPENDS", 1)
    one = opened()
    one.outlet("a")
    sent = [one.append(notice(n)) for n in range(3)]
    one.close()
    file = sqlite3.connect(path, isolation_level=None)
    file.execute("PRAGMA writable_schema = ON")
    file.execute("UPDATE sqlite_master SET sql = replace(replace(sql, ' NOT NULL', ''), '_id TEXT', '_id')")
    file.close()
    file = sqlite3.connect(path, isolation_level=None)
    file.execute(f"UPDATE events SET {column} = {value} WHERE position IN (?, ?)", (sent[0].position, sent[2].position))
    file.close()
    two = opened()
    outlet = two.outlet("a")
    sent += [two.append(notice(n)) for n in (3, 4)]
    assert outlet.backlog().count == 5
    got = outlet.pending()
    assert [got[1], *got[3:]] == [sent[1], *sent[3:]]


def test_impossible_positions_are_damage(opened, path: Path, caplog) -> None:
    one = opened()
    one.append(notice(1))
    one.close()
    other_database(path, f"UPDATE events SET position = {2**63 - 1}", fresh=False)
    two = opened()
    entry = two.append(notice(2))
    assert [seq for _, seq, _ in rows(path)] == [entry.seq] and "impossible positions" in caplog.text


def test_order_is_that_of_storing_when_the_clock_jumps_back(opened) -> None:
    one = opened()
    outlet = one.outlet("a")
    for hours in (0, -100_000, 5):
        one.append(notice(at=NOON + timedelta(hours=hours)))
    entries = outlet.pending()
    assert [entry.seq - entries[0].seq for entry in entries] == [0, 1, 2]


def test_a_publisher_goes_on_where_it_stopped(opened) -> None:
    one = opened()
    one.append(notice())
    outlet = one.outlet("mqtt")
    assert outlet.pending() == [], "a new one begins with what comes from now on"
    sent = [one.append(notice(n)) for n in range(5)]
    assert outlet.pending(3) == sent[:3]
    outlet.done(sent[1].position)
    assert outlet.pending() == sent[2:]
    assert outlet.backlog().count == 3
    one.close()
    two = opened()
    assert two.outlet("mqtt").pending() == sent[2:]
    assert two.outlet("other").pending() == []


def test_publishers_do_not_wait_for_each_other(opened) -> None:
    one = opened()
    fast, slow = one.outlet("fast"), one.outlet("slow")
    for n in range(4):
        fast.done(one.append(notice(n)).position)
    assert (fast.backlog().count, slow.backlog().count) == (0, 4)


def test_an_append_wakes_a_publisher_and_so_does_wake(opened) -> None:
    one = opened()
    outlet = one.outlet("a")
    woken = []

    def wait() -> None:
        woken.append(outlet.wait(60))

    for act, answer in ((lambda: one.append(notice()), True), (lambda: outlet.done(10**9), None), (outlet.wake, False)):
        if answer is None:
            act()
            continue
        thread = threading.Thread(target=wait)
        thread.start()
        act()
        thread.join(patience(20))
        assert woken.pop() is answer
    assert not outlet.wait(0.01)


def test_closing_ends_a_wait(opened) -> None:
    one = opened()
    outlet = one.outlet("a")
    thread = threading.Thread(target=outlet.wait, args=(60,))
    thread.start()
    one.close()
    thread.join(patience(20))
    assert not thread.is_alive()


def test_too_many_rows_go_and_a_publisher_is_told_how_many_it_missed(opened, path: Path) -> None:
    one = opened(rows=100)
    outlet = one.outlet("away")
    for n in range(1000):
        one.append(notice(n))
    kept = rows(path)
    assert 100 <= len(kept) < 100 + store.TRIM_EVERY_APPENDS
    assert outlet.backlog().dropped == 1000 - len(kept) and outlet.backlog().count == len(kept)
    assert [entry.text for entry in outlet.pending(2000)] == [text for _, _, text in kept]
    one.close()
    assert opened(rows=100).outlet("away").backlog().dropped == 1000 - len(kept), "over restarts"


def test_a_removed_publisher_does_not_keep_events_from_being_deleted(opened, path: Path) -> None:
    one = opened(rows=100)
    one.outlet("old")
    one.close()
    two = opened(rows=100)
    for n in range(400):
        two.append(notice(n))
    assert len(rows(path)) < 120


def test_the_file_keeps_to_its_size_and_shrinks_with_the_limit(opened, path: Path, tmp_path: Path) -> None:
    one = opened(megabytes=10)
    most = 0
    for n in range(3000):
        one.append(notice(n, size=8_000))
        most = max(most, sum(file.stat().st_size for file in tmp_path.iterdir()))
    assert 4_000_000 < most <= 10_000_000
    one.close()
    two = opened(megabytes=8)
    for n in range(400):
        two.append(notice(n))
    two.close()
    assert path.stat().st_size <= 8_000_000 - event_file.WAL_RESERVE_BYTES + 4096 * (event_file.SPARE_PAGES + 16)
    assert not (tmp_path / "events.db-wal").exists()


def test_old_events_go_and_a_jump_of_the_clock_ages_none_of_this_boot(opened, path: Path, monkeypatch) -> None:
    now, up = [NOON.timestamp()], [100.0]
    monkeypatch.setattr(store, "uptime", lambda: up[0])
    monkeypatch.setattr(store.time, "time", lambda: now[0])
    one = opened(days=2)
    for n in range(20):
        one.append(notice(n))
    now[0] += 400 * 86_400  # the time server has answered
    for n in range(20):
        one.append(notice(n))
    assert len(rows(path)) == 40
    up[0] += 2.1 * 86_400
    for n in range(20):
        one.append(notice(n))
    assert len(rows(path)) < 25
    one.close()
    monkeypatch.setattr(store, "boot_id", lambda: "the next boot")
    two = opened(days=2)
    for n in range(20):
        two.append(notice(n, at=NOON + timedelta(days=400)))
    assert {boot for boot, _, _ in rows(path)} == {"the next boot"}


def test_a_clock_that_is_wrong_by_years_deletes_nothing_that_was_not_sent(opened, path: Path, monkeypatch) -> None:
    one = opened(days=2)
    outlet = one.outlet("mqtt")
    for n in range(20):
        one.append(notice(n))
    outlet.done(outlet.pending()[4].position)
    one.close()
    monkeypatch.setattr(store, "boot_id", lambda: "the next boot")
    monkeypatch.setattr(store.time, "time", lambda: NOON.timestamp() + 400 * 86_400)
    two = opened(days=2)
    outlet = two.outlet("mqtt")
    for n in range(20, 60):
        two.append(notice(n))
    assert [entry.seq - outlet.pending()[0].seq for entry in outlet.pending()[:15]] == list(range(15))
    assert outlet.backlog().dropped == 0
    assert len(rows(path)) == 55
    outlet.done(two.position)
    for n in range(60, 80):
        two.append(notice(n))
    assert {boot for boot, _, _ in rows(path)} == {"the next boot"}


DAMAGES = {
    "no database": lambda path: path.write_bytes(b"no database at all" * 500),
    "half a header": lambda path: path.write_bytes(path.read_bytes()[:60]),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:9000]),
    "pages of zeros": lambda path: path.write_bytes(path.read_bytes()[:4096] + bytes(len(path.read_bytes()) - 4096)),
    "another's database": lambda path: other_database(path, "CREATE TABLE t (x)"),
    "other tables": lambda path: other_database(path, "ALTER TABLE events RENAME TO old", fresh=False),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "a named pipe": lambda path: (path.unlink(), os.mkfifo(path)),
}


def other_database(path: Path, sql: str, fresh: bool = True) -> None:
    if fresh:
        path.unlink()
    file = sqlite3.connect(path, isolation_level=None)
    file.execute(sql)
    file.close()


@pytest.mark.parametrize("harm", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_set_aside_and_said_once(harm, opened, path: Path, caplog) -> None:
    one = opened()
    for n in range(100):
        one.append(notice(n))
    one.close()
    harm(path)
    two = opened()
    outlet = two.outlet("a")
    entry = two.append(notice())
    assert outlet.pending() == [entry] and rows(path) == [(entry.boot_id, entry.seq, entry.text)]
    (said,) = [record.getMessage() for record in caplog.records]
    (kept,) = [name for name in path.parent.iterdir() if "damaged" in name.name]
    assert kept.name in said and "\n" not in said


def test_an_empty_file_is_a_new_store(opened, path: Path, caplog) -> None:
    path.touch()
    opened().append(notice())
    assert len(rows(path)) == 1 and not caplog.records


def test_damage_found_while_running_loses_no_new_event(opened, path: Path, monkeypatch) -> None:
    monkeypatch.setattr(store, "RETRY_SECONDS", 0.0)
    one = opened()
    outlet = one.outlet("a")
    for n in range(300):
        one.append(notice(n))
    with path.open("r+b") as file:
        file.write(bytes(4096))
    (path.parent / "events.db-wal").write_bytes(b"")
    one._file._file.execute("PRAGMA shrink_memory")
    entries = [one.append(notice(n)) for n in range(20)]
    got = outlet.pending(1000)
    assert [e.text for e in got][-20:] == [e.text for e in entries]
    seqs = [entry.seq for entry in got]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    assert outlet.backlog().dropped + len(got) == 320, "none is lost uncounted"


def test_few_damaged_files_are_kept(path: Path) -> None:
    for n in range(6):
        path.write_text(str(n))
        (path.parent / "events.db-wal").write_text(f"log {n}")
        damage.set_aside(path)
    kept = sorted(file.read_text() for file in path.parent.iterdir())
    assert len(kept) == 2 * damage.DAMAGED_FILES_KEPT and {"5", "log 5"} <= set(kept)


def test_without_a_database_events_are_sent_from_memory_and_written_later(
    opened, path: Path, caplog, monkeypatch
) -> None:
    folder = path.parent / "state"
    folder.touch()
    one = Store(folder / "events.db", device="shed")
    outlet = one.outlet("a")
    sent = [one.append(notice(n)) for n in range(3)]
    assert outlet.pending() == sent
    outlet.done(sent[0].position)
    assert caplog.messages == [f"{folder}/events.db: Not a directory; events are kept in memory until this is fixed"]
    folder.unlink()
    monkeypatch.setattr(store, "RETRY_SECONDS", 0.0)
    sent.append(one.append(notice(3)))
    assert [e.seq for e in outlet.pending()] == [e.seq for e in sent[1:]]
    one.close()
    assert [seq for _, seq, _ in rows(folder / "events.db")] == [e.seq for e in sent]


@pytest.mark.parametrize(
    ("begin", "end", "word"),
    [
        ("PRAGMA max_page_count = 1", "PRAGMA max_page_count = 1000000", "full"),
        ("PRAGMA query_only = ON", "PRAGMA query_only = OFF", "readonly"),
    ],
)
def test_a_full_or_read_only_database_loses_no_event(begin, end, word, opened, path: Path, caplog) -> None:
    """SQLite's own errors of a full and of a read-only disk; tests/faults has the disks."""
    one = opened()
    outlet = one.outlet("a")
    sent = [one.append(notice(n)) for n in range(20)]
    one._file._run(begin).fetchall()
    sent += [one.append(notice(n, size=500)) for n in range(200)]
    assert outlet.pending(1000) == sent
    outlet.done(sent[9].position)
    assert len(caplog.records) == 1 and word in caplog.text
    one._file._run(end).fetchall()
    sent.append(one.append(notice(0)))
    assert outlet.pending(1000) == sent[10:]
    assert len(caplog.records) == 2 and "can be written again; 0 events were lost" in caplog.text
    one.close()
    assert [(boot, seq) for boot, seq, _ in rows(path)] == [(entry.boot_id, entry.seq) for entry in sent]


def eventually(true) -> None:
    until = time.monotonic() + patience(20)
    while not true():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.01)


def test_a_failing_sync_and_its_end_are_logged_once_each(opened, monkeypatch, caplog) -> None:
    monkeypatch.setattr(sync, "SYNC_SECONDS", 0.02)
    monkeypatch.setattr(sync, "SYNC_MIN_SECONDS", 0.01)
    failed = []

    def broken(file: int) -> None:
        failed.append(file)
        raise OSError(errno.EIO, "Input/output error")

    one = opened()
    with monkeypatch.context() as bad:
        bad.setattr(event_file.os, "fdatasync", broken)
        one.append(notice())
        eventually(lambda: len(failed) > 3)
    eventually(lambda: len(caplog.records) > 1)
    one.append(notice())
    first, second = caplog.messages
    assert first.endswith("events.db: Input/output error; what is written now may not survive a power cut")
    assert second.endswith("events.db: is safe on the disk again")


def test_a_fast_growing_wal_is_checkpointed_early_and_not_by_the_appending_thread(opened, monkeypatch) -> None:
    monkeypatch.setattr(sync, "SYNC_SECONDS", 1000.0)
    monkeypatch.setattr(sync, "SYNC_MIN_SECONDS", 0.01)
    one, copies = opened(), []
    copy = one._file._checkpoint

    def watched(connection: sqlite3.Connection) -> None:
        copy(connection)
        copies.append(threading.current_thread().name)

    one._file._checkpoint = watched
    for n in range(event_file.SYNC_SOON_COMMITS // 2):
        one.append(notice(n))
    time.sleep(0.1)
    assert not copies
    for n in range(event_file.SYNC_SOON_COMMITS // 2):
        one.append(notice(n))
    eventually(lambda: copies == ["store"])


def test_entries_in_memory_are_bounded_and_losses_counted(path: Path, monkeypatch, caplog) -> None:
    monkeypatch.setattr(store, "WAITING_BYTES", 3_000)
    path.touch()
    one = Store(path / "events.db", device="shed")
    outlet = one.outlet("a")
    for n in range(100):
        one.append(notice(n))
    left = outlet.pending(200)
    assert sum(len(entry.text) for entry in left) <= 3_000
    assert outlet.backlog().dropped == 100 - len(left) > 0
    one.close()


def test_a_second_process_writes_nothing_into_the_file_of_the_first(opened, path: Path, caplog) -> None:
    one = opened()
    other = Store(path, device="shed")
    outlet = other.outlet("a")
    mine, others = one.append(notice(1)), other.append(notice(2))
    assert (mine.boot_id, mine.seq) != (others.boot_id, others.seq)
    assert outlet.pending() == [others] and len(rows(path)) == 1
    assert "another process writes to it" in caplog.text
    one.close()
    other._last_try = float("-inf")
    last = other.append(notice(3))
    other.close()
    assert [seq for _, seq, _ in rows(path)] == [mine.seq, others.seq, last.seq]


def test_a_file_that_somebody_deletes_is_made_again(opened, path: Path) -> None:
    one = opened()
    outlet = one.outlet("a")
    one.append(notice(1))
    for file in path.parent.iterdir():
        file.unlink()
    entry = one.append(notice(2))
    assert [seq for _, seq, _ in rows(path)] == [entry.seq]
    assert outlet.pending() == [entry] and outlet.backlog().dropped == 1


def test_a_state_folder_that_somebody_deletes_is_made_again(path: Path) -> None:
    folder = path.parent / "state"
    with Store(folder / "events.db", device="shed") as one:
        outlet = one.outlet("a")
        one.append(notice(1))
        shutil.rmtree(folder)
        entry = one.append(notice(2))
        assert outlet.pending() == [entry]
    assert [seq for _, seq, _ in rows(folder / "events.db")] == [entry.seq]
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(("running", "put"), [(20, 300), (2500, 300), (2000, 3000)])
def test_a_file_that_somebody_puts_there_is_used(running: int, put: int, opened, path: Path, tmp_path: Path) -> None:
    """SQLite leaves the WAL of a file that was moved where it is; it must not get into the file put there."""
    with Store(tmp_path / "backup" / "events.db", device="shed") as backup:
        expected = [backup.append(notice(n)).text for n in range(put)]
    one = opened()
    outlet = one.outlet("a")
    kept = [one.append(notice(n, size=7)).text for n in range(running)]
    outlet.done(one.position)
    path.rename(tmp_path / "moved.db")
    (tmp_path / "backup" / "events.db").rename(path)
    new = [one.append(notice(n)) for n in range(5)]
    assert outlet.pending() == new
    one.close()
    assert [text for _, _, text in rows(path)] == expected + [entry.text for entry in new]
    assert [text for _, _, text in rows(tmp_path / "moved.db")] == kept, "nothing of what was moved away is lost"
    for file in (path, tmp_path / "moved.db"):
        assert sqlite3.connect(file).execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_newer_file_that_somebody_puts_there_is_left_as_it_is(opened, path: Path, tmp_path: Path, caplog) -> None:
    newer = tmp_path / "newer" / "events.db"
    with Store(newer, device="shed") as made:
        made.append(notice(3))
    other_database(newer, f"PRAGMA user_version = {tables.VERSION + 1}", fresh=False)
    one = opened()
    one.append(notice(1))
    then = newer.read_bytes()
    newer.rename(path)
    one.append(notice(2))
    one.close()
    assert path.read_bytes() == then and not path.with_name("events.db-wal").stat().st_size
    assert "written by a newer edge-digits" in caplog.messages[-2]


def test_the_log_of_another_file_is_left_alone(opened, path: Path, tmp_path: Path) -> None:
    """Whoever puts a database there puts its log there first."""
    other = of_version(tables.VERSION, tmp_path / "made" / "events.db", 3, tmp_path / "other")
    one = opened()
    for n in range(20):
        one.append(notice(n))
    other.with_name("events.db-wal").rename(path.with_name("events.db-wal"))
    other.rename(path)
    entry = one.append(notice(9))
    one.close()
    assert [text for _, _, text in rows(path)][3:] == [entry.text] and len(rows(path)) == 4


def test_a_database_behind_a_link_is_synced_and_checkpointed_too(path: Path, monkeypatch) -> None:
    monkeypatch.setattr(event_file, "WAL_LIMIT_BYTES", 100_000)
    monkeypatch.setattr(event_file, "WAL_RETRY_BYTES", 10_000)
    disk = path.parent / "disk"
    disk.mkdir()
    path.symlink_to(disk / "real.db")
    with Store(path, device="shed") as one:
        for n in range(600):
            one.append(notice(n))
        one._file.sync()
        assert (disk / "real.db-wal").stat().st_size < 1_000_000
        # Another link: the first database is left in order.
        path.unlink()
        path.symlink_to(disk / "other.db")
        one.append(notice(0))
    assert (len(rows(disk / "real.db")), len(rows(disk / "other.db"))) == (600, 1)
    assert sorted(file.name for file in disk.iterdir()) == ["other.db", "real.db"]


def test_a_program_that_writes_for_long_is_waited_for_once(opened, path: Path, monkeypatch, caplog) -> None:
    monkeypatch.setattr(event_file, "BUSY_SECONDS", 0.2)
    one = opened()
    outlet, sent = one.outlet("a"), [one.append(notice(0))]
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    begun = time.monotonic()
    for n in range(50):
        sent.append(one.append(notice(n)))
        outlet.wait(0)
    assert time.monotonic() - begun < 50 * 0.2 / 2, "not each time"
    assert outlet.pending() == sent
    threading.Timer(0.05, other.interrupt).start()
    monkeypatch.setattr(event_file, "BUSY_SECONDS", patience(20))
    threading.Timer(0.05, other.close).start()
    one.close()
    assert [text for _, _, text in rows(path)] == [entry.text for entry in sent], "at the end it waits again"


def test_progress_is_rarely_written_alone(opened, path: Path, monkeypatch) -> None:
    one = opened()
    place = one.outlet("a")
    sent = [one.append(notice(n)) for n in range(50)]
    before = one._file._commits
    for entry in sent:
        place.done(entry.position)
    assert one._file._commits == before, "it was written with the last event"
    monkeypatch.setattr(outlet, "PROGRESS_SECONDS", 0.0)
    place.wait(0)
    assert one._file._commits == before + 1
    assert one._file.outlets()["a"].done == sent[-1].position


def tree(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if not file.name.endswith((".lock", "-shm"))}


def of_version(version: int, path: Path, many: int, folder: Path) -> Path:
    """A copy of a store with unsent entries and a WAL, which has the version, as after a kill."""
    with Store(path, device="shed") as made:
        made.outlet("far")
        for n in range(many):
            made.append(notice(n))
        file = sqlite3.connect(path)
        file.execute(f"PRAGMA user_version = {version}")
        folder.mkdir()
        for ending in ("", "-wal"):
            (folder / f"events.db{ending}").write_bytes(path.with_name(f"events.db{ending}").read_bytes())
        file.close()
    return folder / "events.db"


def test_a_newer_store_is_left_as_it_is_until_the_upgrade(path: Path, tmp_path: Path, monkeypatch, caplog) -> None:
    newer = of_version(tables.VERSION + 1, path, 3, tmp_path / "newer")
    before = tree(newer.parent)
    assert before["events.db-wal"], "it is in use"
    caplog.clear()
    monkeypatch.setattr(store, "RETRY_SECONDS", 0.0)
    with Store(newer, device="shed") as older:
        far = older.outlet("far")
        for n in (7, 8):
            older.append(notice(n))
        assert [json.loads(entry.text)["name"] for entry in far.pending()] == ["v4l2:/dev/video7", "v4l2:/dev/video8"]
        far.done(far.pending()[0].position)
    assert tree(newer.parent) == before
    said = f"{newer}: was written by a newer edge-digits: upgrade to that, or move this file away"
    assert caplog.messages == [
        f"{said}; events are kept in memory until this is fixed",
        f"{newer}: 2 events were never written",
    ]
    monkeypatch.setattr(tables, "VERSION", tables.VERSION + 1)
    with Store(newer, device="shed") as upgraded:
        assert len(upgraded.outlet("far").pending()) == 3, "what was not sent is sent"


def test_an_older_store_is_migrated_and_a_power_cut_meanwhile_loses_nothing(
    path: Path, tmp_path: Path, monkeypatch
) -> None:
    older = of_version(tables.VERSION, path, 3, tmp_path / "older")
    step = (
        "CREATE TABLE more (name TEXT)",
        "INSERT INTO more SELECT name FROM outlets",
        "CREATE INDEX at ON events (at)",
    )
    monkeypatch.setattr(tables, "MIGRATIONS", (*tables.MIGRATIONS, step))
    monkeypatch.setattr(tables, "VERSION", tables.VERSION + 1)
    sure = len(tree(older.parent)["events.db-wal"])
    with Store(older, device="shed"):
        after = tree(older.parent)
    assert len(after["events.db-wal"]) > sure
    for cut in range(sure, len(after["events.db-wal"]) + 1, 1024):
        then = tmp_path / f"cut-{cut}" / "events.db"
        then.parent.mkdir()
        then.write_bytes(after["events.db"])
        then.with_name("events.db-wal").write_bytes(after["events.db-wal"][:cut])
        with Store(then, device="shed") as again:
            assert len(again.outlet("far").pending()) == 3
            again.append(notice(9))
        file = sqlite3.connect(then)
        assert file.execute("PRAGMA user_version").fetchone() == (tables.VERSION,)
        assert file.execute("SELECT name FROM more").fetchall() == [("far",)]
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        file.close()
        assert len(rows(then)) == 4


def test_a_process_without_free_descriptors_syncs_all_the_same(opened, path: Path, caplog) -> None:
    made = opened()
    file = made._file
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.open("/dev/null", os.O_RDONLY)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            os.open("/dev/null", os.O_RDONLY)
        for n in range(event_file.CHECKPOINT_COMMITS - 10):
            made.append(notice(n))
        file.sync()
        assert file._synced == file._commits
        for n in range(event_file.CHECKPOINT_COMMITS):
            made.append(notice(n))
        # Only the checkpoint waits for better times.
        with pytest.raises(sqlite3.OperationalError):
            file.sync()
        assert file._synced == file._commits
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    file.sync()
    assert file._checkpointed == file._commits
    assert caplog.messages == []
