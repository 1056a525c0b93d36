"""All figures of ``edge bench``, and the machine they were measured on."""

from __future__ import annotations

import os
import platform
import re
import statistics
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from edge import uri
from edge.commands.arguments import model_of
from edge.commands.bench.report import SCHEMA
from edge.commands.bench.stages import measure
from edge.commands.bench.startup import measure_startup
from edge.model.runtime import interpreter_class, title_of
from edge.settings import Settings
from edge.system import raspberry
from edge.system.process import after_imports
from edge.system.version import __version__


def bench(settings: Settings, frames: int) -> dict[str, Any]:
    """Measure everything; returns figures as ``edge/schema/bench.json`` describes them. Raises EdgeError."""
    # First of all: a model that harms is refused here, in a process of its own.
    with model_of(settings) as model:
        name = model.name
    start = measure_startup(settings)
    after_imports()
    times = measure(settings, frames)
    line = times.percentiles()
    throttled = raspberry.throttled_bits()
    return {
        "schema": SCHEMA,
        "edge": __version__,
        "model": name,
        "source": uri.public(settings.source),
        "machine": machine(),
        "frames": len(times.work),
        "digits_per_frame": round(times.digits / len(times.work), 2) if times.work else 0.0,
        "line_ms": line,
        "frames_per_second": round(len(times.work) / times.seconds, 2),
        "cpu_percent": round(100 * times.cpu_seconds / times.seconds, 1),
        "times_the_floor": round(statistics.median(times.work) / statistics.median(times.floor), 3)
        if times.floor
        else None,
        "start": start,
        "temperature_celsius": raspberry.temperature_celsius(),
        "throttled": None if throttled is None else raspberry.decode_throttled(throttled)[0],
    }


def machine() -> dict[str, str | int | None]:
    """The computer, system and versions that the figures depend on."""
    return {
        "computer": _text("/proc/device-tree/model") or _processor(),
        "processors": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": _version("numpy"),
        "opencv": _version("opencv-python-headless"),
        "runtime": title_of(interpreter_class()),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    found = re.search(r"^model name\s*: (.+)$", _text("/proc/cpuinfo"), re.MULTILINE)
    return found[1] if found else platform.machine()


def _text(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", "replace").strip("\0\n ")
    except OSError:
        return ""
