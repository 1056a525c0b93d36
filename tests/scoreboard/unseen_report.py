"""The part of the report on people, kinds of pictures and marks that nothing was fitted on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from statistics import mean
from typing import Any

from tests.scoreboard.goals import milliseconds, percent, plain
from tests.scoreboard.scoring import ReaderScore
from tests.scoreboard.tables import table
from tests.scoreboard.tally import Tally
from tests.scoreboard.unseen import PEOPLE, Unseen


def unseen_sections(unseen: Unseen, *, names: bool) -> Iterator[str]:
    """Headings, text and tables; ``names``: people are named, else numbered in the order of their names."""
    yield "## Photographs by people"
    yield (
        "Photographs of people whose pictures nothing was fitted on. Hard ones are those at which a careful person"
        " hesitates; in photos2/none nothing is written, and exact is the share in which nothing is read. Wrong:"
        " share in which something is read that is not what is written. The times are the median, one that 95 % of the"
        " readings do not exceed, and the slowest, in milliseconds."
    )
    of_set = ("set", "pictures", "exact", "not hard", "mean over people", "CER", "wrong", "ms", "95 %", "slowest")
    yield table(of_set, (_set(unseen, name) for name in PEOPLE))
    if unseen.people:
        yield "Exact by person:"
        yield table(("person", *(f"photos2/{name}" for name in PEOPLE)), _by_person(unseen, names=names))
    yield "## Situations"
    yield (
        "What users point a camera at besides a clean row of digits. The samples are those of the data folder; the"
        " kinds are made anew, with digits and letters of writers whom no model was trained on, at three strengths."
        " Wrong: share in which something is read that is not what is written. Silent: the same, where the reading"
        " names no mark as unread either."
    )
    yield table(("samples", "pictures", "exact", "wrong", "silent", "ms"), [_samples(unseen)])
    if unseen.made:
        of_kind = ("kind", *(f"{what} {n}" for what in ("exact", "wrong", "silent") for n in (1, 2, 3)), "ms")
        yield table(of_kind, _kinds(unseen))
    else:
        yield "Missing: marks."
    yield "## Marks of writers who are held out"
    yield (
        "One writer in eight is held out of all training, and one picture in eight where the writers are not known."
        " Digits: the model alone takes the digit, drawn with three pens, as one mark. Others: each symbol or letter"
        " stands on a line with digits of the same writer, at its usual size and place, and is not to be read."
        " Look-alikes cannot be told from a digit by their shape alone."
    )
    if unseen.marks:
        rows = (
            (n, f"{s.pictures:,}", percent(s.accuracy), plain(s.calibration_error)) for n, s in unseen.marks.items()
        )
        yield table(("digits", "marks", "model", "calibration error"), rows)
    if unseen.among:
        of_group = ("among digits", "marks", "read as a digit", "only the digits are read", "most often")
        yield table(of_group, _among(unseen), "lrrrl")
    if unseen.words:
        words = unseen.words.items()
        rows = ((n, f"{s.tally.pictures}", percent(s.tally.exact), _ms(s.tally.milliseconds)) for n, s in words)
        yield table(("without a digit", "pages", "nothing is read", "ms"), rows)


def unseen_dict(unseen: Unseen) -> dict[str, Any]:
    """The same as plain data, for JSON."""
    return {
        "people": {
            name: {
                "all": asdict(one.whole.tally),
                "not_hard": one.easy and asdict(one.easy),
                "mean_over_people": one.mean_over_people,
                "people": {person: asdict(found) for person, found in one.people.items()},
            }
            for name, one in unseen.people.items()
        },
        "situations": unseen.situations and asdict(unseen.situations.tally),
        "situations_made": {name: [asdict(one.tally) for one in reads] for name, reads in unseen.made.items()},
        "marks": {name: {"pictures": one.pictures, "accuracy": one.accuracy} for name, one in unseen.marks.items()},
        "among_digits": {
            name: {
                "marks": one.score.tally.pictures,
                "false": one.false,
                "exact": one.score.tally.exact,
                "worst": one.worst,
            }
            for name, one in unseen.among.items()
        },
        "words": {name: asdict(one.tally) for name, one in unseen.words.items()},
    }


def _set(unseen: Unseen, name: str) -> tuple[str, ...]:
    one = unseen.people.get(name)
    if one is None:
        return (f"photos2/{name}", "missing", *[""] * 8)
    t = one.whole.tally
    rate = percent(t.error_rate) if name != "none" else ""
    return (
        f"photos2/{name}", f"{t.pictures:,}", percent(t.exact), percent(one.easy.exact) if one.easy else "",
        percent(one.mean_over_people), rate, percent(t.wrong), _ms(t.milliseconds), _ms(t.slow), _ms(t.slowest),
    )  # fmt: skip


def _by_person(unseen: Unseen, *, names: bool) -> Iterable[tuple[str, ...]]:
    everyone = sorted({person for one in unseen.people.values() for person in one.people})
    for number, person in enumerate(everyone, 1):
        found = [unseen.people[name].people.get(person) if name in unseen.people else None for name in PEOPLE]
        yield (person if names else f"{number}", *map(_count, found))


def _count(one: Tally | None) -> str:
    return f"{round(one.exact * one.pictures)} of {one.pictures}" if one else ""


def _samples(unseen: Unseen) -> tuple[str, ...]:
    if unseen.situations is None:
        return ("situations", "missing", "", "", "", "")
    t = unseen.situations.tally
    return "situations", f"{t.pictures}", percent(t.exact), percent(t.wrong), percent(t.silent), _ms(t.milliseconds)


def _kinds(unseen: Unseen) -> Iterable[tuple[str, ...]]:
    for name, reads in unseen.made.items():
        yield name, *_shares([[one] for one in reads]), _ms(max(one.tally.milliseconds for one in reads))
    yield "**mean**", *_shares(list(zip(*unseen.made.values(), strict=True))), ""


def _shares(strengths: Sequence[Sequence[ReaderScore]]) -> list[str]:
    """Exact at each strength, then wrong and silent; each is the mean of some scores."""
    fields = ("exact", "wrong", "silent")
    return [f"{100 * mean(getattr(one.tally, name) for one in reads):.0f}%" for name in fields for reads in strengths]


def _among(unseen: Unseen) -> Iterable[tuple[str, ...]]:
    for group, one in unseen.among.items():
        worst = ", ".join(f"`{char}` {count} of {of}" for char, count, of in one.worst)
        yield group, f"{one.score.tally.pictures:,}", percent(one.false), percent(one.score.tally.exact), worst


def _ms(value: float) -> str:
    return milliseconds(value).removesuffix(" ms")
