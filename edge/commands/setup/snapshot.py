"""Takes a picture with a source and reads it, in a process of its own: a camera's driver may crash or hang."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from edge.commands.doctor.child import answer_of, problem_of
from edge.errors import EdgeError, ImageError, SourceError
from edge.settings import load_settings
from edge.system.command import Done, python
from edge.types import Frame
from edge.uri import public

FIRST_FRAME_SECONDS = 20.0
"""Longest wait for the first frame. Chosen: twice what a Pi's camera may take to start."""
SETTLE_SECONDS = 3.0
"""A live camera is looked at for this long before its picture is taken: by then it has found its exposure and focus.
Chosen."""
PROGRAM = "from edge.commands.setup.snapshot import main; main()"


class Snapshot(NamedTuple):
    """A picture that was taken, and what was read on it; or why there is none."""

    problem: str = ""
    """Why no picture was taken; otherwise empty."""
    picture: str = ""
    """The file with the picture and what was read; empty if it could not be written."""
    width: int = 0
    """Of the camera's frame, pixels."""
    height: int = 0
    """Of the camera's frame, pixels."""
    text: str = ""
    """What was read; lines are separated by ``/``."""
    reason: str = ""
    """Why nothing was read, if nothing was."""
    advice: str = ""
    """The next step that makes the view better; empty if it is good."""

    @property
    def said(self) -> str:
        """What the picture shows, for people."""
        seen = f"{self.width}x{self.height}, reads {self.text or f'nothing ({self.reason})'}"
        return f"{seen}; {self.advice}" if self.advice else seen


def take(source: str, file: Path, config: str, run: Callable[..., Done]) -> Snapshot:
    """A picture of that source, with the other settings of ``config`` (empty: the defaults).

    ``run`` runs a command with more environment variables, for a limited time.
    """
    # Not as an argument, which every user of the machine can see: it may have a password.
    done = run(python(PROGRAM, str(file), config), EDGE_SOURCE=source)
    answer = answer_of(done)
    if isinstance(answer, dict):
        return Snapshot(**answer)
    return Snapshot(problem=f"{public(source)}: the picture could not be taken: {problem_of(done)}")


def main() -> None:
    """Take a picture with the source of the settings into the file that is named; print a Snapshot as JSON, and end."""
    file, config = sys.argv[1:]
    try:
        answer = _snapshot(Path(file), config)
    except EdgeError as error:
        answer = Snapshot(problem=str(error))
    print(json.dumps(answer._asdict()), flush=True)
    # A thread may still hang in the driver.
    os._exit(0)


def _snapshot(file: Path, config: str) -> Snapshot:
    from edge.commands.arguments import reader_of
    from edge.images import save
    from edge.reading.aim import aim_of
    from edge.reading.annotate import annotate

    settings = load_settings(config or None)
    frame = _frame(settings.source)
    with reader_of(settings) as reader:
        analysis = reader.analyse(frame)
    picture = str(file)
    try:
        save(annotate(frame.pixels, analysis), file)
    except ImageError:
        # What is read is told all the same.
        picture = ""
    height, width = frame.pixels.shape
    reading = analysis.reading
    step = aim_of(frame, analysis).step
    text = " / ".join(reading.lines)
    return Snapshot("", picture, width, height, text, reading.reason or "", step.text if step else "")


def _frame(source: str) -> Frame:
    """The first frame of files, or the newest one of a camera once it has settled. Raises SourceError."""
    from edge.sources import open_source

    with open_source(source) as frames:
        until, frame = time.monotonic() + FIRST_FRAME_SECONDS, None
        while frame is None:
            try:
                frame = next(frames)
            except StopIteration as error:
                raise SourceError(f"{frames.name}: has no picture") from error
            except SourceError:
                if time.monotonic() > until or not frames.live:
                    raise
        until = time.monotonic() + (SETTLE_SECONDS if frames.live else 0)
        while time.monotonic() < until:
            try:
                frame = next(frames)
            except (StopIteration, SourceError):
                break
        return frame
