"""The summary of a conversion for the terminal: three small tables, 80 columns at most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convert.conversion.attempts import Attempt
from convert.conversion.pipeline import Done
from convert.evaluation.calibration import calibration_error
from convert.evaluation.verify import Comparison
from convert.report import sums, words
from convert.report.facts import weights_bytes

if TYPE_CHECKING:
    from rich.console import Group, RenderableType
    from rich.table import Table

TRIALS = 3
"""So many ways of feeding the model are shown, the best ones."""
PAIRS = 4
"""So many confusions."""


def summary(done: Done) -> Group:
    """What input was found, what each recipe gives, and what the chosen one costs.

    Where none was chosen, the one that comes nearest is shown; where none runs, why. No text is read as rich's markup.
    """
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = [*_input(done), *_recipes(done)]
    shown, camera = done.shown, done.through_camera
    if shown and shown.comparison and camera:
        parts += [_costs(shown.recipe, shown.comparison, camera), Text(_words(done, shown, shown.comparison, camera))]
    return Group(*parts)


def _input(done: Done) -> list[RenderableType]:
    from rich.text import Text

    found = done.convention
    shape = "x".join(map(str, found.shape))
    said: list[RenderableType] = [Text(f"Input {shape}: paper {found.paper:g}, ink {found.ink:g}", "bold")]
    if found.trials:
        made = _table("  fed with", "reads right", "loss")
        for i, trial in enumerate(found.trials[:TRIALS]):
            made.add_row(_marked(trial.name, i == 0), f"{trial.accuracy:.2%}", f"{trial.loss:.3f}")
        known = f"on {done.convention.images:,} digits; {len(found.trials)} ways were tried"
        said += [made, Text(known if len(found.trials) > 1 else f"on {done.convention.images:,} digits, as told")]
    return [*said, *(Text(f"Note: {remark}") for remark in found.remarks()), Text()]


def _recipes(done: Done) -> list[RenderableType]:
    from rich.text import Text

    made = _table("  recipe", "size", "accuracy (95 %)", "same\nanswer", "p50 / p95\nµs", "runs in")
    for tried in done.attempts:
        found = tried.comparison
        if found is None:
            continue
        star = "*" if words.surveyed(done, tried) else ""
        made.add_row(
            _marked(tried.recipe, tried is done.chosen),
            words.size(tried.size_bytes),
            f"{found.accuracy:.2%} ({words.interval(found.correct, found.images)}){star}",
            f"{found.agreement:.2%}",
            "" if tried.times is None else words.times(tried.times),
            words.runs_in(tried.runtimes),
            style="bold" if tried is done.shown else None,
        )
    notes = [f"{one.recipe}: {words.few(one.problem)}" for one in done.attempts if one.problem is not None]
    if made.row_count:
        notes = [*filter(None, [words.fewer(done)]), f"Runtimes: {words.installed(done)}.", *notes]
    tables = [made] if made.row_count else []
    return [Text(words.choice(done), "bold"), *tables, *(Text(note) for note in notes), Text()]


def _costs(recipe: str, mnist: Comparison, camera: Comparison) -> Table:
    made = _table("", "MNIST:\nKeras", f"\n{recipe}", "camera:\nKeras", f"\n{recipe}")
    both = (mnist, camera)
    rows: list[tuple[str, list[tuple[str, str]]]] = [
        ("accuracy", [(f"{one.accuracy_float:.2%}", f"{one.accuracy:.2%}") for one in both]),
        (
            "  95 % interval",
            [(words.interval(one.correct_float, one.images), words.interval(one.correct, one.images)) for one in both],
        ),
        ("change, points", [("", words.signed(-one.drop)) for one in both]),
        ("same answer", [("", f"{one.agreement:.2%}") for one in both]),
        ("taken for no digit", [("", "" if one.rejected is None else f"{one.rejected:.2%}") for one in both]),
        ("confidence drift", [("", f"{one.drift.mean():.2%}") for one in both]),
        ("  at worst", [("", f"{one.drift.max():.1%}") for one in both]),
        (
            "calibration error",
            [(f"{_error(one, one.expected):.2%}", f"{_error(one, one.found):.2%}") for one in both],
        ),
    ]
    for name, values in rows:
        if any(map(any, values)):
            made.add_row(name, *values[0], *values[1])
    return made


def _words(done: Done, shown: Attempt, mnist: Comparison, camera: Comparison) -> str:
    weights = weights_bytes(done)
    lines = [
        f"Size: {words.size(weights)} of weights in Keras, {words.size(shown.size_bytes)} as {shown.recipe},"
        f" {weights / shown.size_bytes:.1f} times smaller.",
        f"Temperature: {words.temperature(shown.card.temperature)}.",
    ]
    for where, found in (("MNIST", mnist), ("camera", camera)):
        lines.append(f"By digit, {where}: {words.most_changed(found)}.")
    for where, found in (("MNIST", mnist), ("camera", camera)):
        common = "; ".join(words.confused(pair) for pair in sums.pairs(found)[:PAIRS])
        lines.append(f"Confused, {where}: {common or 'nothing'}.")
    return "\n".join(lines)


def _error(one: Comparison, probabilities: sums.Probabilities) -> float:
    return calibration_error(*sums.answers(probabilities, one.labels, one.classes))


def _table(first: str, *others: str) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    made = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    made.add_column(first)
    for name in others:
        last = name == "runs in"
        made.add_column(name, justify="left" if last else "right", no_wrap=not last)
    return made


def _marked(name: str, chosen: bool) -> str:
    return f"{'>' if chosen else ' '} {name}"
