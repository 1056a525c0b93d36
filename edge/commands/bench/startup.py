"""What it takes to begin: the commands themselves, in processes of their own."""

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
from edge.model.classifier import interpreter_class, packaged_model
from edge.settings import Settings

TIMES = 5
"""Each is done so often; the medians count."""
FRAMES = 40
"""So many frames are read before the memory of a run is looked at."""
SECONDS = 60
"""No command takes longer."""
COMMAND = (sys.executable, "-m", "edge.cli")
STEPS = """
import time
begun = time.perf_counter()
from edge.system.process import settle
from edge.reading.reader import Reader
from edge.images import load
imported = time.perf_counter()
settle()
reader = Reader({model!r})
opened = time.perf_counter()
reader.read({picture!r})
print(imported - begun, opened - imported, time.perf_counter() - opened)
"""
"""What ``edge read`` does, step by step."""
BARE = """
import cv2, numpy
from {runtime}.interpreter import Interpreter
interpreter = Interpreter({model!r}, num_threads=1)
interpreter.allocate_tensors()
interpreter.invoke()
"""
"""The least that anything could do: NumPy, OpenCV, the runtime, and one bare run of the model."""


def starts(settings: Settings) -> dict[str, float]:
    """Medians: milliseconds of each step and of whole processes, and MiB of their peaks. Raises EdgeError."""
    with tempfile.TemporaryDirectory(prefix="edge-bench-") as folder:
        picture = Path(folder) / "page.png"
        save(page(), picture)
        rows = [_once(settings, picture) for _ in range(TIMES)]
    return {name: round(statistics.median(row[name] for row in rows), 1) for name in rows[0]}


def page() -> np.ndarray:
    """A page of six digits, 640x480, as the synthetic camera shows it."""
    rng = np.random.default_rng(1)
    ink, _ = rendering.page(["235789"], 480, 640, rng)
    return virtual_camera.sensor_noise(virtual_camera.lens_image(ink, rng, 1.0), rng, 1.0)


def _once(settings: Settings, picture: Path) -> dict[str, float]:
    model = ("--model", settings.model) if settings.model else ()
    steps = STEPS.format(model=settings.model or None, picture=str(picture))
    imported, opened, read = (1000 * float(part) for part in _timed((sys.executable, "-c", steps))[0].split())
    reads = (*COMMAND, "read", *model, str(picture))
    runs = (*COMMAND, "run", *model, "--state", str(picture.parent / "state"), "--source")
    line, first = _timed((*runs, f"files:{picture}", "--publish", "jsonl:-"), until_a_line=True)
    if not line:
        raise EdgeError("edge run: says nothing")
    live = ("synthetic:?fps=20&hold=1000", "--publish", f"jsonl:{os.devnull}", "--frames", str(FRAMES))
    resident, most = _held((*runs, *live))
    runtime = interpreter_class().__module__.partition(".")[0]
    bare = (sys.executable, "-c", BARE.format(runtime=runtime, model=settings.model or str(packaged_model())))
    return {
        "import_ms": imported,
        "model_ms": opened,
        "first_reading_ms": read,
        "edge_read_ms": 1000 * _timed(reads)[1],
        "edge_read_peak_mib": _held(reads)[1],
        "edge_run_first_reading_ms": 1000 * first,
        "edge_run_resident_mib": resident,
        "edge_run_peak_mib": most,
        "bare_ms": 1000 * _timed(bare)[1],
        "bare_peak_mib": _held(bare)[1],
    }


def environment() -> dict[str, str]:
    """That of a command as a user has it: pip compiles what it installs, and nothing is compiled at each start.

    In a checkout the first of several runs compiles what has changed.
    """
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _timed(command: tuple[str, ...], *, until_a_line: bool = False) -> tuple[str, float]:
    """What a process said, and seconds until it ended or had said a line. Raises EdgeError."""
    begun = time.perf_counter()
    process = _launched(command)
    assert process.stdout
    said = process.stdout.readline() if until_a_line else process.stdout.read()
    seconds = time.perf_counter() - begun
    _end(process)
    return said, seconds if until_a_line else time.perf_counter() - begun


def _held(command: tuple[str, ...]) -> tuple[float, float]:
    """MiB that a process has just before its end, and had at its peak. Raises EdgeError.

    Its peak as its own status has it: that which is told at its end is no less than the peak of who started it.
    """
    process = _launched(command)
    held = 0.0, 0.0
    while process.poll() is None:
        if now := memory(process.pid):
            held = now["VmRSS"], now["VmHWM"]
        time.sleep(0.002)
    _end(process)
    return held


def _launched(command: tuple[str, ...]) -> subprocess.Popen[str]:
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())


def memory(process: int) -> dict[str, float]:
    """MiB that a process holds, by the names of proc_pid_status(5): VmRSS, VmHWM and so on; {} where it has ended."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    said = dict(line.split(":", 1) for line in lines if line.endswith(" kB"))
    return {name: int(size.split()[0]) / 1024 for name, size in said.items()}


def _end(process: subprocess.Popen[str]) -> None:
    _, complaint = process.communicate()
    if process.returncode:
        what = " ".join(process.args[2:4]) if isinstance(process.args, tuple) else str(process.args)
        raise EdgeError(f"{what}: {complaint.strip().splitlines()[-1:] or process.returncode}")
