"""What several test files need: the data folder, where there is one, and pages of known digits."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import cv2
import hypothesis
import numpy as np
import pytest

from edge.handwriting import rendering
from edge.reading.reader import Reader
from edge.types import Pixels
from tests.support import needs

cv2.setNumThreads(1)
# A shell has what it starts with & ignore Ctrl-C, and that is inherited; some tests press it.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# Speed is for benchmarks: a test has no deadline. The same examples every time, so that a failure is found again.
hypothesis.settings.register_profile("project", deadline=None, derandomize=True)
hypothesis.settings.load_profile("project")
LEFT_OUT = needs.left_out()
collect_ignore = list(map(str, LEFT_OUT))
pytest_plugins = ["tests.support.tiers"]


def pytest_report_header() -> list[str]:
    """Which files are left out, and for want of what: the workstation's, where there is no TensorFlow."""
    lacks = sorted({tuple(sorted(lack)) for lack in LEFT_OUT.values()})
    names = [", ".join(path.stem for path, lack in LEFT_OUT.items() if lack == set(one)) for one in lacks]
    return [f"left out for want of {' and '.join(one)}: {those}" for one, those in zip(lacks, names, strict=True)]


@pytest.fixture(autouse=True)
def state_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test's ``edge run`` remembers is no other one's, and not in anybody's home."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real data; tests that want it are skipped without it."""
    place = os.environ.get("EDGE_DATA", "")
    if not place or not Path(place).is_dir():
        pytest.skip("EDGE_DATA names no folder of real data")
    return Path(place)


@pytest.fixture(scope="session")
def reader() -> Reader:
    """The reader with the packaged model."""
    return Reader()


@pytest.fixture(scope="session")
def page() -> Callable[..., Pixels]:
    """Makes a clean page, (480, 640) uint8, of the stroke model's digits: dark on light unless ``light_ink``."""

    def make(*lines: str, seed: int = 1, light_ink: bool = False, height: int = 480, width: int = 640) -> Pixels:
        ink, _ = rendering.page(lines, height, width, np.random.default_rng(seed))
        grey = (230 - ink.astype(np.float32) * (180 / 255)).astype(np.uint8)
        return cv2.bitwise_not(grey) if light_ink else grey  # type: ignore[return-value]

    return make
