"""How one person writes one page: whose marks, how slanted, with which pen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from convert.data.marks import Stroke, draw, extent
from convert.samples.scenes.habits import Habits, choose_habits
from convert.samples.scenes.signs import DRAWN
from convert.samples.scenes.writers import Source, Writers, pick
from convert.samples.segments import segment_digit
from convert.samples.typefaces import printed
from edge.handwriting import rendering
from edge.handwriting.styles import varied_style
from edge.types import Pixels

PICTURE_SHARES = {"": 0.52, "forms": 0.14, "mnist": 0.2, "bhmsds": 0.06, "printed": 0.05, "segments": 0.03}
"""Share of the hands, 0 to 1, that write strokes of real writers, forms of ``edge.handwriting`` (looped sevens and the
like), or digits of one of the sets of pictures, or print, or show digits of seven segments."""
PRINT = frozenset({"printed", "segments"})
"""Those of these that nobody wrote by hand."""
BAR_SHARE = 0.5
"""Share of the hands, 0 to 1, that write a 1 as a plain bar. Chosen: as many as in the photographs of this project."""
TOUCHING_SHARE = 0.35
"""Share of the hands, 0 to 1, whose digits touch now and then."""
ALWAYS_TOUCHING_SHARE = 0.12
"""Share of the hands, 0 to 1, each of whose digits touches the one before. Chosen: digits that touch are hard."""
CHAINED_SHARE = 0.3
"""Share of the hands, 0 to 1, whose zeros in a row touch: 100 and 2000 are often written in one go. Chosen."""
OPEN_SHARE = 0.3
"""Share of the hands, 0 to 1, some of whose zeros are open. Chosen: many photographs have such a hand."""
GAP_IN_ZERO = (0.03, 0.2)
"""Smallest and largest gap in an open zero, as a share of its outline. Chosen: with a larger one it is a C."""
HAIRLINE_SHARE = 0.12
"""Share of the hands, 0 to 1, with a pen of half a pixel to one and a half."""
PEN = (0.03, 0.19)
"""Finest and broadest pen, in heights of a digit: a ball pen on a large digit, a marker on a small one."""
SIZES = {
    "-_~": (0.25, 0.6),
    "÷": (0.4, 0.75),
    "+=<>*×": (0.35, 0.8),
    ':;"': (0.3, 0.7),
    "acemnorsuvwxz": (0.5, 0.75),
    "/()[]{}|": (0.9, 1.4),
    "%": (0.7, 1.0),
    "^`'": (0.15, 0.35),
    "→": (0.7, 1.6),
    "✓": (0.6, 1.2),
    "•": (0.1, 0.3),
    ",": (0.15, 0.32),
}
"""Smallest and largest size of what is not as tall as a digit, in heights of a digit."""
WIDEST = 8.0
"""A mark is at most this many times as wide as a digit is tall: a long word."""
POINT = (0.06, 0.17)
"""Smallest and largest width of a full stop, in heights of a digit."""
UNEQUAL_SHARE = 0.2
"""Share of the hands, 0 to 1, whose digits are of very unequal size: tall sevens beside small zeros."""
OWN_SIGN_SHARE = {"=": 0.35}
"""Share of these signs, 0 to 1, that are drawn by ``signs`` although there are strokes of them."""

PRINTED: Mapping[str, Any] = {
    "bar": False, "touch": 0.0, "chain": 0.0, "uneven": 0.01, "hop": 0.01,
    "proportions": (1.0,) * 10,
}  # fmt: skip
"""What all hands that print have in common."""


@dataclass(frozen=True, slots=True)
class Hand:
    """One person with one pen."""

    writers: Writers
    writer: str
    """Whose strokes: a key of ``Writers.digits``."""
    pictures: str
    """A key of PICTURE_SHARES; "" for strokes."""
    typeface: int
    """A seed that chooses the typeface and its weight, for what is printed."""
    slant: float
    """As in ``convert.data.marks.fit``, like the next three."""
    turn: float
    stretch: float
    wobble: float
    bar: bool
    """Whether a 1 is a plain bar."""
    height: float
    """Height of a digit, pixels."""
    pen: float
    """Width of the pen, pixels."""
    gap: float
    """Gap between two marks, in heights of a digit."""
    touch: float
    """Share of the digits and letters, 0 to 1, that touch the one before."""
    chain: float
    """Share of the zeros behind a zero, 0 to 1, that touch it."""
    open: float
    """Share of the zeros, 0 to 1, that are open; only those drawn as strokes."""
    uneven: float
    """By how much the size varies from mark to mark, as a natural logarithm: its standard deviation."""
    proportions: tuple[float, ...]
    """The size of each digit, 0 to 9, in that of a usual one: many people write small zeros and long sevens."""
    hop: float
    """By how much marks stand above or below the line, in heights of a digit: its standard deviation."""
    tilt: float
    """How far a line of text falls for each pixel to the right, pixels."""
    habits: Habits
    """How this person forms marks."""

    @property
    def joins(self) -> bool:
        """Whether the letters of a word are joined."""
        return self.habits.joined and self.pictures not in PRINT

    def resized(self, height: float, rng: np.random.Generator) -> Hand:
        """The same person with digits ``height`` pixels tall and a random pen."""
        return replace(self, height=height, pen=_choose_pen(rng, height))

    def printing(self, rng: np.random.Generator, size: float) -> Hand:
        """Print beside this hand's writing, ``size`` times as tall."""
        gap, typeface = rng.uniform(0.05, 0.25), int(rng.integers(1 << 30))
        return replace(self, **PRINTED, pictures="printed", typeface=typeface, gap=gap, height=size * self.height)

    def closer(self, gap: float) -> Hand:
        """The same person with marks as close to each other as the letters of a word."""
        return replace(self, gap=min(self.gap, gap))

    def touching(self) -> Hand:
        """The same person in a hurry: each digit touches the one before."""
        return replace(self, touch=1.0)


def choose_hand(writers: Writers, rng: np.random.Generator, height: float) -> Hand:
    """A random person with a random pen, whose digits are ``height`` pixels tall."""
    pictures = str(rng.choice(list(PICTURE_SHARES), p=list(PICTURE_SHARES.values())))
    # The camera is held askew: lines and marks turn together.
    askew = rng.normal(0, 4) if rng.uniform() < 0.25 else 0.0
    uphill = rng.normal(0, 0.04) if rng.uniform() < 0.4 else 0.0
    gap = rng.uniform(0.06, 0.6) if rng.uniform() < 0.75 else rng.uniform(0.6, 2.2)
    hand = Hand(
        writers,
        writer=pick(rng, tuple(writers.digits)),
        pictures=pictures,
        typeface=int(rng.integers(1 << 30)),
        slant=rng.normal(0.04, 0.16),
        turn=askew + rng.normal(0, 3),
        stretch=float(np.exp(rng.normal(0, 0.16))),
        wobble=rng.uniform(0, 0.02),
        bar=bool(rng.uniform() < BAR_SHARE),
        height=height,
        pen=_choose_pen(rng, height),
        gap=gap,
        touch=_choose_touch(rng),
        chain=rng.uniform(0.4, 1.0) if rng.uniform() < CHAINED_SHARE else 0.0,
        open=rng.uniform(0.2, 1.0) if rng.uniform() < OPEN_SHARE else 0.0,
        uneven=rng.uniform(0.03, 0.2),
        proportions=_choose_proportions(rng),
        hop=rng.uniform(0.02, 0.1),
        tilt=uphill + float(np.tan(np.radians(askew))),
        habits=choose_habits(rng),
    )
    return replace(hand, **PRINTED) if pictures in PRINT else hand


def _choose_touch(rng: np.random.Generator) -> float:
    kind = rng.uniform()
    if kind < ALWAYS_TOUCHING_SHARE:
        return 1.0
    return float(rng.uniform(0.1, 0.6)) if kind < ALWAYS_TOUCHING_SHARE + TOUCHING_SHARE else 0.0


def _choose_proportions(rng: np.random.Generator) -> tuple[float, ...]:
    spread = rng.uniform(0.0, 0.2) if rng.uniform() >= UNEQUAL_SHARE else rng.uniform(0.2, 0.55)
    usual = np.array([-0.6, 0.3, 0.0, 0.0, 0.1, 0.0, 0.2, 0.5, 0.2, 0.5])
    sizes: list[float] = np.exp(spread * (usual + rng.normal(0, 0.8, 10))).clip(0.55, 1.6).tolist()
    return tuple(sizes)


def _choose_pen(rng: np.random.Generator, height: float) -> float:
    """Width of a pen for digits of this height, pixels."""
    if rng.uniform() < HAIRLINE_SHARE:
        return float(rng.uniform(0.5, 1.5))
    return max(0.8, height * float(np.exp(rng.uniform(*np.log(PEN)))))


def write_mark(hand: Hand, character: str, rng: np.random.Generator, size: float = 1.0) -> Pixels | None:
    """The ink of one character, (height, width) uint8, cropped to it, or None if nobody wrote such a one.

    It is ``size`` times as tall as the hand's digits.
    """
    height = size * hand.height
    if character == ".":
        return _point(height * rng.uniform(*POINT), hand.pen)
    if character == "1" and hand.bar:
        height *= hand.proportions[1] * float(np.exp(rng.normal(0, 0.08)))
        return _draw(hand, [_bar(rng, hand.habits.lean)], height, rng)
    if character.isdecimal():
        height *= hand.proportions[int(character)]
    for characters, (least, most) in SIZES.items():
        if character in characters:
            height *= (least + most) / 2 if hand.pictures in PRINT else rng.uniform(least, most)
    picture = _picture(hand, character, rng)
    if picture is not None:
        return enlarged(picture, height, hand.stretch * float(np.exp(rng.normal(0, 0.05))))
    if character.isdecimal() and hand.pictures == "forms":
        style = varied_style(np.random.default_rng(hand.typeface))
        strokes = rendering.draw(int(character), rng, style)
    elif character.isdecimal():
        sources = hand.writers.digits[hand.writer].get(character)
        while not sources:
            sources = hand.writers.digits[pick(rng, tuple(hand.writers.digits))].get(character)
        strokes = pick(rng, sources).strokes
    elif character in DRAWN and rng.uniform() < OWN_SIGN_SHARE.get(character, 1.0):
        strokes = DRAWN[character](rng)
    else:
        own = hand.writers.characters.get(hand.writer, {}).get(character)
        sources = own or hand.writers.all_characters.get(character)
        if not sources:
            return None
        strokes = pick(rng, sources).strokes
    if character == "0" and len(strokes) == 1 and rng.uniform() < hand.open:
        strokes = [_opened(strokes[0], rng)]
    strokes, longer = hand.habits.of_mark(character, strokes, rng)
    return _draw(hand, strokes, longer * height, rng)


def write_source(hand: Hand, source: Source, rng: np.random.Generator, size: float = 1.0) -> Pixels:
    """The ink of one mark, ``size`` times as tall as the hand's digits; a very wide one is less tall."""
    width, height = extent(source.strokes)
    shape = float(np.clip(width / max(height, 1e-3), 1, WIDEST))
    return _draw(hand, source.strokes, size * hand.height * shape, rng)


def _draw(hand: Hand, strokes: list[Stroke], size: float, rng: np.random.Generator) -> Pixels:
    return draw(
        strokes,
        max(size, 2.0),
        min(hand.pen, max(1.0, 0.6 * size)),
        slant=hand.slant + rng.normal(0, 0.04),
        turn=hand.turn + rng.normal(0, 2),
        stretch=hand.stretch * float(np.exp(rng.normal(0, 0.05))),
        wobble=hand.wobble,
        rng=rng,
    )


def _picture(hand: Hand, character: str, rng: np.random.Generator) -> Pixels | None:
    """A picture of this character, if the hand's marks are pictures and there is one of it."""
    if hand.pictures == "segments" and character.isdecimal():
        return segment_digit(int(character), np.random.default_rng(hand.typeface))
    if hand.pictures in PRINT:
        return printed(character, np.random.default_rng(hand.typeface)) if character.isascii() else None
    found = hand.writers.pictures.get(hand.pictures, {}).get(character)
    return pick(rng, found) if found else None


def enlarged(picture: Pixels, height: float, stretch: float = 1.0) -> Pixels:
    """A small picture of a mark at this height, with edges as sharp as those of a pen."""
    # Some pictures have hardly any ink.
    level = min(60, int(picture.max()) // 2)
    x, y, wide, tall = cv2.boundingRect(cv2.threshold(picture, level, 255, cv2.THRESH_BINARY)[1])
    if not wide:
        return np.zeros((3, 2), np.uint8)
    ink = picture[y : y + tall, x : x + wide]
    scale = height / max(tall, 0.9 * wide, 1)
    size = (max(2, round(wide * scale * stretch)), max(3, round(tall * scale)))
    ink = cv2.resize(ink, size, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)
    if scale > 1.5:
        soft = cv2.GaussianBlur(ink, (0, 0), 0.5 * scale)
        ink = cv2.addWeighted(soft, 4, soft, 0, -360)
    return cv2.copyMakeBorder(ink, 1, 1, 1, 1, cv2.BORDER_CONSTANT)


def _point(width: float, pen: float) -> Pixels:
    return draw([np.zeros((1, 2), np.float32)], 1, max(1.0, 1.1 * pen, width))


def _opened(ring: Stroke, rng: np.random.Generator) -> Stroke:
    """A 0 (n, 2) with a gap between its ends, which may stand beside each other like those of a 6 or of a C."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(ring, axis=0).T))])
    gap = rng.uniform(*GAP_IN_ZERO)
    first = gap * rng.uniform()
    kept = np.linspace(first, 1 - gap + first, 48) * along[-1]
    path = np.stack([np.interp(kept, along, ring[:, axis]) for axis in (0, 1)], axis=1)
    # The end comes down inside or outside of where the ring began.
    late = np.clip((np.linspace(0, 1, 48) - 0.75) / 0.25, 0, 1)[:, None]
    middle = path.mean(axis=0)
    return (path + late * rng.normal(0, 0.12) * (path - middle)).astype(np.float32)


def _bar(rng: np.random.Generator, lean: float) -> Stroke:
    """A 1 that is one straight or slightly bent line, its top ``lean`` of its height to the right."""
    along = np.linspace(0, 1, 8)
    across = rng.normal(0, 0.03) * np.sin(np.pi * along) + rng.normal(-lean, 0.04) * along
    return np.stack([across, along], axis=1).astype(np.float32)
