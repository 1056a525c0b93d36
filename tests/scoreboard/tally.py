"""Tally readings: share read exactly, character error rate, false readings, time."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from edge.reading.evaluation import edits, only_digits


@dataclass(frozen=True, slots=True)
class Outcome:
    """One picture that was read."""

    truth: str
    """What is written; only its digits count. Empty where there is no digit."""
    found: str
    milliseconds: float
    left_unread: bool = False
    """Whether the reading names a mark that may be a digit but was not read."""

    @property
    def wrong(self) -> bool:
        """Whether something was read that is not what is written: a picture in which nothing is read is not wrong."""
        return bool(only_digits(self.found)) and not self.right

    @property
    def right(self) -> bool:
        """Whether exactly these digits were read, in this order."""
        return only_digits(self.found) == only_digits(self.truth)


@dataclass(frozen=True, slots=True)
class Tally:
    """How a set of pictures was read."""

    pictures: int
    exact: float
    """Share of pictures read without a mistake, 0 to 1."""
    error_rate: float
    """Character error rate: wrong, missing and invented digits over true digits."""
    false: float
    """Wrong and invented digits over true digits; missing digits do not count."""
    milliseconds: float
    """Median time of a reading."""
    slow: float = 0.0
    """Time of a reading that 95 % of them do not exceed."""
    slowest: float = 0.0
    wrong: float = 0.0
    """Share of pictures in which something is read that is not what is written, 0 to 1."""
    silent: float = 0.0
    """The same, where the reading does not name any mark as unread either."""


def tally(outcomes: Iterable[Outcome]) -> Tally:
    """The tally of at least one outcome. Without any true digits the rates are per picture."""
    listed = list(outcomes)
    counted = [edits(only_digits(one.found), only_digits(one.truth)) for one in listed]
    total = sum(len(only_digits(one.truth)) for one in listed) or len(listed)
    times = sorted(one.milliseconds for one in listed)
    return Tally(
        pictures=len(listed),
        exact=sum(one.right for one in listed) / len(listed),
        error_rate=sum(all_edits for all_edits, _ in counted) / total,
        false=sum(false for _, false in counted) / total,
        milliseconds=statistics.median(times),
        slow=times[max(0, -(-95 * len(times) // 100) - 1)],
        slowest=times[-1],
        wrong=sum(one.wrong for one in listed) / len(listed),
        silent=sum(one.wrong and not one.left_unread for one in listed) / len(listed),
    )
