"""The straight line: a frame comes, is read, and what was read is published; again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from edge.errors import SourceError, WedgedError
from edge.publishers.base import Publisher
from edge.sources.base import Source, State
from edge.system.stopwatch import Stopwatch
from edge.tracking.tracker import Tracker
from edge.types import Frame, Message, Notice, Reading

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tally:
    """What a run came to."""

    frames: int
    """Frames that came and were published."""
    read: int
    """Frames among them in which there were digits."""
    failed: int
    """Files that could not be read; a camera's frames are late, not lost."""


def run(
    source: Source,
    read: Callable[[Frame], Reading | None],
    publishers: Iterable[Publisher],
    *,
    tracker: Tracker | None = None,
    frames: int | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    on_alive: Callable[[State], None] = lambda state: None,
    between_frames: Callable[[], Iterable[Notice]] = tuple,
    stopwatch: Stopwatch | None = None,
) -> Tally:
    """Read frame after frame and publish what was read.

    It ends with the source, after ``frames`` frames, or when ``should_stop()``, asked between frames, is true. A file
    that cannot be read is logged and counted, and the next is tried. A camera that gives nothing within its deadline
    has said so itself, and is asked again; only its WedgedError is raised. A frame of which ``read`` gives None goes
    unread. What ``tracker`` makes of the readings is published after them. ``alive`` is told the source's state after
    each frame that went through and each such wait; a change of it is published. ``between`` is called then, too: it
    may do what must not happen while a frame is read, and what it gives is published. ``watch`` is told when the stages
    ``capture``, ``track`` and ``publish`` end.
    """
    publishers = tuple(publishers)
    came = with_digits = failed = 0
    state: State = "running"
    stopwatch = stopwatch or Stopwatch()

    def publish(message: Message) -> None:
        for publisher in publishers:
            publisher.publish(message)

    while came != frames and not should_stop():
        frame, reason = None, None
        stopwatch.lap()
        try:
            frame = next(source)
        except StopIteration:
            break
        except WedgedError:
            raise
        except SourceError as error:
            if not source.live:
                log.warning("%s", error)
                failed += 1
                continue
            reason = str(error)
        # With a frame in hand it is well, whatever has happened since.
        now: State = "running" if frame is not None else source.state
        if source.live and now != state:
            state = now
            publish(Notice("camera", state, source.name, datetime.now(UTC), reason))
        if frame is not None:
            stopwatch.lap("capture")
            came += 1
            if (reading := read(frame)) is not None:
                stopwatch.lap()
                # Files show one page after another: there is none that something could cover.
                page = frame if source.live else None
                events = tracker.update(reading, time.monotonic(), page) if tracker else ()
                stopwatch.lap("track")
                publish(reading)
                for event in events:
                    publish(event)
                stopwatch.lap("publish")
                with_digits += bool(reading.digits)
            else:
                # The time of a frame that goes unread is nobody's.
                stopwatch.take()
        elif tracker:
            tracker.camera_lost()
        on_alive(now)
        for notice in between_frames():
            publish(notice)
    return Tally(came, with_digits, failed)
