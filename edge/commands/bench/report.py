"""The figures of ``edge bench`` as Markdown tables, with ratios to earlier figures; and loading such figures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from edge.errors import DataError

SCHEMA = 1
"""Version of the JSON that ``edge/schema/bench.json`` describes."""
STARTUP_NAMES = {
    "import_ms": "imports",
    "model_ms": "opening the model",
    "first_reading_ms": "the first reading",
    "edge_read_ms": "`edge read`, one page of 640x480, whole process",
    "edge_read_peak_mib": "`edge read`, peak memory",
    "edge_run_first_reading_ms": "`edge run` to its first reading",
    "edge_run_resident_mib": "`edge run`, memory after 40 frames, with a store, without web page and broker",
    "edge_run_peak_mib": "`edge run`, peak memory",
    "bare_ms": "minimum: NumPy, OpenCV, the runtime and one run of the model, whole process",
    "bare_peak_mib": "minimum, peak memory",
}
"""Key of the JSON -> its name in the table."""

MACHINE = {"processors": "{} processors", "python": "Python {}", "numpy": "NumPy {}", "opencv": "OpenCV {}"}
"""Key of the JSON -> how its value is shown; other values are shown as they are."""


def lines(figures: Mapping[str, Any], older: Mapping[str, Any] | None = None) -> Iterator[str]:
    """Both tables. With ``older`` figures also the ratio to them: below 1 means less time or memory than before."""
    machine = figures["machine"]
    yield f"edge-digits {figures['edge']}, {figures['model']}, {figures['source']}"
    yield ", ".join(MACHINE.get(name, "{}").format(value) for name, value in machine.items() if value is not None)
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
    """Load figures that ``edge bench --json`` wrote. Raises DataError."""
    try:
        figures = json.loads(path.read_text("utf-8"))
        if figures["schema"] != SCHEMA or not isinstance(figures["line_ms"]["frame"]["p50"], float):
            raise ValueError("another version")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); name an output of edge bench --json") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: is not an output of edge bench --json; make one") from error
    return dict(figures)


def _facts(figures: Mapping[str, Any], older: Mapping[str, Any] | None) -> Iterator[tuple[str, Any, float | None]]:
    then = older or {}
    for key, name, unit in (
        ("frames_per_second", "frames per second", ""),
        ("cpu_percent", "use of one processor", " %"),
        ("times_the_floor", "time of a frame / floor", ""),
    ):
        if figures.get(key) is not None:
            yield name, (f"{figures[key]:.2f}{unit}", figures[key]), then.get(key)
    for key, value in figures["start"].items():
        unit = "MiB" if key.endswith("mib") else "ms"
        yield STARTUP_NAMES[key], (f"{value:.0f} {unit}", value), then.get("start", {}).get(key)


def _ratio(now: float, then: float | None, older: object) -> str:
    if not older:
        return ""
    return f" | {now / then:.2f}" if then else " | "
