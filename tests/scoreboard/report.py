"""Report the scores: as a page in Markdown, as JSON data, and against their goals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import mean
from typing import Any

from tests.scoreboard.measure import PHOTOS, ReaderScore, Scores
from tests.scoreboard.tally import Tally

DIGIT_GOALS = {"nsysu_dev": 0.98, "scan_cells_dev": 0.99, "usps": 0.98, "semeion": 0.98, "hwd1000": 0.999}
"""Goal of each set: share of right digits, through the reader or through the model alone."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal, what was measured, and whether the goal is met; None where the set is missing."""

    what: str
    measured: str
    met: bool | None


def goals(scores: Scores) -> list[Goal]:
    """All goals."""
    made = []
    for name, exact in (("single", 0.99), ("multi", 0.93)):
        one = scores.photos.get(name)
        share = one.tally.exact if one else None
        made.append(_goal(f"photos/{name}: exact at least {100 * exact:g} %", share, exact, _percent))
    multi = scores.photos.get("multi")
    wrong = -multi.tally.error_rate if multi else None
    made.append(_goal("photos/multi: CER at most 1 %", wrong, -0.01, _percent))
    mnist = scores.through_model.get("MNIST test")
    made.append(_goal("MNIST test: at least 99.70 %", mnist.accuracy if mnist else None, 0.997, _percent))
    for name, share in DIGIT_GOALS.items():
        made.append(_digits(scores, name, share))
    false = -scores.false_share if scores.without_digits else None
    made.append(_goal("pictures without a digit: one is read in less than 1 %", false, -0.01, _percent, strict=True))
    error = scores.pooled_calibration_error
    made.append(
        _goal("calibration error, pooled: below 0.02", None if error is None else -error, -0.02, _plain, strict=True)
    )
    made.append(_goal("model file: below 150 KB", -scores.model_bytes / 1000, -150, _kilobytes, strict=True))
    made.append(_goal("six digits on 640 x 480: below 3 ms", -scores.page_ms, -3, _milliseconds, strict=True))
    made.append(_goal("12 megapixels: below 60 ms", -scores.photo_ms, -60, _milliseconds, strict=True))
    return made


def _goal(
    what: str, value: float | None, least: float, as_text: Callable[[float], str], *, strict: bool = False
) -> Goal:
    """Whether ``value`` is at least (``strict``: more than) ``least``; both are negative where less is better."""
    if value is None:
        return Goal(what, "missing", None)
    return Goal(what, as_text(abs(value)), value > least if strict else value >= least)


def _digits(scores: Scores, name: str, share: float) -> Goal:
    what = f"{name}: at least {100 * share:g} %"
    if name not in scores.through_reader:
        return Goal(what, "missing", None)
    reader, model = scores.through_reader[name].tally.exact, scores.through_model[name].accuracy
    by = "reader" if reader >= model else "model"
    return _goal(what, max(reader, model), share, lambda value: f"{_percent(value)} ({by})")


def markdown(scores: Scores, *, pages: int, per_kind: int, seed: int) -> str:
    """The page in Markdown; the same scores give the same page."""
    return "\n\n".join(
        (
            "# Scores",
            "Made by `make score`; do not edit. " + _introduction(scores, pages, per_kind, seed),
            "## Goals",
            _table(("goal", "measured", ""), ((g.what, g.measured, _met(g)) for g in goals(scores)), "lrl"),
            "## Photographs",
            "Exact: share read without a mistake. CER: wrong, missing and invented digits over true digits. False:"
            " wrong and invented digits over true digits.",
            _table(
                ("set", "pictures", "exact", "CER", "false", "ms"),
                ((f"photos/{name}", *_figures(scores.photos.get(name))) for name in PHOTOS),
            ),
            "## Sets of single digits",
            "Reader: share of pictures in which exactly the right digit is read. Model: the model alone takes the whole"
            " picture as one mark, and the best of the ten digits counts. Calibration error: the difference between"
            " confidence and share of right answers, over 15 bins of confidence (Naeini et al. 2015, Guo et al. 2017);"
            " an answer is the model's best class.",
            _table(("set", "pictures", "reader", "ms", "model", "calibration error"), _digit_rows(scores)),
            "## Conditions",
            "MNIST's test digits on generated pages, at three strengths: 1 an ordinary day, 2 hard, 3 the most at which"
            " a careful person still reads everything. The milliseconds are those of the slowest strength.",
            _table(
                ("condition", *(f"exact {n}" for n in (1, 2, 3)), *(f"CER {n}" for n in (1, 2, 3)),
                 *(f"false {n}" for n in (1, 2, 3)), "ms"),
                _condition_rows(scores),
            )
            if scores.suite
            else "Missing: MNIST.",
            "## Pictures without a digit",
            _table(("kind", "pictures", "a digit is read in", "ms"), _nothing_rows(scores))
            if scores.without_digits
            else "Missing: MNIST.",
            "## Size and speed",
            _table(
                ("what", "measured"),
                (
                    ("model file", f"{scores.model_bytes:,} bytes"),
                    ("six digits on 640 x 480 pixels, median", _milliseconds(scores.page_ms)),
                    ("the same on 4000 x 3000 pixels, median", _milliseconds(scores.photo_ms)),
                ),
            ),
        )
    ) + "\n"  # fmt: skip


def as_dict(scores: Scores) -> dict[str, Any]:
    """All scores as plain data, for JSON."""
    return {
        "model": scores.model,
        "model_bytes": scores.model_bytes,
        "goals": [asdict(goal) for goal in goals(scores)],
        "photos": {name: asdict(one.tally) for name, one in scores.photos.items()},
        "reader": {name: asdict(one.tally) for name, one in scores.through_reader.items()},
        "through_the_model": {
            name: {"pictures": one.pictures, "accuracy": one.accuracy, "calibration_error": one.calibration_error}
            for name, one in scores.through_model.items()
        },
        "pooled_calibration_error": scores.pooled_calibration_error,
        "suite": {name: [asdict(one.tally) for one in reads] for name, reads in scores.suite.items()},
        "nothing": {name: asdict(one.tally) for name, one in scores.without_digits.items()},
        "false_share": scores.false_share if scores.without_digits else None,
        "page_ms": scores.page_ms,
        "photo_ms": scores.photo_ms,
    }


def _introduction(scores: Scores, pages: int, per_kind: int, seed: int) -> str:
    return (
        f"Model: `{scores.model}`. None of these sets is training data. Generated pages: {pages} for each condition and"
        f" strength, {per_kind} for each kind of picture without a digit, seed {seed}. Milliseconds are medians on one"
        " thread of the machine that made this page, from pixels in memory to the reading; other machines have others."
        " Pictures of what is misread, with what the model saw, are written to `build/score/`."
    )


def _met(goal: Goal) -> str:
    return {True: "met", False: "**not met**", None: "not measured"}[goal.met]


def _figures(one: ReaderScore | None) -> tuple[str, ...]:
    if one is None:
        return ("missing", "", "", "", "")
    t = one.tally
    return f"{t.pictures:,}", _percent(t.exact), _percent(t.error_rate), _percent(t.false), f"{t.milliseconds:.1f}"


def _digit_rows(scores: Scores) -> Iterable[tuple[str, ...]]:
    for name in ("MNIST test", *DIGIT_GOALS):
        one, seen = scores.through_model.get(name), scores.through_reader.get(name)
        if one is None:
            yield name, "missing", "", "", "", ""
            continue
        through = (_percent(seen.tally.exact), f"{seen.tally.milliseconds:.1f}") if seen else ("", "")
        yield name, f"{one.pictures:,}", *through, _percent(one.accuracy), _plain(one.calibration_error)
    pooled = scores.pooled_calibration_error
    if pooled is not None:
        total = sum(one.pictures for one in scores.through_model.values())
        yield "**all**", f"{total:,}", "", "", "", _plain(pooled)


def _condition_rows(scores: Scores) -> Iterable[tuple[str, ...]]:
    for name, reads in scores.suite.items():
        yield name, *_cells([one.tally for one in reads])
    strengths = list(zip(*scores.suite.values(), strict=True))
    yield "**mean**", *_shares([[one.tally for one in reads] for reads in strengths]), ""


def _cells(tallies: Sequence[Tally]) -> tuple[str, ...]:
    return *_shares([[one] for one in tallies]), f"{max(one.milliseconds for one in tallies):.1f}"


def _shares(strengths: Sequence[Sequence[Tally]]) -> list[str]:
    """Exact of each strength, then CER and false readings; each is the mean of some tallies."""
    fields = ("exact", "error_rate", "false")
    return [f"{mean(getattr(one, field) for one in tallies):.1%}" for field in fields for tallies in strengths]


def _nothing_rows(scores: Scores) -> Iterable[tuple[str, ...]]:
    for kind, one in scores.without_digits.items():
        yield kind, f"{one.tally.pictures:,}", f"{1 - one.tally.exact:.1%}", f"{one.tally.milliseconds:.1f}"
    total = sum(one.tally.pictures for one in scores.without_digits.values())
    yield "**all**", f"{total:,}", f"{scores.false_share:.1%}", ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], align: str = "") -> str:
    sides = align or "l" + "r" * (len(head) - 1)
    lines = [_row(head), "|" + "".join("---|" if side == "l" else "---:|" for side in sides)]
    return "\n".join([*lines, *map(_row, rows)])


def _row(cells: Sequence[str]) -> str:
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _plain(value: float) -> str:
    return f"{value:.4f}"


def _kilobytes(value: float) -> str:
    return f"{value:.1f} KB"


def _milliseconds(value: float) -> str:
    return f"{value:.1f} ms"
