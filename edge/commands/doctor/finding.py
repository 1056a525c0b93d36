"""A finding of ``edge doctor``: what was found, why it matters, and the command that fixes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Level = Literal["ok", "warning", "failure"]
"""warning: it works, but with a drawback now or later; failure: what the settings ask for cannot work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check. An ``ok`` has neither ``why`` nor ``mend``."""

    check: str
    """Name of the check, such as ``power``."""
    level: Level
    said: str
    """What was found."""
    why: str = ""
    """Why it matters."""
    mend: str = ""
    """The command that fixes it, or that shows whether it is fixed if no command can; to be copied as it is."""

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
    """A finding with nothing to do."""
    return Finding(check, "ok", said)


def warning(check: str, said: str, why: str, mend: str) -> Finding:
    """A finding of something that works, but with a drawback now or later."""
    return Finding(check, "warning", said, why, mend)


def failure(check: str, said: str, why: str, mend: str) -> Finding:
    """A finding of something that the settings ask for and that cannot work."""
    return Finding(check, "failure", said, why, mend)


def last_line(text: str, limit: int = 200) -> str:
    """The last line of a program's output, where Python prints the error; at most ``limit`` characters."""
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    return lines[-1][:limit] if lines else ""
