"""Numbers of instruments: the drums of a meter, number lines and scales with ticks."""

from __future__ import annotations

import cv2
import numpy as np

from convert.samples.scenes import texts
from convert.samples.scenes.hand import Hand, choose_hand, write_mark
from convert.samples.scenes.lines import blank_page
from convert.samples.scenes.sheet import Sheet, write
from convert.samples.scenes.sizes import LARGEST, between
from convert.samples.scenes.writers import Writers, pick


def drums(writers: Writers, rng: np.random.Generator) -> tuple[Sheet, Hand]:
    """A row of windows for one digit each, in a case; the case and its bars are the ``printed`` ink."""
    count = int(rng.integers(1, 9))
    height = between(rng, 14, min(120.0, LARGEST / (2 * count + 3)))
    hand = choose_hand(writers, rng, height)
    if rng.uniform() < 0.75:
        hand = hand.printing(rng, 1.0)
    wide, tall = height * rng.uniform(0.9, 1.5), height * rng.uniform(1.15, 2.1)
    # A bar may be a hairline or as broad as a digit.
    bar = max(1.0, height * (rng.uniform(0.1, 0.5) if rng.uniform() < 0.6 else rng.uniform(0.02, 0.1)))
    left, top, right, bottom = height * rng.uniform(0.2, 1.5, 4)
    sheet = Sheet.blank(top + tall + bottom, left + count * (wide + bar) + right)
    sheet.printed[:] = rng.uniform(110, 255)
    floor = rng.uniform(0, 40) if rng.uniform() < 0.5 else 0.0
    for i, character in enumerate(texts.number(rng, count, count)):
        x, y = left + i * (wide + bar), top
        cv2.rectangle(sheet.printed, (round(x), round(y)), (round(x + wide), round(y + tall)), floor, -1)
        ink = write_mark(hand, character, rng)
        if ink is None:
            continue
        x, y = np.array([x, y]) + 0.5 * np.array([wide, tall]) + rng.normal(0, 0.04 * height, 2)
        sheet.paste(ink, x - 0.5 * ink.shape[1], y - 0.5 * ink.shape[0], character)
    return sheet, hand


def scale(writers: Writers, rng: np.random.Generator) -> tuple[Sheet, Hand]:
    """Ticks along a line, level or upright, as of a number line, an axis or a ruler's edge; and numbers near them."""
    sheet, hand = blank_page(writers, rng)
    height = hand.height
    upright = rng.uniform() < 0.3
    length = sheet.height if upright else sheet.width
    step = max(3.0, height * between(rng, 0.08, 1.6))
    tick, longer = height * between(rng, 0.12, 1.2), rng.uniform(1.2, 2.2)
    every = int(pick(rng, (1, 2, 5, 10)))
    width = max(1, round(min(0.4 * step, hand.pen * between(rng, 0.4, 2))))
    dark = rng.uniform(70, 255)
    across = rng.uniform(0.1, 0.9) * (sheet.width if upright else sheet.height)
    start, end = np.sort(rng.uniform(0.02, 0.98, 2)) * length
    below, above = ((0.0, 1.0), (1.0, 0.0), (0.5, 0.5))[int(rng.integers(3))]

    def draw(a: tuple[float, float], b: tuple[float, float]) -> None:
        """From and to a place along the line and across it."""
        start, end = ([round(16 * n) for n in (place[::-1] if upright else place)] for place in (a, b))
        cv2.line(sheet.printed, start, end, dark, width, cv2.LINE_AA, 4)

    if rng.uniform() < 0.7:
        draw((start, across), (end, across))
    numbered = hand.printing(rng, rng.uniform(0.4, 1)) if rng.uniform() < 0.5 else hand
    labelled = rng.uniform() < 0.6
    room = across + tick * longer * below + 0.3 * height
    for i, at in enumerate(np.arange(start, end, step).tolist()):
        long = i % every == 0
        reach = tick * (longer if long else 1)
        draw((at, across - above * reach), (at, across + below * reach))
        text = str(i // every)
        if labelled and long and every * step > 1.1 * (len(text) + hand.gap) * numbered.height:
            x, y = at - 0.35 * len(text) * numbered.height, room
            if upright:
                x, y = room, at - 0.5 * numbered.height
            write(sheet, numbered.closer(0.2), text, x, y, rng)
    # What was written beside it.
    aside = across - 2.5 * height if across > 0.5 * (sheet.width if upright else sheet.height) else room + 2 * height
    place = (aside, rng.uniform(0, 0.7) * length) if upright else (rng.uniform(0, 0.7) * length, aside)
    write(sheet, hand, texts.entry(rng), *place, rng)
    return sheet, hand
