"""A virtual camera: turns a page of ink into a picture with paper, light, tilt, blur and noise, for tests, demo and
training.

All functions are pure: the same seed gives the same picture. A page is (height, width) uint8, 0 = black, 255 = white.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from edge.types import Pixels


def write(ink: Pixels, paper: float, strength: float) -> Pixels:
    """Ink on paper: full ``ink`` (0 = none, 255 = full) darkens paper of grey ``paper`` by the share ``strength``.

    ``strength`` is 0 to 1; a negative one is chalk, which brightens the board towards 255 by that share.
    """
    room = paper if strength >= 0 else paper - 255
    return np.clip(paper - ink.astype(np.float32) * (room * abs(strength) / 255), 0, 255).astype(np.uint8)


def light(page: Pixels, rng: np.random.Generator, strength: float) -> Pixels:
    """Uneven light: a slope in a random direction and a vignette; together they darken by at most ``strength`` (0 to
    1)."""
    height, width = page.shape
    angle = rng.uniform(0, 2 * np.pi)
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    slope = (math.cos(angle) * x + math.sin(angle) * y) / (2 * math.sqrt(2)) + 0.5
    vignette = (np.square(x - rng.uniform(-0.4, 0.4)) + np.square(y - rng.uniform(-0.4, 0.4))) / 4
    mix = rng.uniform()
    dimmed = 1 - strength * np.minimum(mix * slope + (1 - mix) * vignette, 1)
    return (page * dimmed).astype(np.uint8)


def tilt(page: Pixels, rng: np.random.Generator, strength: float, paper: int) -> Pixels:
    """The page seen at an angle: each corner moves by at most ``strength``, a share of the shorter side."""
    height, width = page.shape
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners + rng.uniform(-1, 1, (4, 2)).astype(np.float32) * strength * min(height, width)
    matrix = cv2.getPerspectiveTransform(corners, moved)
    return cv2.warpPerspective(page, matrix, (width, height), borderMode=cv2.BORDER_CONSTANT, borderValue=paper)


def blur(page: Pixels, sigma: float) -> Pixels:
    """Out of focus: a Gaussian blur of ``sigma`` pixels; none up to 0.2."""
    return cv2.GaussianBlur(page, (0, 0), sigma) if sigma > 0.2 else page


def noise(page: Pixels, rng: np.random.Generator, sigma: float) -> Pixels:
    """Sensor noise: Gaussian, ``sigma`` grey levels."""
    if sigma <= 0:
        return page
    grain = (rng.standard_normal(page.shape, np.float32) * sigma).astype(np.int16)
    return np.clip(page + grain, 0, 255).astype(np.uint8)


def jpeg(page: Pixels, quality: int) -> Pixels:
    """The page saved as a JPEG of ``quality`` 1 to 100, and loaded again."""
    packed: Pixels = cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    unpacked = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)
    assert unpacked is not None, "what was just packed"
    return unpacked


def margin(ink: Pixels) -> int:
    """The distance from the ink to the border of the picture, in pixels."""
    x, y, width, height = cv2.boundingRect(ink)
    return int(min(x, y, ink.shape[1] - x - width, ink.shape[0] - y - height))


def lens_image(ink: Pixels, rng: np.random.Generator, difficulty: float = 1.0, *, chalk: bool = False) -> Pixels:
    """A page of ink (0 = none, 255 = full) as the camera's lens shows it, without the sensor's noise.

    ``difficulty`` 0 is black on white (with ``chalk`` white on black), 1 a desk under a lamp, 2 a badly lit one.
    """
    height, width = ink.shape
    # Only the ink is tilted, because the paper fills the whole picture; and only so far that no writing is cut off.
    ink = tilt(ink, rng, min(0.02 * difficulty, 0.6 * margin(ink) / min(height, width)), paper=0)
    dimming = rng.uniform(5, 90) * difficulty
    paper = min(dimming, 150) if chalk else max(255 - dimming, 60)
    strength = max(1 - rng.uniform(0, 0.4) * difficulty, 0.25)
    page = write(ink, paper, -strength if chalk else strength)
    page = light(page, rng, min(rng.uniform(0, 0.4) * difficulty, 0.8))
    return blur(page, rng.uniform(0, 1.2) * difficulty * min(height, width) / 480)


def sensor_noise(page: Pixels, rng: np.random.Generator, difficulty: float = 1.0) -> Pixels:
    """The page with the noise of one exposure, up to 6 grey levels (standard deviation) at ``difficulty`` 1."""
    return noise(page, rng, rng.uniform(0, 6) * difficulty)


def photograph(ink: Pixels, rng: np.random.Generator, difficulty: float = 1.0, *, chalk: bool = False) -> Pixels:
    """A page of ink (0 = none, 255 = full) as a camera sees it: paper, light, tilt, blur and noise.

    ``difficulty`` 0 is a clean scan, 1 an ordinary desk under a lamp, 2 a badly lit one. The same seed gives the same
    picture.
    """
    return sensor_noise(lens_image(ink, rng, difficulty, chalk=chalk), rng, difficulty)
