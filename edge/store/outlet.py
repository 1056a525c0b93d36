"""A publisher's position in the store: which entries it has still to send."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import Protocol

from edge.store.entry import Entry, Progress
from edge.system.closing import Closing

PROGRESS_SECONDS = 5.0
"""Progress is saved with the next event, or alone at most this often. Chosen: saving it for each entry would wear out
the memory card; after a crash, what was sent within this time is sent again."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What a publisher has still to send."""

    count: int
    """Entries to send; slightly too high if some in the middle were lost."""
    oldest_seconds: float
    """Age of the oldest of them; 0 if there is none."""
    dropped: int
    """Entries that were deleted before they could be sent, counted since the publisher's first use, over restarts."""


class Queue(Protocol):
    """What an outlet needs of the store. ``changed`` must be held for all of it."""

    changed: threading.Condition
    """Notified of every new entry, and when the store closes."""
    position: int
    """Position of the newest entry."""
    closed: bool
    """Whether no more entries will come."""

    @property
    def out_of_reach(self) -> int:
        """Position up to which entries are in a database that cannot be opened now; 0 if it is open."""
        ...

    def write(self, force: bool = False) -> bool:
        """Save the progress of outlets for which that is due, or of all that moved if ``force``."""
        ...

    def after(self, position: int, limit: int) -> list[Entry]:
        """The next entries after a position."""
        ...

    def age(self, entry: Entry) -> float:
        """Seconds since an entry was stored."""
        ...


class Outlet(Closing):
    """A publisher's position in the store, for that publisher's thread. Entries come in order, each at least once.

    ``while …: for entry in outlet.pending(): send; outlet.done(entry.position)``, then ``outlet.wait(seconds)``. If the
    process is killed, what it sent in the last seconds is pending again at the next start, with the same keys.
    """

    def __init__(self, queue: Queue, name: str, progress: Progress, known: bool) -> None:
        """Made by ``Store.outlet``; ``known`` is whether the database had this progress."""
        self.name, self.progress = name, progress
        self._queue, self._known = queue, known
        self._moved, self._saved_at = not known, float("-inf")
        self._woken, self._empty_at = False, 0
        self._skipped_from: int | None = None
        """Where it was before it skipped entries of a database that cannot be opened; None if it skipped none."""

    def pending(self, limit: int = 100) -> list[Entry]:
        """The oldest entries that are not done, in order; empty if there are none."""
        with self._queue.changed:
            return self._next_entries(limit)

    def done(self, upto: int) -> None:
        """Mark all entries up to this position as sent; saved with the next event, or some seconds later."""
        with self._queue.changed:
            if upto > self.progress.done:
                self.progress = replace(self.progress, done=min(upto, self._queue.position))
                self._moved = True
            self._queue.write()

    def wait(self, seconds: float) -> bool:
        """Wait for an entry that is not done; false if none came in time, or ``wake`` was called."""
        queue = self._queue
        with queue.changed:
            queue.changed.wait_for(lambda: self._ready() or self._woken or queue.closed, seconds)
            self._woken = False
            queue.write()
            return self._ready()

    def wake(self) -> None:
        """End the wait of another thread, or the next one; for example to stop it."""
        with self._queue.changed:
            self._woken = True
            self._queue.changed.notify_all()

    def backlog(self) -> Backlog:
        """How many entries are to be sent, how old the oldest is, and how many were lost."""
        with self._queue.changed:
            oldest = self._next_entries(1)
            count = self._queue.position - self.progress.done if oldest else 0
            return Backlog(count, self._queue.age(oldest[0]) if oldest else 0.0, self.progress.dropped)

    def close(self) -> None:
        """Save the progress."""
        with self._queue.changed:
            self._queue.write(force=True)

    # --- called by the store, or with its ``changed`` held

    def _ready(self) -> bool:
        return self._queue.position > max(self.progress.done, self._empty_at)

    def _next_entries(self, limit: int) -> list[Entry]:
        """What is pending. Entries that are missing before the first one were deleted: they are counted as dropped.

        Those in a database that cannot be opened now are sent when it can be, and what follows them once more.
        """
        entries = self._queue.after(self.progress.done, limit)
        missing = entries[0].position - 1 - self.progress.done if entries else 0
        if missing > 0:
            done = self.progress.done
            skipped = min(missing, max(0, self._queue.out_of_reach - done))
            if skipped and self._skipped_from is None:
                self._skipped_from = done
            self.progress = Progress(done + missing, self.progress.dropped + missing - skipped)
            self._moved = True
        # If nothing can be had now, look again only when something new comes, or when the wait ends.
        self._empty_at = 0 if entries else self._queue.position
        return entries

    def needs_saving(self, force: bool) -> bool:
        """Whether its progress is to be saved now: it moved, and the last save is long enough ago or ``force``."""
        return self._moved and (force or time.monotonic() - self._saved_at >= PROGRESS_SECONDS)

    def mark_saved(self) -> None:
        """Its progress is in the database."""
        self._moved, self._saved_at, self._known = False, time.monotonic(), True

    def resume(self, recorded: Progress | None, shift: int) -> None:
        """The database was opened: continue at its recorded progress, unless this outlet already has its own.

        Its own moves by ``shift``, as the positions of the waiting entries do.
        """
        if recorded and not self._known:
            self.progress = Progress(recorded.done, recorded.dropped + self.progress.dropped)
        else:
            done = self.progress.done if self._skipped_from is None else self._skipped_from
            self.progress = replace(self.progress, done=done + shift)
        self._skipped_from = None
        self._known = self._moved = True
