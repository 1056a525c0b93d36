"""All figures of ``edge bench``, and the machine that they were measured on."""

from __future__ import annotations

import os
import platform
import re
import statistics
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from edge import uri
from edge.commands.bench.line import measure
from edge.commands.bench.start import starts
from edge.commands.bench.words import SCHEMA
from edge.model.classifier import RUNTIMES, Model
from edge.settings import Settings
from edge.system import raspberry
from edge.system.process import settle
from edge.system.version import __version__


def bench(settings: Settings, frames: int) -> dict[str, Any]:
    """All figures, as ``edge/schema/bench.json`` describes them. Raises EdgeError."""
    began = starts(settings)
    settle()
    with Model(settings.model or None, threads=settings.threads or 1) as model:
        name = model.name
    took = measure(settings, frames)
    line = took.percentiles()
    throttled = raspberry.throttled()
    return {
        "schema": SCHEMA,
        "edge": __version__,
        "model": name,
        "source": uri.public(settings.source),
        "machine": machine(),
        "frames": len(took.work),
        "digits_per_frame": round(took.digits / len(took.work), 2) if took.work else 0.0,
        "line_ms": line,
        "frames_per_second": round(len(took.work) / took.seconds, 2),
        "cpu_percent": round(100 * took.cpu_seconds / took.seconds, 1),
        "times_the_floor": round(statistics.median(took.work) / statistics.median(took.floor), 3)
        if took.floor
        else None,
        "start": began,
        "temperature_celsius": raspberry.degrees(),
        "throttled": None if throttled is None else raspberry.decode(throttled)[0],
    }


def machine() -> dict[str, str | int | None]:
    """What it was measured on."""
    return {
        "computer": _text("/proc/device-tree/model") or _processor(),
        "processors": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": _version("numpy"),
        "opencv": _version("opencv-python-headless"),
        "runtime": next((f"{name} {found}" for name in RUNTIMES if (found := _version(name.replace("_", "-")))), None),
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
