"""Shows a view on a terminal, as a line and as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator

from edge.commands.aim.watcher import Watcher
from edge.reading.aim import Aim
from edge.system.text import printable
from edge.vision.flicker import STRONG
from edge.vision.view_quality import NEEDED_HEIGHT

ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
"""Switch to an empty screen without a cursor, and back to the earlier one: xterm's control sequences."""
REDRAW_SECONDS = 0.1
"""Least time between two drawings. Chosen."""
BAR = 30
"""Length of the bar, characters."""
LIGHT = {"enough": "enough", "dark": "too dark", "bright": "over-exposed", "noisy": "too little: noise"}
UNKNOWN = "-"
"""Shown for what could not be measured."""


def screen(name: str, watcher: Watcher, problem: str, columns: int, rows: int) -> str:
    """Control sequences and text that draw the newest frame's aim over the terminal's screen.

    ``name``: the source's; ``problem``: why no frame comes, or empty.
    """
    aim = watcher.newest
    size = f"  {aim.size[0]}x{aim.size[1]}" if aim else ""
    lines = [f"{name}{size}  Ctrl-C to stop", ""]
    lines += [f"{label:12}{value}" for label, value in _rows(aim, watcher.sharpness_share)] if aim else []
    step = problem or (aim.advice if aim else "waiting for the first frame")
    shown = [printable(line)[:columns] for line in [*lines, ""]] + textwrap.wrap(printable(step), columns)
    return "\x1b[H" + "".join(f"{line}\x1b[K\n" for line in shown[: rows - 1]) + "\x1b[J"


def as_line(aim: Aim, share: float) -> str:
    """An aim as one line, for output that is not a terminal. ``share``: of the greatest sharpness so far, 0 to 1."""
    return printable("; ".join(f"{label} {value}" for label, value in _rows(aim, share)) + f" -> {aim.advice}")


def as_json(aim: Aim, share: float) -> str:
    """An aim as JSON, as ``--json`` prints it."""
    # A file's name may have bytes that are no text: they are valid in JSON only as escapes.
    return json.dumps(aim.as_dict(), ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def _rows(aim: Aim, share: float) -> Iterator[tuple[str, str]]:
    """The name and value of each line."""
    view = aim.view
    focus = {True: "sharp", False: "blurred", None: UNKNOWN}[view.is_sharp]
    yield "sharpness", f"{'#' * round(BAR * share):.<{BAR}} {share:.0%} of the best, {focus}"
    tall = UNKNOWN if view.digit_height is None else f"{int(view.digit_height)} pixels tall, {NEEDED_HEIGHT} are needed"
    yield "digits", tall
    clipped = f"{view.white_share:.1%} white, {view.black_share:.1%} black"
    yield "light", f"{LIGHT[view.light]}, paper {view.paper:.0f} of 255, {clipped}"
    yield "tilt", UNKNOWN if view.tilt is None else f"{view.tilt:.0f} degrees"
    yield "glare", view.glare or "none"
    bands = aim.bands
    yield "flicker", UNKNOWN if bands is None else f"bands of {bands:.0%}" if bands >= STRONG else "none"
    yield "view used", UNKNOWN if view.used_share is None else f"{view.used_share:.0%}"
    yield "read", aim.reading.text.replace("\n", " / ") or f"nothing ({aim.reading.reason})"
