"""The event store: an outbox for the publishers, and the history of the device.

The reading loop calls ``Store.append``; ``Store.outlet`` gives each publisher's thread its own position in the store.
A failing disk never raises here: entries that cannot be written wait in memory, are sent from there, and are written
once that works again. So do they while the database is one of a newer version, which is left as it is.

What ``append`` returned survives the end of the process at once (SIGKILL included), and a power cut five seconds later
(``edge.store.sync``; if the disk really writes what it confirms). A power cut loses the newest events, never some from
the middle. The saved progress of publishers is never ahead of the saved events. Lost events may already have been sent,
and sent events may be sent again.
"""

from __future__ import annotations

import json
import logging
import secrets
import sqlite3
import threading
import time
from collections import deque
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from edge.store.damage import Doubts, NewerError, UnusableError, describe_damage, result_code, set_aside
from edge.store.entry import Entry, Progress, boot_id, uptime
from edge.store.event_file import EventFile
from edge.store.outlet import Outlet
from edge.store.settings import StoreSettings
from edge.store.sync import SyncThread
from edge.system.closing import Closing
from edge.system.text import one_line

log = logging.getLogger(__name__)

FILE = "events.db"
"""Name of the events database in the state folder."""
WAITING_BYTES = 4_000_000
"""Most JSON that waits in memory while the database cannot be written, in characters; beyond that the oldest entries
are dropped. Chosen: several thousand events, and little of a Pi's memory."""
RETRY_SECONDS = 10.0
"""Time between two attempts to open a database that cannot be used. Chosen: soon enough, without load on the disk."""
TRIM_EVERY_APPENDS = 16
"""Appends between two checks of the limits. Chosen: the limits may be exceeded by so few, and appends stay fast."""


class Storable(Protocol):
    """What can be stored: an Event or a Notice."""

    @property
    def at(self) -> datetime:
        """When it happened, UTC."""
        ...

    def as_dict(self) -> dict[str, Any]:
        """Its JSON form, to which the store adds ``device``, ``boot_id`` and ``seq``."""
        ...


class Store(Closing):
    """The events of one device. One process at a time writes to the database; a second one keeps its events in memory.

    The key of an entry is (``boot_id``, ``seq``): the kernel's id of the boot, and a number that goes up by one, also
    over restarts of the program. No key is given twice:

    - A power cut may lose entries, but the next boot has another ``boot_id``.
    - Entries can also be lost within a boot (a backup is restored, a disk is pulled out). Therefore the lock file
      records the last number. If it has none for this boot, numbers begin at the milliseconds since the boot, or after
      the newest in the database, which is enough for fewer than 1,000 events a second.
    - Entries that could not be written get a ``boot_id`` of their process (it begins with the boot's), because a later
      process cannot know their numbers.
    """

    def __init__(self, path: Path, *, device: str, limits: StoreSettings | None = None) -> None:
        """Open or create the database at ``path``; a problem with it is logged as one warning, never raised."""
        self.path = path
        """Where the database is."""
        self._device, self._limits = device, limits or StoreSettings()
        self._boot, self._seq, self._seq_given = boot_id(), int(uptime() * 1000), False
        self._unsaved_boot, self._unsaved_seq = f"{self._boot}-{secrets.token_hex(4)}", 0
        self.position = self._untrimmed = self._waiting_size = self._lost = 0
        self._waiting: deque[Entry] = deque()
        self._outlets: dict[str, Outlet] = {}
        self._file: EventFile | None = None
        self.newest_event: str | None = None
        """The JSON of the newest event (not a notice), also from before the start; any thread may read it."""
        self.newest_message: str | None = None
        """The JSON of what was appended last since the start, event or notice; any thread may read it."""
        self._problem, self._last_try, self._given_up, self.closed = "", float("-inf"), False, False
        self._doubts, self._newest_written = Doubts(), 0
        self.changed = threading.Condition()
        with self.changed:
            self.write()
        self._sync_thread = SyncThread(path, lambda: self._file)

    def append(self, message: Storable) -> Entry:
        """Store a message and wake the publishers: one write that does not wait for the disk.

        The returned entry survives the end of this process, unless a warning said that the database cannot be written.
        """
        at, body = message.at.timestamp(), message.as_dict()
        with self.changed:
            # A database that is opened now may already have higher numbers and positions.
            self._ensure_open()
            self.position += 1
            entry = self._entry(at, body, self._boot, self._seq + 1)
            self._add_waiting(entry)
            if self.write():
                self._seq, self._seq_given = self._seq + 1, True
                if self._file is not None:
                    self._file.record_key(self._boot, self._seq)
            elif self._waiting:
                self._unsaved_seq += 1
                self._waiting_size -= len(self._waiting.pop().text)
                entry = self._entry(at, body, self._unsaved_boot, self._unsaved_seq)
                self._add_waiting(entry)
            self.newest_message = entry.text
            if "event" in body:
                self.newest_event = entry.text
            self._untrimmed += 1
            # If the database was opened again, the entry may have got another position.
            entry = replace(entry, position=self.position)
            self.changed.notify_all()
        return entry

    def outlet(self, name: str) -> Outlet:
        """A publisher's position in the store: where it stopped or, for a new name, after the newest entry."""
        with self.changed:
            if name not in self._outlets:
                known = self._saved_progress().get(name)
                self._outlets[name] = Outlet(self, name, known or Progress(self.position, 0), known is not None)
                self.write(force=True)
            return self._outlets[name]

    def close(self) -> None:
        """Write waiting entries and progress, wake the publishers, close the database; a second call does nothing."""
        with self.changed:
            if not self.closed:
                self._last_try = float("-inf")
                self.write(force=True)
                if self._waiting:
                    log.warning("%s: %d events were never written", self.path, len(self._waiting))
                self.closed = True
                self._close_file()
            self.changed.notify_all()
        self._sync_thread.close()

    # --- the database, usable or not; all of this with ``changed`` held

    def _entry(self, at: float, body: dict[str, Any], boot: str, seq: int) -> Entry:
        body |= {"device": self._device, "boot_id": boot, "seq": seq}
        # A file name that is not UTF-8 has lone surrogates; Python escapes them just as JSON does.
        text = json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
        return Entry(self.position, boot, seq, at, uptime(), text)

    def _add_waiting(self, entry: Entry) -> None:
        self._waiting.append(entry)
        self._waiting_size += len(entry.text)

    def write(self, force: bool = False) -> bool:
        """Write waiting entries and publishers' progress; progress alone only if that is due, or with ``force``.

        False if it could not be written.
        """
        for _ in range(3):  # the second time with the database opened again, the third with a new one
            if not self._ensure_open():
                break
            moved = [o for o in self._outlets.values() if o.needs_saving(force or bool(self._waiting))]
            try:
                if self._waiting or moved:
                    progress = [(outlet.name, outlet.progress) for outlet in moved]
                    self._open_file().write(self._waiting, progress, patient=force)
            except (sqlite3.Error, OSError) as error:
                if self._handle_error(error):
                    continue
                break
            for outlet in moved:
                outlet.mark_saved()
            if self._waiting or moved:
                self._report_recovery()
            self._waiting.clear()
            self._waiting_size, self._newest_written = 0, self.position
            self._trim()
            if self._file is not None and self._file.needs_sync:
                self._sync_thread.request()
            return True
        while self._waiting_size > WAITING_BYTES:
            self._waiting_size -= len(self._waiting.popleft().text)
            self._lost += 1
        return False

    def _trim(self) -> None:
        if self._untrimmed < TRIM_EVERY_APPENDS:
            return
        try:
            sent = min((outlet.progress.done for outlet in self._outlets.values()), default=self.position)
            more = self._open_file().trim(self._limits, sent, self._boot, uptime(), time.time())
            self._untrimmed = self._untrimmed if more else 0
        except (sqlite3.Error, OSError) as error:
            self._handle_error(error)

    def _open_file(self) -> EventFile:
        if self._file is None:
            raise sqlite3.OperationalError("the file is not open")
        return self._file

    def _ensure_open(self) -> bool:
        """Whether the database is open; tries to open it if it is not, at most every RETRY_SECONDS."""
        if self._file is not None and not self._file.exists():
            log.warning("%s: was deleted or replaced; continuing with what is there now", self.path)
            self._close_file()
            self._last_try = float("-inf")
        now = time.monotonic()
        if self._file is not None or self.closed or now - self._last_try < RETRY_SECONDS:
            return self._file is not None
        self._last_try = now
        for _ in range(3):
            try:
                self._file = EventFile(self.path)
                self._resume_numbers(self._file)
                return True
            except (UnusableError, NewerError, sqlite3.Error, OSError) as error:
                if not self._handle_error(error):
                    break
        self._given_up = True
        return False

    def _resume_numbers(self, file: EventFile) -> None:
        """Continue the numbers and positions of the database that was opened."""
        known, self._newest_written = file.outlets(), file.last
        self.newest_event = self.newest_event or file.newest_event()
        recorded = file.last_key[1] if file.last_key and file.last_key[0] == self._boot else None
        floor = self._seq if self._seq_given or recorded is None else 0
        self._seq = max(floor, recorded or 0, file.newest_seq(self._boot) or 0)
        first = self._waiting[0].position if self._waiting else self.position + 1
        shift = max(0, file.last + 1 - first)
        self._waiting = deque(replace(entry, position=entry.position + shift) for entry in self._waiting)
        self.position += shift
        for outlet in self._outlets.values():
            outlet.resume(known.get(outlet.name), shift)

    def _saved_progress(self) -> dict[str, Progress]:
        try:
            return self._open_file().outlets()
        except (sqlite3.Error, OSError) as error:
            if self._file is not None:
                self._handle_error(error)
            return {}

    def _handle_error(self, error: Exception) -> bool:
        """Log a problem and close the database if need be; true if it may be opened again at once."""
        damage = describe_damage(self.path, error)
        step = self._doubts.next_step(self.path, error) if damage else ""
        if step:
            self._close_file()
        if step == "open again":
            self._last_try = float("-inf")
            return True
        if step == "wait":
            damage = "cannot be read by the disk"
        if step == "set aside":
            try:
                backup = set_aside(self.path)
            except OSError:
                pass
            else:
                log.warning("%s: %s; renamed to %s, continuing with a new one", self.path, damage, backup.name)
                self._last_try = float("-inf")
                return True
        elif result_code(error) == sqlite3.SQLITE_IOERR:
            # Opening it again may help. It stays open on a full or read-only disk: what is in it can still be read.
            self._close_file()
            if time.monotonic() - self._last_try >= RETRY_SECONDS:
                return True
        problem = damage or (error.strerror if isinstance(error, OSError) else None) or one_line(error)
        if not self._problem:
            log.warning("%s: %s; events are kept in memory until this is fixed", self.path, problem)
        self._problem = problem
        return False

    def _report_recovery(self) -> None:
        self._doubts.clear()
        if self._problem:
            log.warning("%s: can be written again; %d events were lost", self.path, self._lost)
        self._problem, self._lost = "", 0

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file, self._given_up = None, False

    # --- for outlets, with ``changed`` held too

    @property
    def out_of_reach(self) -> int:
        """Position up to which entries are in a database that cannot be opened now; 0 if it is open."""
        return 0 if self._file is not None else self._newest_written

    def after(self, position: int, limit: int) -> list[Entry]:
        """The next entries after a position; none if they are in a database that is about to be opened again."""
        rows: list[Entry] = []
        while self._file is not None:
            try:
                rows = self._file.after(position, limit)
                break
            except (sqlite3.Error, OSError) as error:
                if not (self._handle_error(error) and self._ensure_open()):
                    return []
        rows += [entry for entry in self._waiting if entry.position > (rows[-1].position if rows else position)]
        if self._file is None and not self._given_up and rows and rows[0].position > position + 1:
            return []
        return rows[:limit]

    def age(self, entry: Entry) -> float:
        """Seconds since an entry was stored; by the wall clock if that was before this boot."""
        return max(0.0, uptime() - entry.up if entry.boot_id.startswith(self._boot) else time.time() - entry.at)
