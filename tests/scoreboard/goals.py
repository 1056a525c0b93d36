"""The goals of the scores, and whether they are met."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import mean

from tests.scoreboard.measure import Scores
from tests.scoreboard.scoring import ReaderScore
from tests.scoreboard.unseen import Unseen

DIGIT_GOALS = {"nsysu_dev": 0.98, "scan_cells_dev": 0.986, "usps": 0.981, "semeion": 0.973, "hwd1000": 0.999}
"""Goal of each set: share of right digits, through the reader or through the model alone."""
MARK_GOALS = {"pendigits": 0.985, "unipen_digits": 0.985, "bhmsds, ones": 0.98}
"""The same for the marks of writers who are held out, through the model alone."""
CONDITION_GOALS = {"touching pairs": (0.9, 0.8, 0.7), "touching triples": (0.8, 0.7, 0.6)}
"""Share of pages that are read exactly at each strength."""
MEAN_GOALS = (0.96, 0.94, 0.9)
"""The same, of all conditions together."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal, what was measured, and whether the goal is met; None where the set is missing."""

    what: str
    measured: str
    met: bool | None


def goals(scores: Scores) -> list[Goal]:
    """All goals."""
    return [*_photographs(scores), *_unseen(scores.unseen), *_generated(scores), *_model(scores), *_speed(scores)]


def _photographs(scores: Scores) -> Iterator[Goal]:
    for name, exact in (("single", 0.98), ("multi", 0.96)):
        one = scores.photos.get(name)
        yield _goal(f"photos/{name}: exact at least {100 * exact:g} %", _exact(one), exact, percent)
    people = scores.unseen.people
    single, multi, none = (people.get(name) for name in ("single", "multi", "none"))
    yield _goal("photos2/single: exact at least 98.5 %", _exact(single.whole if single else None), 0.985, percent)
    easy = multi.easy.exact if multi and multi.easy else None
    yield _goal("photos2/multi, not hard: exact at least 93 %", easy, 0.93, percent)
    yield _goal("photos2/multi, all: exact at least 80 %", _exact(multi.whole if multi else None), 0.8, percent)
    over = multi.mean_over_people if multi else None
    yield _goal("photos2/multi, mean over people: exact at least 88 %", over, 0.88, percent)
    yield _goal("photos2/none: nothing is read in at least 97 %", _exact(none.whole if none else None), 0.97, percent)
    for name, most in (("milliseconds", 12), ("slow", 35), ("slowest", 70)):
        what = {"milliseconds": "median", "slow": "95 % of readings", "slowest": "slowest"}[name]
        took = -getattr(multi.whole.tally, name) if multi else None
        yield _goal(f"photos2/multi, {what}: at most {most} ms", took, -most, milliseconds)


def _unseen(unseen: Unseen) -> Iterator[Goal]:
    made = [one.tally for one in unseen.all_made]
    exact = mean(one.exact for one in made) if made else None
    wrong = -mean(one.wrong for one in made) if made else None
    yield _goal("situations made anew: exact at least 85 %", exact, 0.85, percent)
    yield _goal("situations made anew: something wrong is read in at most 4 %", wrong, -0.04, percent)
    for group, most in (("symbols", 0.02), ("upper case", 0.03), ("lower case", 0.03)):
        one = unseen.among.get(group)
        what = f"{group} among digits: read as a digit at most {100 * most:g} %"
        yield _goal(what, -one.false if one else None, -most, percent)
    joined = unseen.words.get("words by hand, joined")
    yield _goal("words by hand, joined: nothing is read on at least 97 %", _exact(joined), 0.97, percent)
    for name, least in MARK_GOALS.items():
        seen = unseen.marks.get(name)
        yield _goal(f"{name}: at least {100 * least:g} %", seen.accuracy if seen else None, least, percent)


def _generated(scores: Scores) -> Iterator[Goal]:
    by_strength: list[Sequence[ReaderScore]] = list(zip(*scores.suite.values(), strict=True))
    for i, least in enumerate(MEAN_GOALS):
        share = mean(one.tally.exact for one in by_strength[i]) if by_strength else None
        yield _goal(f"conditions, strength {i + 1}: exact at least {100 * least:g} %", share, least, percent)
    for name, shares in CONDITION_GOALS.items():
        for i, least in enumerate(shares):
            share = scores.suite[name][i].tally.exact if name in scores.suite else None
            yield _goal(f"{name}, strength {i + 1}: exact at least {100 * least:g} %", share, least, percent)
    slowest = max((one.tally.milliseconds for reads in scores.suite.values() for one in reads), default=None)
    took = None if slowest is None else -slowest
    yield _goal("conditions, slowest median: at most 30 ms", took, -30, milliseconds)
    false = -scores.false_share if scores.without_digits else None
    yield _goal("pictures without a digit: one is read in less than 1 %", false, -0.01, percent, strict=True)


def _model(scores: Scores) -> Iterator[Goal]:
    mnist = scores.through_model.get("MNIST test")
    yield _goal("MNIST test: at least 99.70 %", mnist.accuracy if mnist else None, 0.997, percent)
    for name, share in DIGIT_GOALS.items():
        yield _digits(scores, name, share)
    error = scores.pooled_calibration_error
    what = "calibration error of the model, pooled: below 0.02"
    yield _goal(what, None if error is None else -error, -0.02, plain, strict=True)
    over_all = scores.pooled_belief.error
    what = "calibration error of what is read, over all: at most 0.02"
    yield _goal(what, None if over_all is None else -over_all, -0.02, plain)
    errors = [one.error for one in scores.beliefs.values()]
    worst = max((error for error in errors if error is not None), default=None)
    what = "calibration error of what is read, each kind of picture: at most 0.05"
    yield _goal(what, None if worst is None else -worst, -0.05, plain)
    yield _goal("model file: at most 100 KB", -scores.model_bytes / 1000, -100, _kilobytes)


def _speed(scores: Scores) -> Iterator[Goal]:
    yield _goal("six digits on 640 x 480: below 3 ms", -scores.page_ms, -3, milliseconds, strict=True)
    yield _goal("12 megapixels: at most 80 ms", -scores.photo_ms, -80, milliseconds)


def _exact(one: ReaderScore | None) -> float | None:
    return one.tally.exact if one else None


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
    return _goal(what, max(reader, model), share, lambda value: f"{percent(value)} ({by})")


def percent(share: float) -> str:
    """A share, 0 to 1, as text."""
    return f"{100 * share:.2f} %"


def plain(value: float) -> str:
    """A small number as text."""
    return f"{value:.4f}"


def _kilobytes(value: float) -> str:
    return f"{value:.1f} KB"


def milliseconds(value: float) -> str:
    """A time as text."""
    return f"{value:.1f} ms"
