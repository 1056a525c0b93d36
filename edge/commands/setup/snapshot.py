"""Takes a picture with a source and reads it, by ``edge aim``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from edge.commands.doctor.child import answer_of, problem_of
from edge.commands.doctor.machine import aim_command
from edge.system.command import Done
from edge.uri import public


class Snapshot(NamedTuple):
    """What a picture shows, or why there is none."""

    problem: str = ""
    """Why no picture was taken; otherwise empty."""
    said: str = ""
    """Its size, what was read, and the next step that makes the view better."""


def take(source: str, file: Path | None, config: str, run: Callable[..., Done]) -> Snapshot:
    """A picture of that source, with the other settings of ``config`` (empty: the defaults), drawn into ``file``.

    ``run`` runs a command with more environment variables, for a limited time.
    """
    # Not as an argument, which every user of the machine can see: it may have a password.
    done = run(aim_command(config, str(file or "")), EDGE_SOURCE=source)
    aim = answer_of(done)
    if not isinstance(aim, dict):
        why = problem_of(done).removeprefix("edge: ")
        return Snapshot(problem=f"{public(source)}: the picture could not be taken: {why}")
    width, height = aim["size"]
    text = aim["text"].replace("\n", " / ")
    step = f"; {aim['next_step']}" if aim["next_step"] else ""
    return Snapshot(said=f"{width}x{height}, reads {text or 'nothing'}{step}")
