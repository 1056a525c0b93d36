"""Figures as a person reads them, alike on the terminal and on the page."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from convert.conversion.attempts import AGREEMENT, Attempt
from convert.conversion.pipeline import Done
from convert.evaluation.verify import Comparison, Times, wilson
from convert.report import sums
from convert.report.sums import Pair
from convert.tflite.runtimes import Runtime

FEW = 110
"""Letters of a problem, at most, where it is told in a few words."""
_FOLDERS = re.compile(r"(?<![\w.:/\\])(?:[A-Za-z]:)?[/\\](?:[^\s/\\:;,()'\"]+[/\\])+")


def loses(drop: float) -> str:
    """Percentage points as what a model does: ``loses 0.02 points``."""
    return "loses nothing" if _none(drop) else f"{'loses' if drop > 0 else 'gains'} {abs(drop):.2f} points"


def lost(drop: float) -> str:
    """Percentage points as what happened: ``0.02 points lost``."""
    return "nothing lost" if _none(drop) else f"{abs(drop):.2f} points {'lost' if drop > 0 else 'gained'}"


def signed(points: float) -> str:
    """Percentage points gained, or with a minus lost."""
    return "0.00" if _none(points) else f"{points:+.2f}"


def interval(right: int, images: int) -> str:
    """The 95 % interval of a share, in percent."""
    low, high = wilson(right, images)
    return f"{100 * low:.2f}-{100 * high:.2f}"


def size(size_bytes: int) -> str:
    """In the unit that file managers show."""
    return f"{size_bytes / 1000:,.0f} kB" if size_bytes < 10_000_000 else f"{size_bytes / 1e6:,.1f} MB"


def times(taken: Times) -> str:
    """Median and 95th percentile, in microseconds."""
    return f"{taken.p50:,.0f} / {taken.p95:,.0f}"


def runs_in(runtimes: Sequence[Runtime]) -> str:
    """Which of the installed runtimes load a file."""
    refused = [one.name for one in runtimes if one.problem is not None]
    if not runtimes or len(refused) == len(runtimes):
        return "none"
    return "not " + ", ".join(refused) if refused else {1: "yes", 2: "both"}.get(len(runtimes), f"all {len(runtimes)}")


def installed(done: Done) -> str:
    """The runtimes that were tried, and how far they agree."""
    found = {(one.name, one.version, one.installed): None for tried in done.attempts for one in tried.runtimes}
    named = [f"{name} {version}{'' if here else ' (by its operators)'}" for name, version, here in found]
    told = ", ".join(named) or "none"
    alike = [one.agreement for one in done.shown.runtimes if one.agreement is not None] if done.shown else []
    return f"{told}; they give the same answer to {min(alike):.2%}" if len(alike) > 1 else told


def fewer(done: Done) -> str | None:
    """What the asterisk at a recipe means; None where there is none."""
    found = next((tried.comparison for tried in done.attempts if surveyed(done, tried)), None)
    if found is None:
        return None
    of = f"{found.images:,} of the {len(done.material.test):,} test images"
    return f"* compared on {of}; of these Keras reads {found.accuracy_float:.2%}"


def surveyed(done: Done, tried: Attempt) -> bool:
    """Whether the attempt was compared on some of the test images only."""
    return tried.comparison is not None and tried.comparison.images < len(done.material.test)


def few(problem: str) -> str:
    """A problem in a few words, without the advice after it."""
    return textwrap.shorten(placeless(problem).partition("; ")[0], FEW, placeholder=" ...")


def placeless(text: str) -> str:
    """The text without the folders of the files in it: a report may be passed on."""
    return _FOLDERS.sub("", text)


def problem(done: Done) -> str | None:
    """``Done.problem`` without folders."""
    said = done.problem()
    return None if said is None else placeless(said.replace(str(done.order.model), done.order.model.name))


def choice(done: Done) -> str:
    """Which recipe was chosen, and why, as a heading."""
    if done.shown is None:
        return "No recipe gives a file that runs"
    if done.chosen is None:
        several = len(done.attempts) > 1
        return f"No recipe keeps what was asked for; {done.shown.recipe} comes nearest" if several else (
            f"{done.shown.recipe} does not keep what was asked for"
        )  # fmt: skip
    if done.order.recipe != "auto":
        return f"{done.chosen.recipe}, as asked for"
    return f"{done.chosen.recipe} is the smallest that keeps what was asked for"


def asked(done: Done) -> str:
    """What a recipe must keep, as a sentence."""
    most = f"at most {done.order.max_drop:g} percentage points of accuracy may be lost"
    also = f", and {AGREEMENT:.1%} of the answers must be Keras's" if done.order.recipe == "auto" else ""
    return f"Asked for: {most}{also}."


def temperature(value: float) -> str:
    """What is done with it."""
    return f"{value:g}, so that 0.9 means nine in ten"


def confused(pair: Pair) -> str:
    """``4 read as 9: 12 times (Keras 11)``."""
    count = "once" if pair.times == 1 else f"{pair.times:,} times"
    return f"{pair.written} read as {pair.read}: {count} (Keras {pair.times_float:,})"


def most_changed(found: Comparison) -> str:
    """What became of the digit that changed most: ``8 changes most, 0.10 points lost (98.20% -> 98.10%)``."""
    changed, points = sums.most_changed(found)
    if _none(points):
        return "no digit is read better or worse"
    before, after = next((row[2] / row[1], row[3] / row[1]) for row in found.by_digit() if row[0] == changed)
    return f"{changed} changes most, {lost(-points)} ({before:.2%} -> {after:.2%})"


def _none(drop: float) -> bool:
    return f"{abs(drop):.2f}" == "0.00"
