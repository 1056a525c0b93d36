"""Numbers and results as text, the same on the terminal and on the page."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from convert.conversion.attempts import AGREEMENT
from convert.conversion.pipeline import Conversion
from convert.evaluation import temperature as fitted
from convert.evaluation.accuracy import words as accuracy_words
from convert.evaluation.verify import Comparison, Times, wilson
from convert.micro.facts import Facts
from convert.report import statistics
from convert.report.statistics import Pair
from convert.system.confinement import Protections
from convert.tflite.runtimes import Runtime
from edge.system.text import printable

MAX_PROBLEM_CHARACTERS = 110
"""Maximum length, in characters, of a problem on the terminal: it fits on two lines of 80 columns."""
MAX_CALIBRATION_ERROR = 0.03
"""Up to this calibration error, 0 to 1, a confidence is said to be right. Chosen: 0.9 then means 87 to 93 %."""
_FOLDERS = re.compile(r"(?<![\w.:/\\])(?:[A-Za-z]:)?[/\\](?:[^\s/\\:;,()'\"]+[/\\])+")


def loses(drop: float) -> str:
    """A change of accuracy: ``loses 0.02 percentage points of accuracy``."""
    if _is_zero(drop):
        return "loses no accuracy"
    return f"{'loses' if drop > 0 else 'gains'} {abs(drop):.2f} percentage points of accuracy"


def lost(drop: float) -> str:
    """A change of accuracy, in short: ``0.02 points lost``."""
    return "nothing lost" if _is_zero(drop) else f"{abs(drop):.2f} points {'lost' if drop > 0 else 'gained'}"


def signed(points: float) -> str:
    """Percentage points with a sign: minus if accuracy was lost."""
    return "0.00" if _is_zero(points) else f"{points:+.2f}"


def interval(right: int, images: int) -> str:
    """The 95 % confidence interval of the share of ``right`` among ``images``, in percent."""
    low, high = wilson(right, images)
    return f"{100 * low:.2f}-{100 * high:.2f}"


def size(size_bytes: int) -> str:
    """A size in kB of 1,000 bytes, as file managers show it; from 10 MB on in MB."""
    return f"{size_bytes / 1000:,.0f} kB" if size_bytes < 10_000_000 else f"{size_bytes / 1e6:,.1f} MB"


def times(taken: Times) -> str:
    """Median and 95th percentile, in microseconds."""
    return f"{taken.p50:,.0f} / {taken.p95:,.0f}"


def runs_in(runtimes: Sequence[Runtime]) -> str:
    """Which of the runtimes load a file: ``all 3``, ``both``, ``all but …`` or ``none``."""
    refused = [one.name for one in runtimes if one.problem is not None]
    if not runtimes or len(refused) == len(runtimes):
        return "none"
    if refused:
        return "all but " + ", ".join(refused)
    return {1: runtimes[0].name, 2: "both"}.get(len(runtimes), f"all {len(runtimes)}")


def installed(conversion: Conversion) -> str:
    """The runtimes that were tried, and how far they agree."""
    tried = {
        (one.name, one.version, one.installed): None for attempt in conversion.attempts for one in attempt.runtimes
    }
    names = [f"{name} {version}{'' if here else ' (operators checked only)'}" for name, version, here in tried]
    listed = ", ".join(names) or "none"
    agreements = (
        [one.agreement for one in conversion.shown.runtimes if one.agreement is not None] if conversion.shown else []
    )
    return f"{listed}; same answers for {min(agreements):.2%} of the images" if len(agreements) > 1 else listed


def sample_marks(conversion: Conversion) -> dict[int, str]:
    """The mark of the recipes that were compared on so many images, fewer than all: ``*``, and ``**`` for yet fewer."""
    sizes = {one.comparison.images for one in conversion.attempts if one.comparison} - {len(conversion.dataset.test)}
    return {images: "*" * (i + 1) for i, images in enumerate(sorted(sizes, reverse=True))}


def sample_notes(conversion: Conversion) -> list[str]:
    """What each of these marks means, with what the Keras model reads of the same images."""
    before = {one.comparison.images: one.comparison.accuracy_float for one in conversion.attempts if one.comparison}
    all_images = len(conversion.dataset.test)
    return [
        f"{mark} compared on {images:,} of the {all_images:,} test images; Keras reads {before[images]:.2%} of these"
        for images, mark in sample_marks(conversion).items()
    ]


def short_problem(problem: str) -> str:
    """A problem without folders and without the advice after it, cut to MAX_PROBLEM_CHARACTERS."""
    return textwrap.shorten(without_folders(problem).partition("; ")[0], MAX_PROBLEM_CHARACTERS, placeholder=" ...")


def without_folders(text: str) -> str:
    """The text with file names instead of full paths: a report may be passed on to others."""
    return _FOLDERS.sub("", text)


def problem(conversion: Conversion) -> str | None:
    """``Conversion.problem`` without folders."""
    text, model = conversion.problem(), conversion.request.model
    return None if text is None else printable(without_folders(text.replace(str(model), model.name)))


def next_step(conversion: Conversion) -> str:
    """What to do now, as a sentence: use the file, or what to do instead of it."""
    if text := problem(conversion):
        text = text.replace("; nothing is written", "")
        if conversion.shown is None:
            return f"Nothing was written. {text}."
        return f"Nothing was written: {text.removeprefix(f'{printable(conversion.request.model.name)}: ')}."
    shown, camera = conversion.shown, conversion.through_camera
    assert shown and shown.comparison and camera
    found = shown.comparison
    return (
        f"Use {printable(conversion.request.out.name)}: it {accuracy_words(found.accuracy, found.images)} (Keras"
        f" {found.accuracy_float:.2%}), and {camera.accuracy:.2%} of them through the synthetic camera (Keras"
        f" {camera.accuracy_float:.2%})."
    )


def choice(conversion: Conversion) -> str:
    """Which recipe was chosen, and why, as a heading."""
    if conversion.shown is None:
        return "No recipe gives a file that runs"
    if conversion.chosen is None:
        if len(conversion.attempts) > 1:
            return f"No recipe is within the limits; {conversion.shown.recipe} comes closest"
        return f"{conversion.shown.recipe} is not within the limits"
    if conversion.request.target == "tflm":
        return f"{conversion.chosen.recipe}, for microcontrollers"
    if conversion.request.recipe != "auto":
        return f"{conversion.chosen.recipe}, as requested"
    return f"{conversion.chosen.recipe} is the smallest file within the limits"


def limits(conversion: Conversion) -> str:
    """The limits that a file must be within to be written, as a sentence."""
    most = f"at most {conversion.request.max_drop:g} percentage points of accuracy lost"
    same = (
        f", and the same answer as Keras for {AGREEMENT:.1%} of the images"
        if conversion.request.recipe == "auto"
        else ""
    )
    least = f"at least {conversion.request.min_accuracy:g} % read correctly and not taken for no digit, "
    return f"Limits: {least}{most}{same}."


def micro(facts: Facts) -> str:
    """What a microcontroller needs for a file, as a sentence."""
    return (
        f"A microcontroller needs {size(facts.model_bytes)} of flash for it and about {size(facts.arena_bytes)} of RAM"
        f" for its arena. Operators: {', '.join(facts.operators)}."
    )


def protections(found: Protections | None) -> str:
    """What the process in which the model was read could not do, as a sentence."""
    if found is None:
        return "The model was read without a process of its own."
    network = {
        "namespace": "no network",
        "landlock": "no TCP (Landlock)",
        "none": "the network, which is not closed here",
    }
    files = (
        f"no files but the model's, the data's and its own (Landlock {found.landlock})"
        if found.landlock
        else "all files that you may read and write: this kernel has no Landlock"
    )
    calls = (
        "no sockets, file modes or owners (seccomp)"
        if found.seccomp
        else "all system calls: none are refused on this machine"
    )
    return (
        f"The model was read in a process of its own, with at most {size(found.memory_bytes)} of memory,"
        f" {network[found.network]}, {files}, and {calls}."
    )


def temperature(value: float, error: float) -> str:
    """The temperature and what it is for. ``error``: the calibration error on MNIST's test images, 0 to 1."""
    if fitted.is_at_limit(value):
        return f"{value:g}, the limit of what is tried: the confidence is not calibrated"
    if error > MAX_CALIBRATION_ERROR:
        return f"{value:g}; even so the confidence differs from the share of right answers by {error:.1%} on average"
    return f"{value:g}, so that 90 % of the answers with confidence 0.9 are correct"


def confused(pair: Pair) -> str:
    """``4 read as 9: 12 times (Keras 11)``."""
    count = "once" if pair.times == 1 else f"{pair.times:,} times"
    return f"{pair.written} read as {pair.read}: {count} (Keras {pair.times_float:,})"


def most_changed(comparison: Comparison) -> str:
    """The digit that changed most: ``digit 8 changes most, 0.10 points lost (98.20% -> 98.10%)``."""
    changed, points = statistics.most_changed(comparison)
    if _is_zero(points):
        return "no digit changes"
    before, after = next((row[2] / row[1], row[3] / row[1]) for row in comparison.by_digit() if row[0] == changed)
    return f"digit {changed} changes most, {lost(-points)} ({before:.2%} -> {after:.2%})"


def _is_zero(drop: float) -> bool:
    return f"{abs(drop):.2f}" == "0.00"
