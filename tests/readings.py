"""Whether a machine reads as the one does on which readings were recorded: ``python -m tests.readings``.

The pages are drawn here, and are the same bytes everywhere; ``--record`` writes down what is read on them, in
``tests/readings.json``, which is made on x86-64 with LiteRT and the newest NumPy and OpenCV.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import sys
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.handwriting import rendering, virtual_camera
from edge.model.classifier import RUNTIMES, Model
from edge.model.golden_digits import golden_glyphs
from edge.reading.reader import Reader
from edge.types import Pixels

RECORD = Path(__file__).with_suffix(".json")
SIZES = ((160, 120), (320, 240), (480, 640), (640, 480), (1280, 960), (200, 900))
"""Width and height of the pages, pixels."""
PAGES = 24
BOX_PIXELS = 2
"""So far may a side of a digit's box be from where it was recorded: OpenCV rounds otherwise on ARM;"""
CONFIDENCE = 0.03
"""so far its confidence;"""
DOUBT = 0.05
"""so far, where two digits are on one another, the probability of any: tflite-runtime rounds int8 sums otherwise."""


@cache
def pages() -> tuple[tuple[Pixels, str], ...]:
    """Pages of each size and of growing difficulty, 0 to 2, every fifth in chalk, two empty; and what they say."""
    return tuple(_page(n) for n in range(PAGES))


def _page(n: int) -> tuple[Pixels, str]:
    rng = np.random.default_rng([2, n])
    (width, height), difficulty, chalk = SIZES[n % 6], n // 6 * 2 / 3, n % 5 == 4
    rows = min(int(rng.integers(1, 4)), height // 60) if n % 12 != 9 else 0
    written = ["".join(map(str, rng.integers(0, 10, rng.integers(1, min(6, width // 40) + 1)))) for _ in range(rows)]
    ink, _ = rendering.page(written, height, width, rng)
    # As edge.handwriting.virtual_camera.lens_image, but blurred more and not tilted: OpenCV 4 and 5 do not warp alike.
    dimming, faintness = rng.uniform(5, 90) * difficulty, rng.uniform(0, 0.4) * difficulty
    page = virtual_camera.write(ink, dimming if chalk else 255 - dimming, (1 - faintness) * (-1 if chalk else 1))
    page = virtual_camera.light(page, rng, rng.uniform(0, 0.4) * difficulty)
    page = virtual_camera.blur(page, rng.uniform(0, 3) * difficulty * min(height, width) / 480)
    return virtual_camera.sensor_noise(page, rng, difficulty), "\n".join(written)


def readings(runtime: str) -> list[dict[str, Any]]:
    """What is read on each page with the packaged model; confidences to four digits, which is finer than any step."""
    found = []
    with Reader(Model(runtime=runtime)) as reader:
        for pixels, _ in pages():
            reading = reader.read(pixels)
            found.append(
                {
                    "page": hashlib.sha256(pixels).hexdigest(),
                    "text": reading.text,
                    "reason": reading.reason,
                    "boxes": [list(map(int, digit.box)) for digit in reading.digits],
                    "confidences": [round(float(digit.confidence), 4) for digit in reading.digits],
                    "unread": len(reading.unread),
                }
            )
    return found


def doubts(runtime: str) -> NDArray[np.float64]:
    """Probabilities (50, classes) of golden digits that lie two on one another: on pages nearly all is certain."""
    glyphs, _ = golden_glyphs()
    two = (glyphs.astype(np.uint16) + np.roll(glyphs, 7, axis=0)) // 2
    with Model(runtime=runtime) as model:
        return model.predict(two.astype(np.uint8)).astype(float).round(4)


def recorded() -> dict[str, Any]:
    """``readings`` and ``doubts`` as they were recorded."""
    found: dict[str, Any] = json.loads(RECORD.read_text("utf-8"))
    return found


def installed() -> list[str]:
    """The TFLite runtimes that are here."""
    return [name for name in RUNTIMES if find_spec(name)]


def furthest(found: list[dict[str, Any]], then: list[dict[str, Any]], what: str) -> float:
    """The greatest difference of any number of ``boxes`` or ``confidences``; infinite where there are more or fewer."""
    most = 0.0
    for one, other in zip(found, then, strict=True):
        here, there = np.array(one[what], float), np.array(other[what], float)
        most = max(most, np.inf if here.shape != there.shape else np.abs(here - there).max(initial=0.0))
    return most


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--record", action="store_true", help="write down what the first runtime reads here")
    asked = parser.parse_args()
    if asked.record:
        first = installed()[0]
        lines = {"readings": readings(first), "doubts": doubts(first).tolist()}
        parts = (f'"{name}": [\n' + ",\n".join(map(json.dumps, all_of_it)) + "\n]" for name, all_of_it in lines.items())
        RECORD.write_text("{" + ",\n".join(parts) + "}\n", "utf-8")
    for runtime in installed():
        found, then = readings(runtime), recorded()["readings"]
        doubt = np.abs(doubts(runtime) - recorded()["doubts"]).max()
        same = {what: sum(a[what] == b[what] for a, b in zip(found, then, strict=True)) for what in ("page", "text")}
        print(
            f"{runtime.replace('_', '-')} {version(runtime)}, OpenCV {cv2.__version__}, NumPy {np.__version__}, Python"
            f" {platform.python_version()} on {platform.machine()}: {same['page']} of {PAGES} pages are the recorded"
            f" ones, {same['text']} read the same; boxes differ by up to {furthest(found, then, 'boxes'):g} pixels,"
            f" confidences by up to {furthest(found, then, 'confidences'):.4f}, those of doubtful digits by {doubt:.4f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
