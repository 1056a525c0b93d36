"""Kinds of situations of size and form: thin and bold pens, tight crops, small and huge pages, turned, mirrored."""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image

from convert.data.marks import extent, fit
from edge.images import decode
from edge.types import Pixels
from tests.scoreboard.base_pages import Rng, by_strength, photograph
from tests.scoreboard.hands import Hands
from tests.scoreboard.situations.paper import Situation, around, below, number, on_page, one_of, written

ORIENTATION = 0x0112
"""The EXIF tag of how a picture is turned (CIPA DC-008, 4.6.5)."""
TURNED = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
"""What a camera that was held so has done to an upright picture, by the EXIF orientation that puts it right."""


def thin_pen(rng: Rng, hands: Hands, strength: int) -> tuple[Pixels, str]:
    """A drawing program's pen of one pixel, without smoothing, on a white canvas that is larger at each strength."""
    text, hand = number(rng, 1, 3), hands.pick(rng)
    em = by_strength(strength, 80, 160, 320) * rng.uniform(0.8, 1.2)
    side, x, placed = round(2 * em), rng.uniform(0.3, 0.6) * em, []
    for char in text:
        among = hand.samples(char)
        strokes = among[int(rng.integers(len(among)))]
        width, height = extent(strokes)
        moved = fit(strokes, em * min(1.3, max(1, width / max(height, 1e-3))), turn=hand.manner.turn)
        placed += [stroke + [x, (side - em) / 2] for stroke in moved]
        x += extent(moved)[0] + rng.uniform(0.2, 0.35) * em
    page = np.full((side, max(side, round(x + rng.uniform(0.1, 0.4) * em))), 255, np.uint8)
    dark = int(rng.choice([0, 0, 60]))
    for stroke in placed:
        cv2.polylines(page, [np.round(stroke).astype(np.int32).reshape(-1, 1, 2)], False, dark, 1, cv2.LINE_8)
    return page, text


def fills_the_picture(rng: Rng, hands: Hands, strength: int) -> tuple[Pixels, str]:
    """One digit in a bold pen fills the picture, with less paper around it at each strength."""
    text = str(rng.integers(10))
    em = float(rng.uniform(120, 300))
    line, _, _ = written(rng, hands, text, em, pen=em * by_strength(strength, 0.12, 0.17, 0.21))
    share = by_strength(strength, 0.2, 0.08, 0.03)
    return photograph(rng, around(rng, line.ink, em, share, 1.5 * share), strength=rng.uniform(0.75, 0.9)), text


def tight_crop(rng: Rng, hands: Hands, strength: int) -> tuple[Pixels, str]:
    """A number with little paper around it."""
    text = number(rng, 2, 6)
    line, em, _ = written(rng, hands, text, strength=min(strength, 2))
    share = by_strength(strength, 0.2, 0.1, 0.04)
    return photograph(rng, around(rng, line.ink, em, share, 1.5 * share)), text


def small_page(rng: Rng, hands: Hands, strength: int) -> tuple[Pixels, str]:
    """A small picture: the digits are about 24, 17 and 13 pixels tall."""
    text, large = number(rng, 1, 5), 4
    em = by_strength(strength, 24, 17, 13) * rng.uniform(0.9, 1.15)
    line, _, _ = written(rng, hands, text, em * large, pen=em * large * rng.uniform(0.09, 0.14))
    ink = around(rng, line.ink, em * large, 0.4, 1.2)
    ink = cv2.resize(ink, None, fx=1 / large, fy=1 / large, interpolation=cv2.INTER_AREA)
    return photograph(rng, ink, strength=rng.uniform(0.7, 0.92)), text


def huge_page(rng: Rng, hands: Hands, strength: int) -> tuple[Pixels, str]:
    """A page of several megapixels with a few lines of ordinary writing, smaller against it at each strength."""
    shape = ((1600, 1200), (2600, 1950), (4000, 3000))[strength - 1]
    em = float(rng.uniform(55, 80))
    texts = [number(rng, 3, 6) for _ in range(int(rng.integers(1, 4)))]
    hand, pen = hands.pick(rng), float(rng.uniform(0.07, 0.11)) * em
    lines = [hand.write(rng, text, em, pen, gap=(0.15, 0.35)).ink for text in texts]
    ink = below(lines, 0.7 * em, right=False)[0]
    return photograph(rng, on_page(rng, ink, shape, rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.9))), "\n".join(texts)


def turned_by_exif(rng: Rng, hands: Hands, strength: int) -> tuple[Pixels, str]:
    """A JPEG, WebP or transparent PNG that is stored turned, with its orientation in its EXIF data."""
    text = number(rng, 1, 4)
    line, em, _ = written(rng, hands, text)
    page = around(rng, line.ink, em, 0.5, 1.2)
    way = int(one_of(rng, "368"))
    kind = ("JPEG", "WEBP", "PNG")[strength - 1]
    if kind == "PNG":
        picture = Image.merge("LA", (Image.new("L", page.shape[::-1], 0), Image.fromarray(page)))
    else:
        picture = Image.fromarray(photograph(rng, page))
    picture = picture.transpose(TURNED[way])
    if kind == "PNG":
        picture = picture.convert("RGBA")
    exif, file = Image.Exif(), io.BytesIO()
    exif[ORIENTATION] = way
    picture.save(file, kind, exif=exif, quality=90)
    return decode(file.getvalue(), kind), text


def mirrored(rng: Rng, hands: Hands, strength: int) -> tuple[Pixels, str]:
    """A mirrored picture, as from a front camera: nothing is to be read, as nobody knows what else is wrong."""
    digits = "".join(one_of(rng, "24579") for _ in range(2)) + "".join(one_of(rng, "2345679") for _ in range(strength))
    line, em, _ = written(rng, hands, "".join(rng.permutation(list(digits)).tolist()))
    return photograph(rng, np.ascontiguousarray(around(rng, line.ink, em)[:, ::-1])), ""


KINDS: dict[str, Situation] = {
    "one-pixel pen": thin_pen,
    "bold, fills the picture": fills_the_picture,
    "tight crop": tight_crop,
    "small page": small_page,
    "huge page": huge_page,
    "turned by EXIF": turned_by_exif,
    "mirrored": mirrored,
}
