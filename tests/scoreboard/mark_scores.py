"""Scores on marks of writers who are held out: the model on digits, the reader on what is no digit among digits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from convert.data.marks import draw, load_mark_pictures, load_marks
from edge.model.classifier import Model
from edge.reading.reader import Reader
from edge.types import Pixels
from edge.vision.normalise import normalise
from tests.scoreboard.among_digits import GROUPS, is_mark, marked_pages
from tests.scoreboard.hands import DIGITS, Hands
from tests.scoreboard.scoring import SHOWN, ModelScore, Read, ReaderScore, read, score_model, show, total

EM = 60
"""Longer side of a digit, pixels, as it is drawn for the model."""
PENS = (4, 6, 8)
"""Widths of the pen, pixels, used in turn."""


@dataclass(frozen=True, slots=True, eq=False)
class AmongScore:
    """Marks that are no digits, each on a line with digits."""

    score: ReaderScore
    """Of the pages; ``exact`` is the share on which exactly the digits are read."""
    false: float
    """Share of the marks that are read as a digit, 0 to 1."""
    worst: tuple[tuple[str, int, int], ...]
    """Characters that are read as a digit most often: the character, how many were, of how many."""
    misread: tuple[Pixels, ...]


def digits_by_writer(model: Model, folder: Path, limit: int | None = None) -> dict[str, ModelScore]:
    """The model's score on the strokes of writers who are held out, and on the ones of a set of pictures."""
    found = {}
    for name in DIGITS:
        marks = load_marks(folder / "marks", name)
        chosen = np.flatnonzero(marks.held_out)[:limit].tolist() if marks else []
        if marks and chosen:
            inks = [draw(marks.strokes(i), EM, PENS[k % len(PENS)]) for k, i in enumerate(chosen)]
            found[name] = _judged(model, inks, [marks.labels[i] for i in chosen])
    pictures = load_mark_pictures(folder / "marks", "bhmsds")
    if pictures:
        ones = [i for i in np.flatnonzero(pictures.held_out)[:limit].tolist() if pictures.labels[i] == "1"]
        if ones:
            found["bhmsds, ones"] = _judged(model, [pictures.pictures[i] for i in ones], ["1"] * len(ones))
    return found


def _judged(model: Model, inks: Sequence[Pixels], labels: Sequence[str]) -> ModelScore:
    glyphs = np.stack([normalise(np.pad(ink, 2)) for ink in inks])
    return score_model(model, glyphs, np.array([int(label) for label in labels], np.uint8), glyphs)


def among_digits(reader: Reader, folder: Path, hands: Hands, seed: int, every: int) -> dict[str, AmongScore]:
    """By group: symbols and letters among digits, each mark on a page of its own; one of ``every`` marks."""
    reads: dict[str, list[Read]] = {}
    accepted: dict[str, Counter[str]] = {group: Counter() for group in GROUPS}
    of: dict[str, Counter[str]] = {group: Counter() for group in GROUPS}
    tiles: dict[str, list[Pixels]] = {group: [] for group in GROUPS}
    for page in marked_pages(folder, hands, seed, every):
        one = read(reader, page.pixels, page.truth, with_tile=False)
        reads.setdefault(page.group, []).append(one)
        of[page.group][page.char] += 1
        if any(is_mark(box, page) for box in one.boxes):
            accepted[page.group][page.char] += 1
            if len(tiles[page.group]) < 2 * SHOWN:
                truth = f"{page.truth} {page.char}"
                tiles[page.group].append(show(reader, page.pixels, truth, reader.analyse(page.pixels)))
    return {
        group: AmongScore(
            total(listed),
            accepted[group].total() / len(listed),
            tuple((char, count, of[group][char]) for char, count in accepted[group].most_common(6)),
            tuple(tiles[group]),
        )
        for group, listed in reads.items()
    }
