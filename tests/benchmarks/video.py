"""Generated films with known truth: digits are written, changed and wiped off while a camera is disturbed.

Only the page is drawn; hands, light, blur and noise are cheap changes of each frame. As a program it measures the
tracker: ``python -m tests.benchmarks.video --seeds 100-116``.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np

from edge.handwriting import rendering, virtual_camera
from edge.handwriting.styles import WritingStyle, random_style
from edge.reading.reader import Reader
from edge.types import Frame, Pixels
from tests.support.line import Line

SIZE = (640, 480)
"""Width and height of a frame, pixels."""
START = datetime(2026, 11, 23, 12, tzinfo=UTC)
CHANGES = ("appear", "one", "all", "append", "shorten", "line", "clear")
"""Changes of the writing: each is an event."""
NUISANCES = ("still", "hand", "slow hand", "motion", "defocus", "noise", "light", "flash", "shift", "dropout")
"""Disturbances of the picture: none is an event."""
LATEST = 0.5
"""Seconds after which a change counts as missed."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One frame of a film."""

    pixels: Pixels
    seconds: float
    truth: str
    """What is written on the page, even if a hand covers it; lines joined by newlines."""
    coming: str
    """What will be written when the hand is gone; parts may be visible before. ``truth`` if no hand writes."""
    scene: str
    """The change or disturbance that goes on."""


class Sheet:
    """A page of cells with a digit each; when one is written anew, the others stay as they are."""

    def __init__(self, rng: np.random.Generator, hand: WritingStyle) -> None:
        self.rng, self.hand = rng, hand
        self.size = int(rng.integers(56, 96))
        self.rows: list[list[tuple[int, Pixels]]] = []
        self.paper, self.strength = float(rng.uniform(170, 245)), float(rng.uniform(0.5, 0.95))
        self.light = virtual_camera.light(np.full(SIZE[::-1], 255, np.uint8), rng, float(rng.uniform(0, 0.35)))
        self.left, self.top = int(rng.integers(20, 90)), int(rng.integers(30, 100))

    @property
    def truth(self) -> str:
        return "\n".join("".join(str(digit) for digit, _ in row) for row in self.rows)

    @property
    def room(self) -> int:
        """Most digits in a line."""
        return min(7, (SIZE[0] - self.left - 40) // self.size)

    def cell(self, other_than: int | None = None) -> tuple[int, Pixels]:
        digit = int(self.rng.choice([d for d in range(10) if d != other_than]))
        drawn = rendering.draw(digit, self.rng, self.hand)
        pen = max(3.0, self.hand.pen * self.size * 0.8)
        return digit, rendering.render(drawn, self.size, int(self.size * 0.8), pen)

    def write(self, lines: Sequence[int]) -> None:
        self.rows = [[self.cell() for _ in range(count)] for count in lines]

    def page(self) -> Pixels:
        """The page in its light, (480, 640) uint8, without disturbances."""
        ink = np.zeros(SIZE[::-1], np.uint8)
        for y, row in enumerate(self.rows):
            for x, (_, drawn) in enumerate(row):
                top, left = self.top + y * int(self.size * 1.5), self.left + x * self.size
                ink[top : top + self.size, left : left + drawn.shape[1]] = drawn
        page = virtual_camera.write(ink, self.paper, self.strength)
        return (page.astype(np.uint16) * self.light >> 8).astype(np.uint8)


def arm(rng: np.random.Generator) -> tuple[Pixels, Pixels]:
    """A forearm and fist that come into the picture from below or above: grey, and a mask of it (0 to 255)."""
    width, height = int(rng.integers(110, 190)), SIZE[1]
    skin, mask = np.zeros((height, width), np.float32), np.zeros((height, width), np.uint8)
    tip = int(rng.integers(20, 80))
    cv2.line(mask, (width // 2, tip + width // 2), (width // 2, height), 255, int(width * 0.7))
    cv2.ellipse(mask, (width // 2, tip + width // 2), (width // 2 - 4, int(width * 0.55)), 0, 0, 360, 255, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 2)
    skin += rng.uniform(80, 170) + np.linspace(-35, 25, width, dtype=np.float32)[None]
    for finger in range(1, 4):
        x = width * finger // 4
        cv2.line(skin, (x, tip + 8), (x, tip + width // 2), float(skin.mean()) - 35, 3)
    skin += cv2.resize(rng.normal(0, 12, (height // 16, width // 16)).astype(np.float32), (width, height))
    skin = np.clip(skin, 0, 255).astype(np.uint8)
    return (skin[::-1].copy(), mask[::-1].copy()) if rng.uniform() < 0.3 else (skin, mask)


def lay_on(page: Pixels, hand: tuple[Pixels, Pixels], x: int) -> Pixels:
    """The page with a hand on it, whose left side is at ``x``."""
    skin, mask = hand
    left, right = max(0, x), min(page.shape[1], x + skin.shape[1])
    if left >= right:
        return page
    page = page.copy()
    share = mask[:, left - x : right - x].astype(np.uint16)
    window = page[:, left:right]
    page[:, left:right] = (window * (255 - share) + skin[:, left - x : right - x] * share) // 255
    return page


def motion_blur(page: Pixels, length: int, angle: float) -> Pixels:
    """The page blurred by a movement of ``length`` pixels at ``angle`` radians."""
    kernel = np.zeros((length, length), np.float32)
    middle, step = (length - 1) / 2, np.array([np.cos(angle), np.sin(angle)]) * (length - 1) / 2
    ends = [(round(middle + sign * step[0]), round(middle + sign * step[1])) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return cv2.filter2D(page, -1, kernel / kernel.sum())


def film(seed: int, reader: Reader, *, seconds: float = 20.0, fps: float = 30.0) -> Iterator[Shot]:
    """A film. Each of its pages is read rightly when it is not disturbed, so that the film tests the tracker."""
    rng = np.random.default_rng([seed, 77])
    grains = [rng.normal(0, 1, SIZE[::-1]).astype(np.float32) for _ in range(4)]
    sensor = float(rng.uniform(0.5, 5))
    sheet = Sheet(rng, random_style(rng))
    page, at, index, offset = sheet.page(), 0.0, 0, np.zeros(2)

    def noisy(clean: Pixels, sigma: float) -> Pixels:
        grain = np.roll(grains[int(rng.integers(4))], tuple(rng.integers(0, 400, 2)), (0, 1)) * np.float32(sigma)
        return cv2.add(clean, grain, dtype=cv2.CV_8U)

    def changed(what: str) -> Pixels:
        """The page after a change: the first of up to 40 that the reader reads rightly."""
        before = sheet.rows
        for attempt in range(40):
            sheet.rows = [list(row) for row in before]
            _change(sheet, what, rng)
            fresh = sheet.page()
            moved = cv2.warpAffine(
                fresh, np.float32([[1, 0, offset[0]], [0, 1, offset[1]]]), SIZE, borderMode=cv2.BORDER_REPLICATE
            )
            if all(reader.read(noisy(moved, sensor)).text == sheet.truth for _ in range(3)):
                return fresh
            if attempt % 10 == 9:
                sheet.hand = random_style(rng)
        sheet.rows = []
        return sheet.page()

    while at < seconds:
        what = _choose_scene(sheet, rng)
        length = float(rng.uniform(1.0, 2.2))
        behind = what in CHANGES and rng.uniform() < 0.25
        hand = arm(rng) if "hand" in what or behind else None
        speed = float(rng.uniform(140, 300)) if what == "slow hand" else float(rng.uniform(500, 1500))
        if hand is not None:
            length = (SIZE[0] + hand[0].shape[1]) / speed + 0.6
        upcoming, truth = page, sheet.truth
        if what in CHANGES:
            upcoming = changed(what)
        bursts = sorted(rng.uniform(0, length, 3))
        burst, angle, smeared = float(rng.uniform(0.02, 0.15)), float(rng.uniform(0, np.pi)), int(rng.integers(9, 30))
        gain, drift = float(rng.uniform(0.55, 1.15)), rng.uniform(-40, 40, 2)
        began, from_offset = at, offset.copy()
        while at < began + length:
            since = at - began
            if not behind or hand is None:
                page, truth = upcoming, sheet.truth
            shown = page
            if what == "shift":
                share = min(1.0, since / (0.7 * length))
                offset = np.clip(from_offset + share * drift, -15, 30)
            if offset.any():
                matrix = np.float32([[1, 0, offset[0]], [0, 1, offset[1]]])
                shown = cv2.warpAffine(shown, matrix, SIZE, borderMode=cv2.BORDER_REPLICATE)
            if hand is not None:
                x = round(since * speed) - hand[0].shape[1]
                if behind and x > SIZE[0]:
                    page, truth = upcoming, sheet.truth
                elif behind:
                    # The hand writes: where it has passed, the page is already the new one.
                    both = (
                        shown,
                        cv2.warpAffine(
                            upcoming,
                            np.float32([[1, 0, offset[0]], [0, 1, offset[1]]]),
                            SIZE,
                            borderMode=cv2.BORDER_REPLICATE,
                        ),
                    )
                    cut = max(0, x + hand[0].shape[1] // 2)
                    shown = np.hstack([both[1][:, :cut], both[0][:, cut:]])
                shown = lay_on(shown, hand, x)
            in_burst = any(start <= since < start + burst for start in bursts)
            if what == "motion" and in_burst:
                shown = motion_blur(shown, smeared, angle)
            if what == "defocus" and bursts[0] <= since < bursts[0] + 3 * burst:
                shown = virtual_camera.blur(shown, 2 + smeared / 4)
            if what == "light":
                shown = cv2.convertScaleAbs(shown, alpha=1 + (gain - 1) * min(1.0, since / 0.2))
            if what == "flash" and in_burst:
                shown = cv2.convertScaleAbs(shown, alpha=0.35 if gain < 0.85 else 1.8)
            if what == "dropout" and in_burst and sheet.rows:
                # A reflection hides half a digit for a moment.
                x = sheet.left + int(offset[0]) + int(sheet.size * (0.1 + (smeared % len(sheet.rows[0]))))
                shown = shown.copy()
                cv2.circle(shown, (x, sheet.top + sheet.size // 2), sheet.size // 3, 255, -1)
            shown = noisy(shown, sensor * (4 if what == "noise" else 1))
            yield Shot(shown, at, truth, sheet.truth, f"{what} behind a hand" if behind else what)
            index += 1
            at = index / fps
        page = upcoming


def _choose_scene(sheet: Sheet, rng: np.random.Generator) -> str:
    """The next change or disturbance; a change nearly half of the time."""
    if not sheet.rows:
        return "appear" if rng.uniform() < 0.7 else str(rng.choice(["still", "hand", "noise", "flash"]))
    possible = [what for what in CHANGES if what != "appear"]
    if len(sheet.rows[-1]) >= sheet.room:
        possible.remove("append")
    if len(sheet.rows[-1]) < 2:
        possible.remove("shorten")
    if len(sheet.rows) > 1:
        possible.remove("line")
    return str(rng.choice(possible if rng.uniform() < 0.45 else NUISANCES))


def _change(sheet: Sheet, what: str, rng: np.random.Generator) -> None:
    if what in ("appear", "all"):
        before = sheet.truth
        while sheet.truth == before:
            sheet.write(rng.integers(1, sheet.room + 1, int(rng.integers(1, 3))).tolist())
    elif what == "one":
        row = sheet.rows[int(rng.integers(len(sheet.rows)))]
        i = int(rng.integers(len(row)))
        row[i] = sheet.cell(other_than=row[i][0])
    elif what == "append":
        sheet.rows[-1].append(sheet.cell())
    elif what == "shorten":
        sheet.rows[-1].pop()
    elif what == "line":
        sheet.rows.append([sheet.cell() for _ in range(int(rng.integers(1, sheet.room + 1)))])
    else:
        sheet.rows = []


def track_film(seed: int, reader: Reader, fps: float, seconds: float) -> tuple[list[str], list[float], list[float]]:
    """Read and track one film: errors, seconds to each event, microseconds of tracking of each frame."""
    line, before = Line(reader), ""
    early: str | None = None
    changes: list[tuple[float, str, str]] = []
    wrong, latencies, costs = [], [], []
    for n, shot in enumerate(film(seed, reader, seconds=seconds, fps=fps)):
        if shot.truth != before:
            if shot.truth != early:
                changes.append((shot.seconds, shot.truth, shot.scene))
            before, early = shot.truth, None
        frame = Frame(shot.pixels, "film:", n, START + timedelta(seconds=shot.seconds))
        _, events = line.see(frame, shot.seconds)
        costs.append(line.tracked * 1e6)
        for event in events:
            mine = next((change for change in changes if change[1] == event.text), None)
            if mine is None and event.text == shot.coming != shot.truth:
                early = shot.coming
            elif mine is None:
                wrong.append(f"false: {seed} at {shot.seconds:.2f} s ({shot.scene}): {event.text!r} for {shot.truth!r}")
            else:
                latencies.append(late := shot.seconds - mine[0])
                if late > LATEST:
                    wrong.append(f"late: {seed} at {mine[0]:.2f} s ({mine[2]}): {event.text!r} by {late:.2f} s")
                changes.remove(mine)
    # A change right at the end of the film has no time left to be reported.
    late = (change for change in changes if change[0] < shot.seconds - LATEST)
    return wrong + [f"missed: {seed} at {at:.2f} s ({what}): {text!r}" for at, text, what in late], latencies, costs


def main() -> None:
    """Measure the tracker on films: how late changes are reported, and what is missed, late or false."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seeds", default="1-8", help="seeds of the first and the last film")
    parser.add_argument("--fps", type=float, default=30.0)
    parser.add_argument("--seconds", type=float, default=20.0, help="length of each film")
    arguments = parser.parse_args()
    first, last = map(int, arguments.seeds.split("-"))
    cv2.setNumThreads(1)
    latencies, costs = [], []
    with Reader() as reader:
        for seed in range(first, last + 1):
            wrong, some, took = track_film(seed, reader, arguments.fps, arguments.seconds)
            latencies += some
            costs += took
            for line in wrong:
                print(line)
    print(
        f"{len(costs)} frames, {len(latencies)} changes reported after {statistics.median(latencies):.3f} s (median), "
        f"{max(latencies):.3f} s at worst; {statistics.median(costs):.0f} us a frame"
    )


if __name__ == "__main__":
    main()
