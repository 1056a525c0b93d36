"""The summary of a conversion for the terminal: three small tables, 80 columns at most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convert.conversion.attempts import Attempt
from convert.conversion.pipeline import Conversion
from convert.evaluation.calibration import calibration_error
from convert.evaluation.verify import Comparison
from convert.report import statistics, wording
from convert.report.json_report import weights_bytes

if TYPE_CHECKING:
    from rich.console import Group, RenderableType
    from rich.table import Table

MAX_TRIALS = 3
"""Number of ways to feed the model that are shown, best first."""
MAX_CONFUSIONS = 4
"""Number of confusions that are shown, most common first."""


def summary(conversion: Conversion) -> Group:
    """The input format, the result of each recipe, the accuracy of the chosen one, and last what to do with it.

    If none was chosen, the one that comes closest is shown; if none runs, the reasons. Text is never read as rich's
    markup.
    """
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = [*_input(conversion), *_recipes(conversion)]
    shown, camera = conversion.shown, conversion.through_camera
    if shown and shown.comparison and camera:
        parts += [
            _costs(shown.recipe, shown.comparison, camera),
            Text(_details(conversion, shown, shown.comparison, camera)),
        ]
    return Group(
        *parts, Text(wording.protections(conversion.protections)), Text(), Text(wording.next_step(conversion), "bold")
    )


def _input(conversion: Conversion) -> list[RenderableType]:
    from rich.text import Text

    detected = conversion.input_format
    shape = "x".join(map(str, detected.shape))
    parts: list[RenderableType] = [
        Text(f"Input {shape}, {detected.paper:g} for paper, {detected.ink:g} for ink", "bold")
    ]
    if detected.trials:
        table = _table("  input values", "accuracy", "loss")
        for i, trial in enumerate(detected.trials[:MAX_TRIALS]):
            table.add_row(_marked(trial.name, i == 0), f"{trial.accuracy:.2%}", f"{trial.loss:.3f}")
        best, count = table.row_count, len(detected.trials)
        note = f"On up to {detected.images:,} digits; the best {best} of {count} combinations tried."
        parts += [table, Text(note if len(detected.trials) > 1 else f"On {detected.images:,} digits, as given.")]
    return [*parts, *(Text(f"Note: {remark}") for remark in conversion.remarks()), Text()]


def _recipes(conversion: Conversion) -> list[RenderableType]:
    from rich.text import Text

    table = _table("  recipe", "size", "accuracy (95 %)", "same\nanswer", "p50 / p95\nµs", "runs in")
    marks = wording.sample_marks(conversion)
    for attempt in conversion.attempts:
        comparison = attempt.comparison
        if comparison is None:
            continue
        star = marks.get(comparison.images, "")
        table.add_row(
            _marked(attempt.recipe, attempt is conversion.chosen),
            wording.size(attempt.size_bytes),
            f"{comparison.accuracy:.2%} ({wording.interval(comparison.correct, comparison.images)}){star}",
            f"{comparison.agreement:.2%}",
            "" if attempt.times is None else wording.times(attempt.times),
            wording.runs_in(attempt.runtimes),
            style="bold" if attempt is conversion.shown else None,
        )
    notes = [
        f"{one.recipe}: {wording.short_problem(one.problem)}" for one in conversion.attempts if one.problem is not None
    ]
    if table.row_count:
        notes = [
            *wording.sample_notes(conversion),
            f"Runtimes: {wording.installed(conversion)}.",
            *notes,
        ]
    tables = [table] if table.row_count else []
    return [Text(wording.choice(conversion), "bold"), *tables, *(Text(note) for note in notes), Text()]


def _costs(recipe: str, mnist: Comparison, camera: Comparison) -> Table:
    table = _table("", "MNIST:\nKeras", f"\n{recipe}", "camera:\nKeras", f"\n{recipe}")
    both = (mnist, camera)
    rows: list[tuple[str, list[tuple[str, str]]]] = [
        ("accuracy", [(f"{one.accuracy_float:.2%}", f"{one.accuracy:.2%}") for one in both]),
        (
            "  95 % interval",
            [
                (wording.interval(one.correct_float, one.images), wording.interval(one.correct, one.images))
                for one in both
            ],
        ),
        ("change, points", [("", wording.signed(-one.drop)) for one in both]),
        ("same answer", [("", f"{one.agreement:.2%}") for one in both]),
        ("taken for no digit", [("", _no_digit(one)) for one in both]),
        ("confidence drift", [("", f"{one.drift.mean():.2%}") for one in both]),
        ("  at worst", [("", f"{one.drift.max():.1%}") for one in both]),
        (
            "calibration error",
            [(f"{_error(one, one.keras):.2%}", f"{_error(one, one.tflite):.2%}") for one in both],
        ),
    ]
    for name, values in rows:
        if any(map(any, values)):
            table.add_row(name, *values[0], *values[1])
    return table


def _details(conversion: Conversion, shown: Attempt, mnist: Comparison, camera: Comparison) -> str:
    weights = weights_bytes(conversion)
    lines = [
        f"Size: {wording.size(weights)} of weights in Keras, {wording.size(shown.size_bytes)} as {shown.recipe},"
        f" {weights / shown.size_bytes:.1f} times smaller.",
        f"Temperature: {wording.temperature(shown.card.temperature, _error(mnist, mnist.tflite))}.",
        *([wording.micro(shown.micro)] if shown.micro else []),
    ]
    for where, comparison in (("MNIST", mnist), ("camera", camera)):
        lines.append(f"By digit, {where}: {wording.most_changed(comparison)}.")
    for where, comparison in (("MNIST", mnist), ("camera", camera)):
        common = "; ".join(wording.confused(pair) for pair in statistics.pairs(comparison)[:MAX_CONFUSIONS])
        lines.append(f"Confused, {where}: {common or 'nothing'}.")
    return "\n".join(lines)


def _no_digit(one: Comparison) -> str:
    return "" if one.taken_for_no_digit is None else f"{one.taken_for_no_digit:.2%}"


def _error(one: Comparison, probabilities: statistics.Probabilities) -> float:
    return calibration_error(*statistics.answers(probabilities, one.labels, one.classes))


def _table(first: str, *others: str) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    # One space less between columns than usual: the longest figures then fit beside the recipes' names.
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column(first, no_wrap=True)
    for name in others:
        last = name == "runs in"
        table.add_column(name, justify="left" if last else "right", no_wrap=not last)
    return table


def _marked(name: str, chosen: bool) -> str:
    return f"{'>' if chosen else ' '} {name}"
