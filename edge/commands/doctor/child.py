"""The result of a check that ran in a separate Python process."""

from __future__ import annotations

import json
from typing import Any

from edge.commands.doctor.finding import Finding, last_line, warning
from edge.system.command import Done


def answer_of(done: Done) -> Any:
    """The JSON on the last line of its output; None if it did not print it."""
    try:
        return json.loads(last_line(done.out, 10_000)) if done.status == 0 else None
    except ValueError:
        return None


def timed_out(check: str, done: Done) -> Finding:
    """The finding if it took too long, so that the result is unknown."""
    why = "the machine is busy, or a driver hangs: check again, and restart the machine if this stays"
    return warning(check, last_line(done.error), why, "edge doctor")


def problem_of(done: Done) -> str:
    """Why it failed: the last line of its output, or the signal that ended it."""
    if done.status < 0:
        return f"crashes (signal {-done.status})"
    return last_line(done.error) or last_line(done.out) or f"ends with status {done.status}"
