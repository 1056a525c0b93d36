"""Measures the memory of ``edge run`` with a camera, a store and a broker: ``python -m tests.faults.resident``.

The camera is a stand-in for picamera2 that returns pages, so only the project's own memory is measured. On a Pi,
libcamera and picamera2 need more.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

import numpy as np

from edge.commands.bench.startup import memory
from edge.sources import open_source
from tests.support.mosquitto import Broker

PAGES = 8
STAND_IN = """
import time
import numpy as np

PAGES = np.load({pages!r}, mmap_mode="r")


class Request:
    def __init__(self, page):
        self._page = page

    def make_buffer(self, name):
        return np.array(self._page).reshape(-1)

    def get_metadata(self):
        return {{"SensorTimestamp": time.clock_gettime_ns(time.CLOCK_BOOTTIME)}}

    def release(self):
        pass


class Picamera2:
    camera_controls = {{}}

    def __init__(self, number=0):
        self._began = time.monotonic()

    @staticmethod
    def global_camera_info():
        return [{{"Model": "stand-in"}}]

    def create_video_configuration(self, main, **more):
        return {{"main": main}}

    def configure(self, configuration):
        pass

    def camera_configuration(self):
        height, width = PAGES.shape[1:]
        return {{"main": {{"format": "YUV420", "size": (width, height), "stride": width}}}}

    def start(self):
        pass

    def capture_request(self, wait):
        time.sleep(1 / {fps})
        # Another page every three seconds: an event, with a picture for the broker.
        return Request(PAGES[int((time.monotonic() - self._began) / 3) % len(PAGES)])

    def stop(self):
        pass

    def close(self):
        pass
"""


def main(seconds: float, fps: int) -> None:
    """Print the memory used over the second half of ``seconds``, and its peak."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        frames = islice(open_source("synthetic:?digits=6&hold=1"), PAGES)
        np.save(folder / "pages.npy", np.array([frame.pixels for frame in frames]))
        (folder / "picamera2.py").write_text(STAND_IN.format(pages=str(folder / "pages.npy"), fps=fps))
        broker = Broker(folder / "broker")
        order = [sys.executable, "-m", "edge.cli", "run", "--source", "picamera2:0", "--state", str(folder / "state")]
        order += ["--publish", f"mqtt://127.0.0.1:{broker.port}"]
        paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
        process = subprocess.Popen(order, env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)})
        try:
            time.sleep(seconds / 2)
            every = []
            until = time.monotonic() + seconds / 2
            while time.monotonic() < until:
                every.append(memory(process.pid))
                time.sleep(0.5)
        finally:
            process.terminate()
            process.wait()
            broker.stop()
    held, own, files, peak = (
        statistics.median(one[name] for one in every) for name in ("VmRSS", "RssAnon", "RssFile", "VmHWM")
    )
    most = max(one["VmRSS"] for one in every)
    print(f"`edge run` at {fps} frames/s, a store and a broker, no page: after {seconds / 2:g} s it holds")
    print(f"{held:.1f} MiB, at most {most:.1f}: {own:.1f} of its own, {files:.1f} of files; at its start {peak:.1f}.")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--fps", type=int, default=30)
    chosen = options.parse_args()
    main(chosen.seconds, chosen.fps)
