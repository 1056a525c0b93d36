"""``edge tune``: compare the choices of ``[vision]`` on photographs with known digits."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge.commands.arguments import Parser, add_settings, reader_of, settings_of
from edge.model.classifier import Model
from edge.reading.evaluation import Labelled, Score, load_labelled, score
from edge.reading.reader import Reader
from edge.vision.settings import VisionSettings

EXAMPLES = """examples:
  edge tune photos/labels.csv                  a Markdown table with a row for each choice
"""
CHOICES: tuple[dict[str, Any], ...] = (
    {},
    {"median": 0},
    {"median": 5},
    {"gaussian": 3},
    {"gaussian": 5},
    {"even": False},
    {"threshold": "global"},
    {"threshold": "otsu"},
    {"threshold": "adaptive_mean"},
    {"threshold": "adaptive_gaussian"},
    {"threshold": "adaptive_gaussian", "block": 121},
    {"threshold": "otsu", "even": False},
    {"level": 70},
    {"level": 120},
    {"faint": 30},
    {"faint": 60},
    {"opening": 2},
    {"opening": 3},
    {"closing": 3},
    {"closing": 5},
    {"erosion": 2},
    {"dilation": 2},
    {"dilation": 3},
    {"interpolation": "linear"},
    {"interpolation": "cubic"},
    {"interpolation": "lanczos"},
    {"working_size": 640},
    {"working_size": 1024},
)
"""The choices: each is the settings in force with these fields changed."""


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument(
        "labels",
        nargs="+",
        metavar="LABELS.csv",
        help="a table with the columns file and text (such as 1247673/8952481), and perhaps person; the files lie"
        " beside it",
    )
    add_settings(parser, without=("source", "publish"))


def run(arguments: argparse.Namespace) -> int:
    """Score each choice, and print a table in Markdown."""
    settings = settings_of(arguments)
    sets = [load_labelled(Path(labels)) for labels in arguments.labels]

    def show_progress(n: int) -> None:
        if sys.stderr.isatty():
            print(
                f"\r{n} of {len(CHOICES)} choices",
                end="\n" if n == len(CHOICES) else "",
                file=sys.stderr,
                flush=True,
            )

    with reader_of(settings) as reader:
        rows = list(tune(reader.model, settings.vision, settings.min_confidence, sets, show_progress))
    names = [Path(labels).resolve().parent.name for labels in arguments.labels]
    print(markdown(names, rows))
    return 0


def tune(
    model: Model,
    vision: VisionSettings,
    min_confidence: float,
    sets: Sequence[Labelled],
    on_progress: Callable[[int], None],
) -> Iterator[tuple[dict[str, Any], list[Score]]]:
    """Each choice with its score on each set; ``on_progress(n)`` is called after the n-th choice."""
    for i, choice in enumerate(CHOICES):
        reader = Reader(model, vision=replace(vision, **choice), min_confidence=min_confidence)
        yield choice, [score(reader, photographs) for photographs in sets]
        on_progress(i + 1)


def markdown(names: Sequence[str], rows: Sequence[tuple[dict[str, Any], list[Score]]]) -> str:
    """The table of scores in Markdown."""
    _, first = rows[0]
    columns = [
        ("exact", "by person", "CER", "ms") if s.by_person is not None else ("exact", "CER", "ms") for s in first
    ]
    heads = "".join(f" {name}: {' | '.join(of)} |" for name, of in zip(names, columns, strict=True))
    lines = [f"| choice |{heads}", "|---|" + "---:|" * sum(map(len, columns))]
    for choice, scores in rows:
        name = (
            ", ".join(f"`{key} = {value!r}`".replace("'", '"') for key, value in choice.items())
            or "**the settings in force**"
        )
        name = name.replace("True", "true").replace("False", "false")
        lines.append(f"| {name} |{''.join(map(_cells, scores))}")
    return "\n".join(lines)


def _cells(one: Score) -> str:
    by_person = "" if one.by_person is None else f" {one.by_person:.1%} |"
    return f" {one.exact:.1%} |{by_person} {one.error_rate:.3f} | {one.milliseconds:.1f} |"
