"""The figures for people: tables that read well in a terminal and are Markdown; and the change against older ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from edge.errors import DataError

SCHEMA = 1
"""Version of the JSON; ``edge/schema/bench.json`` describes it."""
STARTS = {
    "import_ms": "imports",
    "model_ms": "opening the model",
    "first_reading_ms": "the first reading",
    "edge_read_ms": "`edge read`, 640x480, a whole process",
    "edge_read_peak_mib": "its peak of memory",
    "edge_run_first_reading_ms": "`edge run` to its first reading",
    "edge_run_resident_mib": "its memory after forty frames, with a store, without web and broker",
    "edge_run_peak_mib": "the peak of that",
    "bare_ms": "NumPy, OpenCV, the runtime and one bare run of the model, a whole process",
    "bare_peak_mib": "its peak of memory",
}
"""What each is called."""


def lines(figures: Mapping[str, Any], older: Mapping[str, Any] | None = None) -> Iterator[str]:
    """Both tables; with ``older`` figures the ratio to them, below 1 where it takes less now."""
    machine = figures["machine"]
    yield f"edge-digits {figures['edge']}, {figures['model']}, {figures['source']}"
    yield ", ".join(str(value) for value in machine.values() if value is not None)
    yield ""
    ratio = " | ratio" if older else ""
    yield f"| milliseconds | p50 | p95 | p99{ratio} |"
    yield "|---|---|---|---" + ("|---|" if older else "|")
    before = older["line_ms"] if older else {}
    for name, took in figures["line_ms"].items():
        cells = " | ".join(f"{took[part]:.3f}" for part in ("p50", "p95", "p99"))
        yield f"| {name} | {cells}{_ratio(took['p50'], before.get(name, {}).get('p50'), older)} |"
    yield ""
    yield f"| | |{' ratio |' if older else ''}"
    yield "|---|---|" + ("---|" if older else "")
    for name, value, then in _facts(figures, older):
        yield f"| {name} | {value[0]}{_ratio(value[1], then, older)} |"


def load(path: Path) -> dict[str, Any]:
    """Figures that ``edge bench --json`` wrote. Raises DataError."""
    try:
        said = json.loads(path.read_text("utf-8"))
        if said["schema"] != SCHEMA or not isinstance(said["line_ms"]["frame"]["p50"], float):
            raise ValueError("another version")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); name what edge bench --json wrote") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: is not what edge bench --json wrote") from error
    return dict(said)


def _facts(figures: Mapping[str, Any], older: Mapping[str, Any] | None) -> Iterator[tuple[str, Any, float | None]]:
    then = older or {}
    for key, name, unit in (
        ("frames_per_second", "frames a second", ""),
        ("cpu_percent", "of one processor", " %"),
        ("times_the_floor", "a frame, in floors", ""),
    ):
        if figures.get(key) is not None:
            yield name, (f"{figures[key]:.2f}{unit}", figures[key]), then.get(key)
    for key, value in figures["start"].items():
        unit = "MiB" if key.endswith("mib") else "ms"
        yield STARTS[key], (f"{value:.0f} {unit}", value), then.get("start", {}).get(key)


def _ratio(now: float, then: float | None, older: object) -> str:
    if not older:
        return ""
    return f" | {now / then:.2f}" if then else " | "
