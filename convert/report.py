"""The figures of a conversion, as a table to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convert.verify import Verdict

if TYPE_CHECKING:
    from rich.table import Table


def table(verdict: Verdict, *, io: str, float_bytes: int, calibrated_on: int, temperature: float) -> Table:
    """What the quantisation cost and gained: the Keras model's weights and answers beside int8's."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    smaller = f"{float_bytes / verdict.size_bytes:.1f} times smaller"
    drift = f"on average, {verdict.drift_worst:.1%} at worst"
    rejected = () if verdict.rejected is None else (("no digit", "", f"{verdict.rejected:.2%}", "of the test images"),)
    rows = (
        ("accuracy", f"{verdict.accuracy_float:.2%}", f"{verdict.accuracy:.2%}", _change(verdict.drop)),
        *rejected,
        ("size", _size(float_bytes), _size(verdict.size_bytes), smaller),
        ("same digit", "", f"{verdict.agreement:.2%}", f"of {verdict.images:,} test images"),
        ("confidence drift", "", f"{verdict.drift_mean:.2%}", drift),
        ("temperature", "1", f"{temperature:g}", "so that 0.9 means nine in ten"),
        ("time", "", f"{verdict.microseconds:.0f} µs", "median, one thread of this machine"),
        ("input, output", "float32", io, f"calibrated on {calibrated_on:,} training images"),
    )
    made = Table(box=SIMPLE_HEAD, pad_edge=False)
    made.add_column("")
    made.add_column("Keras", justify="right")
    made.add_column("int8", justify="right")
    made.add_column("")
    for row in rows:
        made.add_row(*row)
    return made


def _change(drop: float) -> str:
    if drop == 0:
        return "nothing lost"
    return f"{abs(drop):.2f} percentage points {'lost' if drop > 0 else 'gained'}"


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1000:,.0f} kB"
