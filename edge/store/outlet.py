"""A publisher's place in the line of what is stored."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import Protocol

from edge.store.entry import Entry, Progress
from edge.system.closing import Closing

PROGRESS_SECONDS = 5.0
"""How far a publisher got is written down this often at most, or with the next event: cards wear out."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What a publisher has still to send."""

    count: int
    """Entries; a few too many where some in the middle were lost."""
    oldest_seconds: float
    """Age of the oldest of them; 0 where there is none."""
    dropped: int
    """Entries that it will never send, as they were gone before: since its name was first used, over restarts."""


class Line(Protocol):
    """What an outlet needs of the store; all of it only with ``changed`` held."""

    changed: threading.Condition
    """Told of every entry, and of the end."""
    position: int
    """Of the newest entry."""
    closed: bool
    """Whether there will be no more."""

    def write(self, unhurried: bool = True) -> bool:
        """Write down how far outlets got, where that is due or not ``unhurried``."""
        ...

    def after(self, position: int, limit: int) -> list[Entry]:
        """The next entries after a position."""
        ...

    def age(self, entry: Entry) -> float:
        """Seconds since it was stored."""
        ...


class Outlet(Closing):
    """A publisher's place in the line, for the publisher's own thread: in order, each at least once.

    ``while …: for entry in outlet.pending(): send; outlet.done(entry.position)``, then ``outlet.wait(seconds)``. After
    the process was killed, what was sent in its last seconds is pending again, with the same keys.
    """

    def __init__(self, line: Line, name: str, progress: Progress, known: bool) -> None:
        """Made by ``Store.outlet``; ``known`` is whether the file had this progress."""
        self.name, self.progress = name, progress
        self._line, self._known = line, known
        self._moved, self._written = not known, float("-inf")
        self._awake, self._looked = False, 0

    def pending(self, limit: int = 100) -> list[Entry]:
        """The oldest entries that are not done, in order; empty where there are none."""
        with self._line.changed:
            return self._look(limit)

    def done(self, upto: int) -> None:
        """All entries up to this position are sent; written down with the next event, or some seconds later."""
        with self._line.changed:
            if upto > self.progress.done:
                self.progress = replace(self.progress, done=min(upto, self._line.position))
                self._moved = True
            self._line.write()

    def wait(self, seconds: float) -> bool:
        """Wait until there is an entry that is not done; false where none came in time, or somebody called ``wake``."""
        line = self._line
        with line.changed:
            line.changed.wait_for(lambda: self._ready() or self._awake or line.closed, seconds)
            self._awake = False
            line.write()
            return self._ready()

    def wake(self) -> None:
        """End the wait of another thread, or the next one: to stop, for example."""
        with self._line.changed:
            self._awake = True
            self._line.changed.notify_all()

    def backlog(self) -> Backlog:
        """What has still to be sent, how old it is, and what was lost."""
        with self._line.changed:
            oldest = self._look(1)
            count = self._line.position - self.progress.done if oldest else 0
            return Backlog(count, self._line.age(oldest[0]) if oldest else 0.0, self.progress.dropped)

    def close(self) -> None:
        """Write down how far it got."""
        with self._line.changed:
            self._line.write(unhurried=False)

    # --- the store's, with its ``changed`` held

    def _ready(self) -> bool:
        return self._line.position > max(self.progress.done, self._looked)

    def _look(self, limit: int) -> list[Entry]:
        """What is pending; what is missing before it is gone, and counted."""
        entries = self._line.after(self.progress.done, limit)
        gone = entries[0].position - 1 - self.progress.done if entries else 0
        if gone > 0:
            self.progress = Progress(self.progress.done + gone, self.progress.dropped + gone)
            self._moved = True
        # Nothing to be had now: not worth a look before something new comes, or the wait ends.
        self._looked = 0 if entries else self._line.position
        return entries

    def moved(self, unhurried: bool) -> bool:
        """Whether its progress is to be written: in no hurry only when the last time is some seconds ago."""
        return self._moved and not (unhurried and time.monotonic() - self._written < PROGRESS_SECONDS)

    def written(self) -> None:
        """Its progress is in the file."""
        self._moved, self._written, self._known = False, time.monotonic(), True

    def adopt(self, recorded: Progress | None, shift: int) -> None:
        """The file was opened: go on where it says, unless it has been asked before."""
        if recorded and not self._known:
            self.progress = Progress(recorded.done, recorded.dropped + self.progress.dropped)
        else:
            self.progress = replace(self.progress, done=self.progress.done + shift)
        self._known = self._moved = True
