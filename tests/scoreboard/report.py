"""Report the scores: as a page in Markdown, as JSON data, and against their goals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from statistics import mean
from typing import Any

from tests.scoreboard.goals import DIGIT_GOALS, Goal, goals, milliseconds, percent, plain
from tests.scoreboard.measure import PHOTOS, Scores
from tests.scoreboard.scoring import ReaderScore
from tests.scoreboard.tables import table
from tests.scoreboard.tally import Tally
from tests.scoreboard.unseen_report import unseen_dict, unseen_sections


def markdown(scores: Scores, *, pages: int, per_kind: int, seed: int) -> str:
    """The page in Markdown; the same scores give the same page."""
    return "\n\n".join(
        (
            "# Scores",
            "Made by `make score`; do not edit. " + _introduction(scores, pages, per_kind, seed),
            "## Goals",
            table(("goal", "measured", ""), ((g.what, g.measured, _met(g)) for g in goals(scores)), "lrl"),
            "## Photographs",
            "Exact: share read without a mistake. CER: wrong, missing and invented digits over true digits. False:"
            " wrong and invented digits over true digits.",
            table(
                ("set", "pictures", "exact", "CER", "false", "ms"),
                ((f"photos/{name}", *_figures(scores.photos.get(name))) for name in PHOTOS),
            ),
            *unseen_sections(scores.unseen, names=False),
            "## Sets of single digits",
            "Reader: share of pictures in which exactly the right digit is read. Model: the model alone takes the whole"
            " picture as one mark, and the best of the ten digits counts. Calibration error: the difference between"
            " confidence and share of right answers, over 15 bins of confidence (Naeini et al. 2015, Guo et al. 2017);"
            " an answer is the model's best class.",
            table(("set", "pictures", "reader", "ms", "model", "calibration error"), _digit_rows(scores)),
            "## Conditions",
            "MNIST's test digits on generated pages, at three strengths: 1 an ordinary day, 2 hard, 3 the most at which"
            " a careful person still reads everything. The milliseconds are those of the slowest strength.",
            table(
                ("condition", *(f"exact {n}" for n in (1, 2, 3)), *(f"CER {n}" for n in (1, 2, 3)),
                 *(f"false {n}" for n in (1, 2, 3)), "ms"),
                _condition_rows(scores),
            )
            if scores.suite
            else "Missing: MNIST.",
            "## Pictures without a digit",
            table(("kind", "pictures", "a digit is read in", "ms"), _nothing_rows(scores))
            if scores.without_digits
            else "Missing: MNIST.",
            "## Confidence",
            "At a calibration error of 0, as many of the digits that are read are right as their confidences say. A"
            " digit is right if it belongs to a longest common subsequence of what is read and what is written.",
            table(
                ("kind of picture", "digits read", "mean confidence", "right", "calibration error"), _beliefs(scores)
            ),
            "## Size and speed",
            table(
                ("what", "measured"),
                (
                    ("model file", f"{scores.model_bytes:,} bytes"),
                    ("six digits on 640 x 480 pixels, median", milliseconds(scores.page_ms)),
                    ("the same on 4000 x 3000 pixels, median", milliseconds(scores.photo_ms)),
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
        **unseen_dict(scores.unseen),
        "belief": {name: {"digits": len(one), "error": one.error} for name, one in scores.beliefs.items()},
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
    return f"{t.pictures:,}", percent(t.exact), percent(t.error_rate), percent(t.false), f"{t.milliseconds:.1f}"


def _digit_rows(scores: Scores) -> Iterable[tuple[str, ...]]:
    for name in ("MNIST test", *DIGIT_GOALS):
        one, seen = scores.through_model.get(name), scores.through_reader.get(name)
        if one is None:
            yield name, "missing", "", "", "", ""
            continue
        through = (percent(seen.tally.exact), f"{seen.tally.milliseconds:.1f}") if seen else ("", "")
        yield name, f"{one.pictures:,}", *through, percent(one.accuracy), plain(one.calibration_error)
    pooled = scores.pooled_calibration_error
    if pooled is not None:
        total = sum(one.pictures for one in scores.through_model.values())
        yield "**all**", f"{total:,}", "", "", "", plain(pooled)


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


def _beliefs(scores: Scores) -> Iterable[tuple[str, ...]]:
    for name, one in (*scores.beliefs.items(), ("**all**", scores.pooled_belief)):
        if one.error is not None:
            right, sure = float(one.right.mean()), float(one.confidence.mean())
            yield name, f"{len(one):,}", plain(sure), percent(right), plain(one.error)
