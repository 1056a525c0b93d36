"""A finding of ``edge doctor``: how it is, why that matters, and the command that mends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Level = Literal["ok", "warning", "failure"]
"""A warning costs something or will; with a failure, what the settings ask for cannot work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. Where all is well it has neither ``why`` nor ``mend``."""

    check: str
    """What was looked at, one word: ``power``."""
    level: Level
    said: str
    """What was found there."""
    why: str = ""
    """Why it matters."""
    mend: str = ""
    """The command that mends it, or shows whether hands have; to be copied as it stands."""

    def as_dict(self) -> dict[str, Any]:
        """As ``edge/schema/doctor.json`` describes it."""
        return {
            "check": self.check,
            "level": self.level,
            "said": self.said,
            "why": self.why or None,
            "mend": self.mend or None,
        }


def ok(check: str, said: str) -> Finding:
    """All is well."""
    return Finding(check, "ok", said)


def warning(check: str, said: str, why: str, mend: str) -> Finding:
    """It works, but costs something, or soon will."""
    return Finding(check, "warning", said, why, mend)


def failure(check: str, said: str, why: str, mend: str) -> Finding:
    """What the settings ask for cannot work."""
    return Finding(check, "failure", said, why, mend)


def last_line(text: str, most: int = 200) -> str:
    """The last line of what a program said, which is where Python has the error; at most so many characters."""
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    return lines[-1][:most] if lines else ""
