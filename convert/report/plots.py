"""The plots of the report, as SVG in colours that suit the page's light and dark theme."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html import escape
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from numpy.typing import NDArray

from convert.conversion.attempts import Attempt
from convert.evaluation.verify import Comparison, wilson
from convert.report.statistics import Bin

INK = "#010203"
"""A placeholder, replaced by ``currentColor``: the page's text colour in the light or dark theme."""
KERAS_COLOUR, FILE_COLOUR = "#6b8fb5", "#d9601a"
"""Two colours that colour-blind readers can tell apart, both visible on white and on near-black."""
RECIPE_STYLES = {
    "float32": ("o", "#6b8fb5"),
    "float16": ("^", "#2a9d74"),
    "dynamic": ("s", "#b86fb5"),
    "int8": ("D", "#d9601a"),
    "int16x8": ("v", "#b08a1e"),
}
"""Marker (matplotlib's letter) and colour of each recipe."""
LEFT_MARGIN, RIGHT_MARGIN, BOTTOM_MARGIN, TOP_MARGIN = 0.72, 0.12, 0.48, 0.12
"""Space around the axes for their labels, inches."""
LEGEND_LINE = 0.2
"""Space above the axes for each line of the legend, inches."""
SQUARE_SIZE = (4.4, 4.16)
"""Width and height of a plot whose axes are square, inches."""
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.unicode_minus": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 9,
}
"""Settings of matplotlib that differ from its defaults."""


def confusion(counts: NDArray[np.int64], most: int, name: str, alt: str) -> str:
    """A confusion matrix (10, 10), rows written, columns read; a cell of ``most`` has the strongest colour."""

    def draw(axes: Axes) -> None:
        for written, read in zip(*np.nonzero(counts), strict=True):
            count = int(counts[written, read])
            same = written == read
            strength = 0.07 if same else 0.12 + 0.6 * float(np.log1p(count) / np.log1p(max(most, 1)))
            place = (read - 0.5, written - 0.5)
            axes.add_patch(Rectangle(place, 1, 1, facecolor=INK if same else FILE_COLOUR, alpha=strength, linewidth=0))
            axes.text(
                read, written, str(count), ha="center", va="center", fontsize=8 if same else 9, alpha=0.6 if same else 1
            )
        axes.set(xlim=(-0.5, 9.5), ylim=(9.5, -0.5), xlabel="read as", ylabel="written", aspect="equal")
        axes.set_xticks(range(10))
        axes.set_yticks(range(10))
        axes.tick_params(length=0)

    return _svg(name, SQUARE_SIZE, draw, alt)


def by_digit(both: dict[str, Comparison], name: str, alt: str) -> str:
    """The change in accuracy of each digit, in percentage points, as a bar for each set of images."""

    def draw(axes: Axes) -> None:
        width = 0.8 / len(both)
        for i, (label, found) in enumerate(both.items()):
            rows = found.by_digit()
            at = [row[0] + (i - (len(both) - 1) / 2) * width for row in rows]
            changes = [100 * (after - before) / images for _, images, before, after in rows]
            axes.bar(at, changes, width, label=label, color=(FILE_COLOUR, KERAS_COLOUR)[i])
        least, most = axes.get_ylim()
        # The axis spans at least 0.2 points either way, so that tiny changes do not look large.
        axes.set_ylim(min(least, -0.2), max(most, 0.2))
        axes.axhline(0, color=INK, linewidth=0.8)
        axes.set(xlabel="digit", ylabel="change, points")
        axes.set_xticks(range(10))
        axes.tick_params(axis="x", length=0)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
        _simplify(axes)

    return _svg(name, (5.6, 2.7), draw, alt, lines=1)


def reliability(before: tuple[Bin, ...], after: tuple[Bin, ...], recipe: str, name: str, alt: str) -> str:
    """A reliability diagram: for each range of confidence the share of correct answers, with its 95 % interval."""

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, alpha=0.5, linestyle=(0, (4, 3)))
        for bins, label, colour, marker in ((before, "Keras", KERAS_COLOUR, "s"), (after, recipe, FILE_COLOUR, "o")):
            share = np.array([one.right / one.answers for one in bins])
            ends = np.array([wilson(one.right, one.answers) for one in bins]).T
            lengths = np.clip([share - ends[0], ends[1] - share], 0, None)
            axes.errorbar(
                [one.confidence for one in bins], share, yerr=lengths, color=colour, label=label, marker=marker,
                markersize=4, linewidth=1.4, elinewidth=0.8, alpha=1 if label == recipe else 0.8,
            )  # fmt: skip
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="confidence", ylabel="share correct", aspect="equal")
        axes.xaxis.set_major_formatter(FuncFormatter(_percent))
        axes.yaxis.set_major_formatter(FuncFormatter(_percent))
        axes.legend(loc="upper left")
        _simplify(axes)

    return _svg(name, SQUARE_SIZE, draw, alt)


def recipes(attempts: tuple[Attempt, ...], chosen: Attempt | None, images: int, name: str, alt: str) -> str:
    """Size against accuracy with its 95 % interval; the marker is hollow if compared on fewer than ``images`` images.

    A short line shows the Keras model's accuracy on the same images, since samples differ by chance.
    """

    def draw(axes: Axes) -> None:
        for tried in attempts:
            if tried.comparison is None:
                continue
            found = tried.comparison
            at = tried.size_bytes / 1000
            axes.plot(at, 100 * found.accuracy_float, color=INK, marker="_", markersize=22, alpha=0.6)
            marker, colour = RECIPE_STYLES[tried.recipe]
            low, high = wilson(found.correct, found.images)
            axes.errorbar(
                at, 100 * found.accuracy,
                yerr=[[100 * (found.accuracy - low)], [100 * (high - found.accuracy)]],
                color=colour, marker=marker, markersize=9 if tried is chosen else 6, capsize=3, elinewidth=1,
                markerfacecolor=colour if found.images == images else "none", linestyle="none",
                label=tried.recipe + (" (chosen)" if tried is chosen else ""),
            )  # fmt: skip
        axes.plot([], [], color=INK, marker="_", markersize=14, alpha=0.6, linestyle="none", label="Keras, same images")
        axes.set_xscale("log")
        sizes = [tried.size_bytes / 1000 for tried in attempts if tried.comparison]
        left, right = min(sizes) / 1.3, max(sizes) * 1.3
        ticks = [step * 10.0**decade for decade in range(-1, 6) for step in (1, 1.5, 2, 3, 5, 7)]
        axes.xaxis.set_major_locator(FixedLocator(ticks))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlim(left, right)
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.set(xlabel="size, kB (log scale)", ylabel="accuracy, %")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2, columnspacing=1.2)
        _simplify(axes)

    return _svg(name, (5.6, 3.4), draw, alt, lines=2)


def _simplify(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=INK, alpha=0.12, linewidth=0.6)
    axes.set_axisbelow(True)


def _percent(value: float, _: int | None = None) -> str:
    return f"{100 * value:.0f}%"


def _svg(name: str, inches: tuple[float, float], draw: Callable[[Axes], None], alt: str, lines: int = 0) -> str:
    """One plot as an SVG element for a page; the same data give the same text. ``alt`` describes it in words.

    ``name`` must be unique on the page; ``lines`` is the number of lines of the legend above the axes.
    """
    with matplotlib.rc_context():
        # Ignore the user's own matplotlibrc.
        matplotlib.rcdefaults()
        # IDs within an SVG are hashes with this salt: two plots on one page must not share them.
        matplotlib.rcParams.update(STYLE)
        matplotlib.rcParams["svg.hashsalt"] = name
        figure = Figure(inches)
        width, height = inches
        top = BOTTOM_MARGIN + TOP_MARGIN + LEGEND_LINE * lines
        axes = figure.add_axes(
            (LEFT_MARGIN / width, BOTTOM_MARGIN / height, 1 - (LEFT_MARGIN + RIGHT_MARGIN) / width, 1 - top / height)
        )
        figure.patch.set_visible(False)
        axes.patch.set_visible(False)
        draw(axes)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    body = buffer.getvalue().partition("<svg")[2].partition(">")[2]
    body = re.sub(r'<g id="[^"]*"', "<g", body)
    body = re.sub(r"\n\s*", " ", re.sub(r"font-family: [^;\"]*;? ?", "", body)).replace(INK, "currentColor")
    return (
        f'<svg role="img" aria-label="{escape(alt)}" viewBox="0 0 {72 * width:g} {72 * height:g}"'
        f' style="max-width: {96 * width:g}px">{body.strip()}'
    )
