"""Prints the findings of ``edge doctor`` as text and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from edge.commands.doctor.finding import Finding, Level
from edge.system.version import __version__

COLOURS: dict[Level, str] = {"ok": "\033[32m", "warning": "\033[33m", "failure": "\033[31m"}
"""Green, yellow and red, as control sequences (SGR of ECMA-48)."""
PLAIN = "\033[0m"
"""Ends a colour."""
WIDTH = 80
"""Characters per line: a terminal's usual width. Only a command may be longer, as it has to be copied as one line."""
LEVEL_WIDTH, CHECK_WIDTH = 9, 13
"""Characters of the first two columns."""


def lines(finding: Finding, colour: bool = False) -> str:
    """One finding as lines: what was found and, below, why it matters and the command that fixes it."""
    margin = " " * (LEVEL_WIDTH + CHECK_WIDTH)

    def wrapped(text: str, first: str) -> str:
        return textwrap.fill(
            text, WIDTH, initial_indent=first, subsequent_indent=margin, break_long_words=False, break_on_hyphens=False
        )

    head = f"{finding.level:{LEVEL_WIDTH}}{finding.check:{CHECK_WIDTH}}"
    said = wrapped(finding.said, head)
    if colour:
        said = said.replace(finding.level, f"{COLOURS[finding.level]}{finding.level}{PLAIN}", 1)
    why = [wrapped(finding.why, margin)] if finding.why else []
    return "\n".join([said, *why, *([f"{margin}$ {finding.mend}"] if finding.mend else [])])


def summary(findings: Iterable[Finding]) -> str:
    """The number of findings of each level."""
    levels: list[str] = [finding.level for finding in findings]
    parts = [f"{levels.count(level)} {level}{'s' * (levels.count(level) != 1)}" for level in ("warning", "failure")]
    return f"{levels.count('ok')} ok, {', '.join(parts)}."


def as_dict(findings: Sequence[Finding]) -> dict[str, Any]:
    """All findings, as ``edge/schema/doctor.json`` describes them."""
    return {"schema": 1, "edge": __version__, "findings": [finding.as_dict() for finding in findings]}
