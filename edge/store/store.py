"""What happened, kept until every publisher has sent it, and after that as history.

``Store.append`` is the loop's; ``Store.outlet`` gives each publisher's thread its own place in the line. Nothing here
raises because a disk is bad: what cannot be written waits in memory, is sent from there, and is written when it can be.

What ``append`` has given survives the end of the process at once, SIGKILL too, and a power cut five seconds later
(``edge.store.sync``; as far as the disk does what it says). A power cut takes the newest events first and none from the
middle, and of how far publishers got it never keeps more than of the events: what is lost may have been sent, what was
sent may be sent again.
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

from edge.store.damage import Unusable, damage, result_code, set_aside
from edge.store.entry import Entry, Progress, boot_id, uptime
from edge.store.event_file import EventFile
from edge.store.outlet import Outlet
from edge.store.settings import StoreSettings
from edge.store.sync import SyncThread
from edge.system.closing import Closing
from edge.system.text import one_line

log = logging.getLogger(__name__)

FILE = "events.db"
"""The file's name in the state folder."""
WAITING_BYTES = 4_000_000
"""What may wait in memory, in characters of JSON: beyond, the oldest goes."""
RETRY_SECONDS = 10.0
"""A file that cannot be used is tried again after this."""
TRIM_EVERY = 16
"""Appends from one look at the limits to the next."""


class Storable(Protocol):
    """What can be kept: an Event, a Notice."""

    @property
    def at(self) -> datetime:
        """When it happened, UTC."""
        ...

    def as_dict(self) -> dict[str, Any]:
        """Its JSON form, to which the store adds ``device``, ``boot_id`` and ``seq``."""
        ...


class Store(Closing):
    """The events of one device. One process at a time writes to a file; a second one keeps its events in memory.

    The key of an entry is (``boot_id``, ``seq``): the kernel's name of the boot, and a number that goes up by one, over
    restarts too. What a power cut took was of another boot. The number that was given last is noted beside the file,
    which may lose its end without a new boot (a copy is put back, a disk is pulled out); with no note of this boot,
    numbers begin at the milliseconds since the boot, or after the newest in the file: none is given twice with fewer
    than 1,000 events a second. What could not be written has a ``boot_id`` of its process, which begins with the
    boot's: nobody after it knows these numbers.
    """

    def __init__(self, path: Path, *, device: str, limits: StoreSettings | None = None) -> None:
        """Open or make the file; what is wrong with it is one warning, never an error."""
        self.path = path
        """Of the file."""
        self._device, self._limits = device, limits or StoreSettings()
        self._boot, self._seq, self._counting = boot_id(), int(uptime() * 1000), False
        self._apart, self._seq_apart = f"{self._boot}-{secrets.token_hex(4)}", 0
        self.position = self._appended = self._waiting_size = self._lost = 0
        self._waiting: deque[Entry] = deque()
        self._outlets: dict[str, Outlet] = {}
        self._file: EventFile | None = None
        self.newest: str | None = None
        """The JSON of the newest event (no notice), also from before the start; any thread may look."""
        self.told: str | None = None
        """The JSON of what was appended last, event or notice."""
        self._trouble, self._tried, self._given_up, self.closed = "", float("-inf"), False, False
        self.changed = threading.Condition()
        with self.changed:
            self.write()
        self._keeper = SyncThread(path, lambda: self._file)

    def append(self, message: Storable) -> Entry:
        """Keep a message, and wake the publishers: one write that does not wait for the disk.

        What it gives survives the end of this process, unless a warning said that the file cannot be written.
        """
        at, body = message.at.timestamp(), message.as_dict()
        with self.changed:
            # A file that is opened now may know of higher numbers, and positions.
            self._opened()
            self.position += 1
            entry = self._entry(at, body, self._boot, self._seq + 1)
            self._wait(entry)
            if self.write():
                self._seq, self._counting = self._seq + 1, True
                if self._file is not None:
                    self._file.note(self._boot, self._seq)
            elif self._waiting:
                self._seq_apart += 1
                self._waiting_size -= len(self._waiting.pop().text)
                entry = self._entry(at, body, self._apart, self._seq_apart)
                self._wait(entry)
            self.told = entry.text
            if "event" in body:
                self.newest = entry.text
            self._appended += 1
            # A file that is opened again may have moved it to another place.
            entry = replace(entry, position=self.position)
            self.changed.notify_all()
        return entry

    def outlet(self, name: str) -> Outlet:
        """A publisher's place in the line: where it stopped, or, for a new name, at what comes from now on."""
        with self.changed:
            if name not in self._outlets:
                known = self._recorded().get(name)
                self._outlets[name] = Outlet(self, name, known or Progress(self.position, 0), known is not None)
                self.write(unhurried=False)
            return self._outlets[name]

    def close(self) -> None:
        """Write what waits and how far publishers got, wake them, and close the file; a second call does nothing."""
        with self.changed:
            if not self.closed:
                self._tried = float("-inf")
                self.write(unhurried=False)
                if self._waiting:
                    log.warning("%s: %d events were never written", self.path, len(self._waiting))
                self.closed = True
                self._shut()
            self.changed.notify_all()
        self._keeper.close()

    # --- the file, good or bad; all of this with ``changed`` held

    def _entry(self, at: float, body: dict[str, Any], boot: str, seq: int) -> Entry:
        body |= {"device": self._device, "boot_id": boot, "seq": seq}
        # A file name that is no UTF-8 has lone surrogates, and Python's escape of one is JSON's too.
        text = json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
        return Entry(self.position, boot, seq, at, uptime(), text)

    def _wait(self, entry: Entry) -> None:
        self._waiting.append(entry)
        self._waiting_size += len(entry.text)

    def write(self, unhurried: bool = True) -> bool:
        """Write what waits, and with it how far publishers got (alone only where that is due, or not ``unhurried``).

        False where it could not be written.
        """
        for _ in range(2):  # once more with a fresh file, where this one is damaged
            if not self._opened():
                break
            moved = [outlet for outlet in self._outlets.values() if outlet.moved(unhurried and not self._waiting)]
            try:
                if self._waiting or moved:
                    self._use().write(self._waiting, [(outlet.name, outlet.progress) for outlet in moved])
            except (sqlite3.Error, OSError) as error:
                if self._failed(error):
                    continue
                break
            for outlet in moved:
                outlet.written()
            if self._waiting or moved:
                self._worked()
            self._waiting.clear()
            self._waiting_size = 0
            self._trim()
            if self._file is not None and self._file.unsettled:
                self._keeper.call()
            return True
        while self._waiting_size > WAITING_BYTES:
            self._waiting_size -= len(self._waiting.popleft().text)
            self._lost += 1
        return False

    def _trim(self) -> None:
        if self._appended < TRIM_EVERY:
            return
        try:
            more = self._use().trim(self._limits, self._boot, uptime(), time.time())
            self._appended = self._appended if more else 0
        except (sqlite3.Error, OSError) as error:
            self._failed(error)

    def _use(self) -> EventFile:
        if self._file is None:
            raise sqlite3.OperationalError("the file is not open")
        return self._file

    def _opened(self) -> bool:
        """Whether the file is open, now or again."""
        if self._file is not None and not self._file.is_there():
            log.warning("%s: was taken away; going on with a new one", self.path)
            self._shut()
            self._tried = float("-inf")
        now = time.monotonic()
        if self._file is not None or self.closed or now - self._tried < RETRY_SECONDS:
            return self._file is not None
        self._tried = now
        for _ in range(2):
            try:
                self._file = EventFile(self.path)
                self._adopt(self._file)
                return True
            except (Unusable, sqlite3.Error, OSError) as error:
                if not self._failed(error):
                    break
        self._given_up = True
        return False

    def _adopt(self, file: EventFile) -> None:
        """Go on with the numbers of the file that was opened."""
        known = file.outlets()
        self.newest = self.newest or file.newest_event()
        noted = file.given[1] if file.given and file.given[0] == self._boot else None
        floor = self._seq if self._counting or noted is None else 0
        self._seq = max(floor, noted or 0, file.newest_seq(self._boot) or 0)
        begins = self._waiting[0].position if self._waiting else self.position + 1
        shift = max(0, file.last + 1 - begins)
        self._waiting = deque(replace(entry, position=entry.position + shift) for entry in self._waiting)
        self.position += shift
        for outlet in self._outlets.values():
            outlet.adopt(known.get(outlet.name), shift)

    def _recorded(self) -> dict[str, Progress]:
        try:
            return self._use().outlets()
        except (sqlite3.Error, OSError) as error:
            if self._file is not None:
                self._failed(error)
            return {}

    def _failed(self, error: Exception) -> bool:
        """Take note of what went wrong; true where the file may be opened again at once."""
        wrong = damage(self.path, error)
        if wrong:
            self._shut()
            try:
                kept = set_aside(self.path)
            except OSError:
                pass
            else:
                log.warning("%s: %s; it is kept as %s, going on with a new one", self.path, wrong, kept.name)
                self._tried = float("-inf")
                return True
        elif result_code(error) == sqlite3.SQLITE_IOERR:
            # Opened again it may work. Where there is no room, or no leave to write, what is there can still be read.
            self._shut()
            if time.monotonic() - self._tried >= RETRY_SECONDS:
                return True
        words = wrong or (error.strerror if isinstance(error, OSError) else None) or one_line(error)
        if not self._trouble:
            log.warning("%s: %s; events are kept in memory until that is mended", self.path, words)
        self._trouble = words
        return False

    def _worked(self) -> None:
        if self._trouble:
            log.warning("%s: is written again; %d events were lost", self.path, self._lost)
        self._trouble, self._lost = "", 0

    def _shut(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file, self._given_up = None, False

    # --- for outlets, with ``changed`` held too

    def after(self, position: int, limit: int) -> list[Entry]:
        """The next entries after a position; none where the file that has them is about to be opened again."""
        rows: list[Entry] = []
        if self._file is not None:
            try:
                rows = self._file.after(position, limit)
            except (sqlite3.Error, OSError) as error:
                if not (self._failed(error) and self._opened()):
                    return []
        rows += [entry for entry in self._waiting if entry.position > (rows[-1].position if rows else position)]
        if self._file is None and not self._given_up and rows and rows[0].position > position + 1:
            return []
        return rows[:limit]

    def age(self, entry: Entry) -> float:
        """Seconds since it was stored; by the wall's clock where that was before this boot."""
        return max(0.0, uptime() - entry.up if entry.boot_id.startswith(self._boot) else time.time() - entry.at)
