"""``files:FOLDER?watch=1``: files that arrive in a folder, as scanners, phones and FTP servers put them there."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from edge.errors import ImageError, SourceError
from edge.images import decode
from edge.sources.base import DEADLINE_SECONDS, SLICE_SECONDS, Pace, Source, State
from edge.sources.folder_watch import FolderWatch
from edge.sources.image_paths import is_image_name
from edge.system.text import readable
from edge.types import Frame

log = logging.getLogger(__name__)


class Arrivals(Source):
    """Each file that arrives in a folder is one frame. What is there at the start is not read.

    The folder may be away for a while. ``next()`` raises SourceError if nothing comes for a moment: call it again.
    """

    live = True
    pages = True

    def __init__(self, folder: Path, pace: Pace) -> None:
        """``pace`` limits the frames per second. Raises SourceError if the folder is a file."""
        if folder.exists() and not folder.is_dir():
            raise SourceError(f"{readable(str(folder))}: is not a folder; watch is for the files that arrive in one")
        self.name = f"files:{readable(str(folder))}"
        self.state: State = "running"
        self.waited_at = time.monotonic()
        self._watch = FolderWatch(folder, is_image_name)
        self._pace = pace
        self._index = 0
        self._said: str | None = None
        self._stopped = False

    def __next__(self) -> Frame:
        """The next file that has arrived. Raises SourceError if none comes for 2 s, or the folder is away."""
        self._tell()
        until = time.monotonic() + DEADLINE_SECONDS
        while not self._stopped:
            self._watch.wait(0)
            if (frame := self._take()) is not None:
                return frame
            if (left := until - time.monotonic()) <= 0:
                raise SourceError(self._watch.problem or f"{self.name}: no file has arrived for {DEADLINE_SECONDS:g} s")
            self._watch.wait(min(left, SLICE_SECONDS))
            self._tell()
        raise StopIteration

    def _take(self) -> Frame | None:
        """The next file that can be read; None if no other has arrived."""
        while not self._stopped:
            try:
                arrival = self._watch.take()
                if arrival is None:
                    return None
                name = readable(str(arrival.path))
                pixels = decode(arrival.content, name)
            except ImageError as error:
                log.warning("%s", error)
                continue
            if not self._pace.wait():
                return None
            self._index += 1
            return Frame(pixels, name, self._index - 1, arrival.at)
        return None

    def _tell(self) -> None:
        """Set the state, and log once when the folder goes away or comes back."""
        problem = self.problem = self._watch.problem
        self.state = "reopening" if problem else "running"
        if not problem:
            self.waited_at = time.monotonic()
        if problem == self._said:
            return
        first, self._said = self._said is None, problem
        if problem:
            log.warning("%s (retrying until it works)", problem)
        else:
            there = self._watch.already_there
            more = f"; {there} that are there already are not read" if first and there else ""
            log.warning("%s: waiting for files%s", self.name, more)

    def stop(self) -> None:
        """End the iteration, also a wait for the next file, within 0.1 s."""
        self._stopped = True
        self._pace.stop()

    def close(self) -> None:
        """End the watch."""
        self._stopped = True
        self._watch.close()
