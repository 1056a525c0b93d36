"""The straight line: a frame comes, is read, and what was read is published; again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from edge.errors import SourceError, WedgedError
from edge.publishers import Publisher
from edge.sources import Source, State
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
    read: Callable[[Frame], Reading],
    publishers: Iterable[Publisher],
    *,
    frames: int | None = None,
    stopping: Callable[[], bool] = lambda: False,
    alive: Callable[[State], None] = lambda state: None,
    between: Callable[[], Iterable[Notice]] = tuple,
) -> Tally:
    """Read frame after frame and publish what was read.

    It ends with the source, after ``frames`` frames, or when ``stopping()``, asked between frames, is true. A file
    that cannot be read is logged and counted, and the next is tried. A camera that gives nothing within its deadline
    has said so itself, and is asked again; only its WedgedError is raised. ``alive`` is told the source's state after
    each frame that went through and each such wait; a change of it is published. ``between`` is called then, too: it
    may do what must not happen while a frame is read, and what it gives is published.
    """
    publishers = tuple(publishers)
    came = with_digits = failed = 0
    state: State = "running"

    def publish(message: Message) -> None:
        for publisher in publishers:
            publisher.publish(message)

    while came != frames and not stopping():
        frame, reason = None, None
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
        if source.live and source.state != state:
            state = source.state
            publish(Notice("camera", state, source.name, datetime.now(UTC), reason))
        if frame is not None:
            reading = read(frame)
            publish(reading)
            came += 1
            with_digits += bool(reading.digits)
        alive("running" if frame is not None else source.state)
        for notice in between():
            publish(notice)
    return Tally(came, with_digits, failed)
