"""Frames that no camera should give: of one pixel, of 16k pixels a side, and each of another size."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge.reading.annotate import annotate
from edge.reading.reader import Reader
from edge.types import Frame, Pixels
from edge.web.pictures import describe_frame
from tests.support.mosquitto import eventually, free_port
from tests.support.patience import patience

ROOT = Path(__file__).parents[2]
SHAPES = [(1, 1), (1, 2), (2, 1), (3, 3), (1, 65_536), (65_536, 1), (20, 20_000)]
"""Height and width."""


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_frame_of_any_shape_is_read(shape: tuple[int, int], reader: Reader) -> None:
    noise = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    for pixels in (np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8), noise):
        assert reader.read(pixels).text == ""
        analysis = reader.analyse(Frame(pixels, "odd", 0))
        assert annotate(pixels, analysis).size and describe_frame(pixels, analysis), "it can be shown"


@pytest.mark.slow
def test_a_frame_of_16k_pixels_a_side_is_read(reader: Reader, page: Callable[..., Pixels]) -> None:
    whole = np.full((16_384, 16_384), 200, np.uint8)
    part = page("2357").repeat(8, 0).repeat(8, 1)
    whole[1000 : 1000 + part.shape[0], 1000 : 1000 + part.shape[1]] = part
    reading = reader.read(whole)
    assert reading.model, "it gives a reading, whatever it says"


PROGRAM = """
import sys, time
from datetime import UTC, datetime
import numpy as np
from edge.sources import SCHEMES
from edge.sources.base import Camera
from edge.sources.synthetic import Synthetic

class Odd(Camera):
    SIZES = ((480, 640), (1, 1), (1200, 1600), (1, 4000), (64, 96), (3000, 4000), (2, 2), (4000, 1))
    def __init__(self, what):
        self.name, self.shown = "odd:", 0
        self.page = next(iter(Synthetic(size=(640, 480), digits=3, difficulty=0))).pixels
    def open(self): pass
    def close(self): pass
    def read(self):
        time.sleep(0.02)
        height, width = self.SIZES[self.shown % len(self.SIZES)]
        self.shown += 1
        picture = np.full((height, width), 230, np.uint8)
        part = self.page[:height, :width]
        picture[:part.shape[0], :part.shape[1]] = part
        return picture, datetime.now(UTC)

import types
module = types.ModuleType("odd")
module.Odd = Odd
sys.modules["odd"] = module
SCHEMES["odd"] = "odd:Odd"
from edge.cli import main
sys.exit(main(sys.argv[1:]))
"""
"""``edge run`` with a camera whose frames have another size each time."""


@pytest.mark.slow
def test_a_camera_that_changes_its_size_at_each_frame_is_read(tmp_path: Path) -> None:
    out, port = tmp_path / "out.jsonl", free_port()
    command = [sys.executable, "-W", "error", "-c", PROGRAM, "run", "--source", "odd:", "--publish", f"jsonl:{out}"]
    command += ["--state", str(tmp_path / "state"), "--web", f"127.0.0.1:{port}"]

    def readings() -> list[str]:
        return out.read_text().splitlines() if out.exists() else []

    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as process:
        try:
            eventually(lambda: len(readings()) > 10)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/live", timeout=patience(20)) as live:
                assert b"data:" in live.read(100_000), "the live page shows them, too"
            eventually(lambda: len(readings()) > 40)
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=patience(20))
        finally:
            process.kill()
    assert process.returncode == 0
    assert "Traceback" not in errors and errors.count("\n") == 1, errors
    texts = [one.get("text") for one in map(json.loads, readings()) if "frame" in one]
    assert any(texts) and "" in texts
