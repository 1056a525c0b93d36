"""How many pixels handwriting on an A4 page needs, and what they cost: ``python -m tests.benchmarks.frame_sizes``.

Pages are written by people whose hands are in no training set (EDGE_DATA's ``marks/``), 4 to 8 mm tall, with pens of
0.3 to 0.8 mm. A camera sees the whole page, at each frame size: with the blur of a lens, noise, and a JPEG's or an
ISP's smoothing. The same pages are shown at each size.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from edge.handwriting import virtual_camera
from edge.reading.reader import Reader
from edge.system.process import after_imports
from edge.tracking.change_detector import ChangeDetector
from edge.types import Box, Frame, Pixels, Reading
from edge.vision.settings import VisionSettings
from tests.scoreboard.base_pages import Rng
from tests.scoreboard.hands import Hands, load_hands

WIDTHS = (640, 1024, 1296, 1536, 2028, 2304, 4056)
"""Frame widths, pixels: of USB cameras, and of the modes of the Pi's cameras."""
ACROSS_MM, DOWN_MM = 312.0, 234.0
"""What the camera sees: an A4 page, 297 x 210 mm, with its rim, in a frame of 4:3."""
FULL = 4056
"""Pages are drawn at this width, pixels, and reduced."""
MARGIN_MM = 15.0
"""Paper left blank around the writing."""
TALL_MM = (4.0, 8.0)
"""Height of the digits. Chosen: the lines of ruled paper are 7 to 9 mm apart."""
PEN_MM = (0.3, 0.8)
"""Width of the line: a ballpoint's to a felt-tip's."""
BANDS = (8, 10, 12, 14, 16, 20, 24, 32, 48, 200)
"""Heights of digits, pixels of the frame, that the second table tells apart."""
NEAR = 0.35
"""What is read belongs to a digit whose middle is at most so many of its heights away."""


class Page(NamedTuple):
    """A page as it is written."""

    ink: Pixels
    """(height, FULL) uint8, 0 = none, 255 = full."""
    digits: str
    boxes: tuple[Box, ...]
    """Where each of them is, pixels of ``ink``."""
    em_mm: float
    """How tall this hand writes digits."""


def write_page(rng: Rng, hands: Hands) -> Page:
    """Numbers of two to six digits by one hand, one to four on each of four to fourteen lines."""
    scale = FULL / ACROSS_MM
    em_mm, hand = float(rng.uniform(*TALL_MM)), hands.pick(rng)
    em, pen = em_mm * scale, float(rng.uniform(*PEN_MM)) * scale
    height = round(DOWN_MM * scale)
    ink, digits, boxes = np.zeros((height, FULL), np.uint8), [], []
    margin, pitch = MARGIN_MM * scale, em * rng.uniform(1.5, 2.2)
    columns, y = int(rng.integers(1, 5)), margin + (DOWN_MM - 210) / 2 * scale
    for _ in range(int(rng.integers(4, 15))):
        if y + 1.4 * em > height - margin:
            break
        for column in range(columns):
            text = "".join(map(str, rng.integers(0, 10, int(rng.integers(2, 7)))))
            line = hand.write(rng, text, em, pen)
            room = (FULL - 2 * margin) / columns
            left = round(margin + column * room + rng.uniform(0, 0.15) * room)
            top = round(y + rng.normal(0, 0.04) * em)
            tall, wide = line.ink.shape
            if left + wide > margin + (column + 1) * room:
                continue
            part = ink[top : top + tall, left : left + wide]
            np.maximum(part, line.ink[: len(part)], out=part)
            digits.append(text)
            boxes += [Box(b.x + left, b.y + top, b.width, b.height) for b in line.boxes]
        y += pitch
    return Page(ink, "".join(digits), tuple(boxes), em_mm)


def photograph(rng: Rng, page: Page, width: int) -> Pixels:
    """The page as a camera of this frame width, pixels, sees it: (height, width) uint8."""
    paper, taken, lit = rng.uniform(170, 230), rng.uniform(0.5, 0.9), rng.uniform(0, 0.3)
    blurred, noise, is_jpeg, quality = (
        rng.uniform(0.5, 1.0),
        rng.uniform(2, 5),
        rng.uniform() < 0.5,
        rng.integers(75, 93),
    )
    size = (width, round(width * page.ink.shape[0] / page.ink.shape[1]))
    ink = cv2.resize(page.ink, size, interpolation=cv2.INTER_AREA)
    grey = virtual_camera.light(virtual_camera.write(ink, paper, taken), rng, lit)
    grey = virtual_camera.noise(virtual_camera.blur(grey, blurred), rng, noise)
    # An ISP's denoising and sharpening, or a webcam's JPEG.
    soft = cv2.GaussianBlur(grey, (0, 0), 0.6)
    grey = cv2.addWeighted(soft, 1.6, cv2.GaussianBlur(soft, (0, 0), 1.2), -0.6, 0)
    return virtual_camera.jpeg(grey, int(quality)) if is_jpeg else grey


def judge(reading: Reading, page: Page, width: int) -> tuple[list[str], int]:
    """For each digit of the page ``right``, ``misread`` or ``lost``; and how many were read where none is."""
    scale, free = width / FULL, list(reading.digits)
    middles = np.array([(d.box.x + d.box.width / 2, d.box.y + d.box.height / 2) for d in free]).reshape(-1, 2)
    answers = []
    taken = set[int]()
    for digit, box in zip(page.digits, page.boxes, strict=True):
        middle = np.array([box.x + box.width / 2, box.y + box.height / 2]) * scale
        away = np.hypot(*(middles - middle).T) / (scale * max(box.width, box.height))
        near = [i for i in np.argsort(away).tolist() if away[i] <= NEAR and i not in taken][:1]
        taken.update(near)
        answers.append("lost" if not near else "right" if free[near[0]].digit == int(digit) else "misread")
    return answers, len(free) - len(taken)


@dataclass(slots=True)
class Seen:
    """What was seen at one frame width."""

    answers: list[str] = field(default_factory=list)
    invented: int = 0
    """Digits that were read where none is."""
    changed_ms: list[float] = field(default_factory=list)
    """Processor time of a frame that is read."""
    unchanged_ms: list[float] = field(default_factory=list)
    """Processor time of a frame that shows the same page: it is only compared."""


def measure(
    hands: Hands, pages: int, widths: Sequence[int], vision: VisionSettings
) -> tuple[dict[int, Seen], dict[int, list[str]]]:
    """What was seen at each frame width; and the answers by the height of the digits, each the first of its band."""
    seen = {width: Seen() for width in widths}
    by_height: dict[int, list[str]] = {}
    with Reader(vision=vision) as reader:
        for number in range(pages):
            page = write_page(np.random.default_rng([1, number]), hands)
            for width, one in seen.items():
                frame = Frame(photograph(np.random.default_rng([2, number]), page, width), "A4")
                detector = ChangeDetector()
                detector.is_unchanged(frame, 0.0)
                started = time.process_time()
                reading = reader.read(frame)
                one.changed_ms.append(1000 * (time.process_time() - started))
                detector.mark_read()
                # A new frame: it is not yet reduced.
                again = Frame(frame.pixels, "A4", 1)
                started = time.process_time()
                detector.is_unchanged(again, 0.1)
                one.unchanged_ms.append(1000 * (time.process_time() - started))
                answers, invented = judge(reading, page, width)
                one.answers += answers
                one.invented += invented
                height = page.em_mm * width / ACROSS_MM
                band = max((least for least in BANDS if least <= height), default=0)
                by_height.setdefault(band, []).extend(answers)
    return seen, by_height


def share(answers: Sequence[str], which: str) -> str:
    """The share of the answers that are ``which``, for a table."""
    return f"{100 * answers.count(which) / max(1, len(answers)):.1f} %"


def main() -> None:
    """Measure and print two tables."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--data", metavar="FOLDER", type=Path, default=os.environ.get("EDGE_DATA") or None)
    options.add_argument("--pages", metavar="N", type=int, default=40, help="pages at each size (default: %(default)s)")
    options.add_argument("--widths", metavar="N", type=int, nargs="+", default=WIDTHS, help="frame widths, pixels")
    options.add_argument("--working-size", metavar="N", type=int, default=VisionSettings().working_size)
    arguments = options.parse_args()
    hands = load_hands(arguments.data) if arguments.data else None
    if hands is None:
        sys.exit("frame_sizes: EDGE_DATA names no folder with marks/; name one with --data")
    after_imports()
    vision = VisionSettings(working_size=arguments.working_size)
    seen, by_height = measure(hands, arguments.pages, arguments.widths, vision)
    digits = len(seen[arguments.widths[0]].answers)
    print(f"{arguments.pages} pages, {digits} digits, working size {vision.working_size}\n")
    print("| frame | a digit of 5 mm | read right | misread | not read | invented | read, ms | compared, ms |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for width, one in seen.items():
        print(
            f"| {width}x{round(width * DOWN_MM / ACROSS_MM)} | {5 * width / ACROSS_MM:.0f} px |"
            f" {share(one.answers, 'right')} | {share(one.answers, 'misread')} | {share(one.answers, 'lost')} |"
            f" {one.invented} | {np.median(one.changed_ms):.0f} | {np.median(one.unchanged_ms):.1f} |"
        )
    print("\n| height of the digits | digits | read right | misread | not read |\n|---|---:|---:|---:|---:|")
    for least, answers in sorted(by_height.items()):
        most = next((to for to in BANDS if to > least), BANDS[-1])
        print(
            f"| {least} to {most} px | {len(answers)} | {share(answers, 'right')} | {share(answers, 'misread')} |"
            f" {share(answers, 'lost')} |"
        )


if __name__ == "__main__":
    main()
