"""Measures the start of the commands: time and memory of whole processes."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from edge.errors import EdgeError
from edge.handwriting import rendering, virtual_camera
from edge.images import save
from edge.model.classifier import packaged_model
from edge.model.runtime import interpreter_class
from edge.settings import Settings

REPEATS = 5
"""How often each is measured; the median counts. Chosen: more would be steadier, but take longer."""
FRAMES = 40
"""Frames that ``edge run`` reads before its memory is measured. Chosen."""
COMMAND = (sys.executable, "-m", "edge.cli")
STEPS = """
import time
begun = time.perf_counter()
from edge.system.process import after_imports
from edge.reading.reader import Reader
from edge.images import load
imported = time.perf_counter()
after_imports()
reader = Reader({model!r})
opened = time.perf_counter()
reader.read({picture!r})
print(imported - begun, opened - imported, time.perf_counter() - opened)
"""
"""A program that does what ``edge read`` does, and prints the seconds of each step."""
BARE = """
import cv2, numpy
from {runtime}.interpreter import Interpreter
interpreter = Interpreter(model_content=open({model!r}, "rb").read(), num_threads=1)
interpreter.allocate_tensors()
interpreter.invoke()
"""
"""A program that does the least possible: import NumPy, OpenCV and the runtime, and run the model once."""


def measure_startup(settings: Settings) -> dict[str, float]:
    """Medians by name: milliseconds of each step and of whole processes, and MiB of memory. Raises EdgeError."""
    with tempfile.TemporaryDirectory(prefix="edge-bench-") as folder:
        picture = Path(folder) / "page.png"
        save(page(), picture)
        rows = [_measure_once(settings, picture) for _ in range(REPEATS)]
    return {name: round(statistics.median(row[name] for row in rows), 1) for name in rows[0]}


def page() -> np.ndarray:
    """A page of six digits as the synthetic camera shows it: (480, 640) uint8, grey."""
    rng = np.random.default_rng(1)
    ink, _ = rendering.page(["235789"], 480, 640, rng)
    return virtual_camera.sensor_noise(virtual_camera.lens_image(ink, rng, 1.0), rng, 1.0)


def _measure_once(settings: Settings, picture: Path) -> dict[str, float]:
    model = ("--model", settings.model) if settings.model else ()
    steps = STEPS.format(model=settings.model or None, picture=str(picture))
    imported, opened, read = (1000 * float(part) for part in _timed((sys.executable, "-c", steps))[0].split())
    reads = (*COMMAND, "read", *model, str(picture))
    runs = (*COMMAND, "run", *model, "--state", str(picture.parent / "state"), "--source")
    line, first = _timed((*runs, f"files:{picture}", "--publish", "jsonl:-"), until_a_line=True)
    if not line:
        raise EdgeError("edge run: prints no reading; try it by itself")
    live = ("synthetic:?fps=20&hold=1000", "--publish", f"jsonl:{os.devnull}", "--frames", str(FRAMES))
    resident, peak = _memory_used((*runs, *live))
    runtime = interpreter_class().__module__.rpartition(".")[0]
    bare = (sys.executable, "-c", BARE.format(runtime=runtime, model=settings.model or str(packaged_model())))
    return {
        "import_ms": imported,
        "model_ms": opened,
        "first_reading_ms": read,
        "edge_read_ms": 1000 * _timed(reads)[1],
        "edge_read_peak_mib": _memory_used(reads)[1],
        "edge_run_first_reading_ms": 1000 * first,
        "edge_run_resident_mib": resident,
        "edge_run_peak_mib": peak,
        "bare_ms": 1000 * _timed(bare)[1],
        "bare_peak_mib": _memory_used(bare)[1],
    }


def environment() -> dict[str, str]:
    """The environment variables for measured commands: as ours, but Python may write compiled files.

    An installed package is compiled by pip. In a checkout the first of several runs compiles what has changed.
    """
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _timed(command: tuple[str, ...], *, until_a_line: bool = False) -> tuple[str, float]:
    """The output of a process, and the seconds until it ended or printed its first line. Raises EdgeError."""
    begun = time.perf_counter()
    process = _start(command)
    assert process.stdout
    output = process.stdout.readline() if until_a_line else process.stdout.read()
    seconds = time.perf_counter() - begun
    _wait_for_end(process)
    return output, seconds if until_a_line else time.perf_counter() - begun


def _memory_used(command: tuple[str, ...]) -> tuple[float, float]:
    """The memory of a process in MiB: just before its end, and at its peak. Raises EdgeError.

    The peak is read from /proc. getrusage(2) would never report less than the peak of the process that started it.
    """
    process = _start(command)
    used = 0.0, 0.0
    while process.poll() is None:
        if now := memory(process.pid):
            used = now["VmRSS"], now["VmHWM"]
        time.sleep(0.002)
    _wait_for_end(process)
    return used


def _start(command: tuple[str, ...]) -> subprocess.Popen[str]:
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())


def memory(process: int) -> dict[str, float]:
    """Memory of a process in MiB, by the names of proc_pid_status(5): VmRSS, VmHWM and so on; {} if it has ended."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    sizes = dict(line.split(":", 1) for line in lines if line.endswith(" kB"))
    return {name: int(size.split()[0]) / 1024 for name, size in sizes.items()}


def _wait_for_end(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate()
    if process.returncode:
        what = " ".join(process.args[2:4]) if isinstance(process.args, tuple) else str(process.args)
        raise EdgeError(f"{what}: {errors.strip().splitlines()[-1:] or process.returncode}")
