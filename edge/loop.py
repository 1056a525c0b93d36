"""The main loop: take the next frame, read it, track it, publish the result."""

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
from edge.tracking.pages import PageEvents
from edge.tracking.tracker import Tracker
from edge.types import Frame, Message, Notice, Reading

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tally:
    """What a run counted."""

    frames: int
    """Frames that the source gave."""
    read: int
    """Frames in which digits were read."""
    failed: int
    """Files that could not be read. A camera that gives no frame is not counted: it is asked again."""


def run(
    source: Source,
    read: Callable[[Frame], Reading | None],
    publishers: Iterable[Publisher],
    *,
    tracker: Tracker | PageEvents | None = None,
    frames: int | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    on_alive: Callable[[State], None] = lambda state: None,
    between_frames: Callable[[], Iterable[Notice]] = tuple,
    stopwatch: Stopwatch | None = None,
) -> Tally:
    """Read frame after frame and publish the results.

    The loop ends when the source ends, after ``frames`` frames, or when ``should_stop()``, called before each frame, is
    true. A file that cannot be read is logged and counted, and the loop goes on with the next. A camera that gives no
    frame within its deadline is asked again (it logs that itself); only its WedgedError is raised. If ``read`` gives
    None, the frame was not read and nothing is published. The events of ``tracker`` are published after the reading
    that they come from.

    After each frame, and after each time that a camera gave none, ``on_alive`` is called with the source's state (a
    change of the state is published as a notice), and then ``between_frames``, for what must not happen while a frame
    is read; the notices it gives are published. ``stopwatch`` measures the stages ``capture``, ``track`` and
    ``publish``.
    """
    publishers = tuple(publishers)
    frame_count = with_digits = failed = 0
    state: State = "running"
    stopwatch = stopwatch or Stopwatch()

    def publish(message: Message) -> None:
        for publisher in publishers:
            publisher.publish(message)

    while frame_count != frames and not should_stop():
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
        # A camera that just gave a frame is running, even if it has failed since.
        now: State = "running" if frame is not None else source.state
        if source.live and now != state:
            state = now
            # A source that waits for files is well, though it gave none.
            why = None if state == "running" else reason
            publish(Notice("camera", state, source.name, datetime.now(UTC), why))
        if frame is not None:
            stopwatch.lap("capture")
            frame_count += 1
            if (reading := read(frame)) is not None:
                stopwatch.lap()
                # Without a camera there is no page that a hand could cover: no frame for the tracker.
                page = frame if source.live else None
                events = tracker.update(reading, time.monotonic(), page) if tracker else ()
                stopwatch.lap("track")
                publish(reading)
                for event in events:
                    publish(event)
                stopwatch.lap("publish")
                with_digits += bool(reading.digits)
            else:
                # The time of a frame that was not read counts for no stage.
                stopwatch.take()
        elif tracker:
            tracker.camera_lost()
        on_alive(now)
        for notice in between_frames():
            publish(notice)
    return Tally(frame_count, with_digits, failed)
