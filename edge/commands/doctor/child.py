"""How a Python of its own ended, in which something was tried."""

from __future__ import annotations

import json
from typing import Any

from edge.commands.doctor.finding import Finding, last_line, warning
from edge.commands.doctor.machine import Done


def answer_of(done: Done) -> Any:
    """The JSON of a child's last line; None where it did not get there."""
    try:
        return json.loads(last_line(done.out, 10_000)) if done.status == 0 else None
    except ValueError:
        return None


def slow(check: str, done: Done) -> Finding:
    """It took too long: neither right nor wrong."""
    why = "the machine is busy, or a driver hangs; look again, and start it anew when that says the same"
    return warning(check, last_line(done.error), why, "edge doctor")


def ended(done: Done) -> str:
    """How a child that failed ended: its last line, or the signal that it died of."""
    if done.status < 0:
        return f"crashes (signal {-done.status})"
    return last_line(done.error) or last_line(done.out) or f"ends with status {done.status}"
