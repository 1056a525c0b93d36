"""Where digits stand on the page, and what each one is: fused over the frames of a camera that shakes and errs."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from math import inf

from edge.types import Box, Digit, Reading

REACH = 0.5
"""A digit stands where one stood before if its middle moved less than this share of the smaller one's longer side."""
LARGER = 2
"""So many times as large, it is another one: what was half covered, or what covers it."""
DOUBTFUL = ("low_contrast", "blurred", "uncertain")
"""Why nothing was read where something may be written."""
FORGOTTEN = 0.05
"""A place is let go of when it has been empty for so long that it is less present than this."""


class DigitTrack:
    """One digit on the page, as all frames together have it."""

    __slots__ = ("box", "confirmed", "digit", "known", "presence", "present", "shares")

    def __init__(self, digit: Digit, watched: float) -> None:
        self.box = digit.box
        self.shares = list(_shares(digit))
        """Of each digit, 0 to 9: its probability, averaged with what is newer counting more."""
        self.digit = digit.digit
        """What it is taken for."""
        self.presence = 0.0
        """How much it is there, 0 to 1: the share of frames that have a digit here, what is newer counting more."""
        self.present = False
        """Whether it is taken to be there."""
        self.confirmed = watched
        """When a frame last said what it is taken for, seconds of watching."""
        self.known = False
        """Whether it has been said that this digit is there."""

    def fuse(self, digit: Digit, weight: float, margin: float, watched: float) -> None:
        """One more frame has this digit here."""
        rest = 1 - weight
        self.shares = shares = [rest * old + weight * new for old, new in zip(self.shares, _shares(digit), strict=True)]
        self.presence = rest * self.presence + weight
        self.box = digit.box
        if digit.digit == self.digit:
            self.confirmed = watched
            return
        best = max(shares)
        if best >= shares[self.digit] + margin:
            self.become(shares.index(best), watched)

    def become(self, digit: int, watched: float) -> None:
        """Take it for another digit, of which nothing has been said."""
        self.digit, self.confirmed, self.known = digit, watched, False


class DigitTracks:
    """All digits that stand there, in reading order."""

    def __init__(self, enter: float, hold: float) -> None:
        """Two thresholds, ``enter`` and 1 - ``enter`` (0.5 to 1), and how many seconds nothing need confirm a digit.

        They are each other's mirror image so that what goes and what comes instead do so in the same frame.
        """
        self._enter, self._margin, self._hold = enter, 2 * enter - 1, hold
        self.lines: list[list[DigitTrack]] = []

    @property
    def text(self) -> str:
        """What is taken to stand there, lines joined by ``\\n``."""
        rows = ("".join(str(place.digit) for place in line if place.present) for line in self.lines)
        return "\n".join(row for row in rows if row)

    @property
    def boxes(self) -> list[Box]:
        """Where each place is, present or not."""
        return [place.box for line in self.lines for place in line]

    @property
    def confidence(self) -> float:
        """How sure the least sure digit is, 0 to 1."""
        return min((place.shares[place.digit] for line in self.lines for place in line if place.present), default=1.0)

    def say(self) -> None:
        """It has been said what stands there."""
        for line in self.lines:
            for place in line:
                place.known = place.present

    def update(self, reading: Reading, weight: float, watched: float) -> None:
        """Fuse one frame, which counts ``weight`` (0 to 1) against all before, after so many seconds of watching."""
        old = [place for line in self.lines for place in line]
        found = self._match(reading, old)
        rows: list[list[DigitTrack]] = []
        for _, group in groupby(zip(reading.digits, found, strict=True), key=lambda pair: pair[0].line):
            row = []
            for digit, at in group:
                place = at or DigitTrack(digit, watched)
                place.fuse(digit, weight, self._margin, watched)
                row.append(place)
            rows.append(row)
        unseen = {id(place) for place in old} - {id(place) for place in found}
        if unseen:
            self._miss([place for place in old if id(place) in unseen], reading, weight)
            rows = merged(self.lines, rows, unseen)
        self.lines = rows
        self._decide(watched)

    def _match(self, reading: Reading, places: list[DigitTrack]) -> list[DigitTrack | None]:
        """For each digit of the reading the place where it stands, if that is known."""
        digits = reading.digits
        if len(digits) == len(places):
            farthest = max(
                (_apart(digit.box, place.box) for digit, place in zip(digits, places, strict=True)), default=0
            )
            if farthest < REACH:
                return list(places)
            if farthest < inf and all(place.present for place in places) and reading.text == self.text:
                # The same is written somewhere else: the page, or the camera, has moved.
                return list(places)
        pairs = [
            (distance, i, j)
            for i, digit in enumerate(digits)
            for j, place in enumerate(places)
            if (distance := _apart(digit.box, place.box)) < REACH
        ]
        found: list[DigitTrack | None] = [None] * len(digits)
        taken: set[int] = set()
        for _, i, j in sorted(pairs):
            if found[i] is None and j not in taken:
                found[i] = places[j]
                taken.add(j)
        return found

    def _miss(self, unseen: Iterable[DigitTrack], reading: Reading, weight: float) -> None:
        """No digit was read there: it is gone, unless something hides it or it could not be read."""
        doubtful = reading.reason in DOUBTFUL
        for place in unseen:
            # What has not been said yet is not held.
            if not (place.known and (doubtful or any(_covers(box, place.box) for box in reading.unread))):
                place.presence *= 1 - weight

    def _decide(self, watched: float) -> None:
        """What is there and what is not; what no frame confirmed for too long is let go of."""
        gone = False
        for line in self.lines:
            for place in line:
                if watched - place.confirmed > self._hold:
                    # Read as others: the likeliest. Not read at all: nothing.
                    best = place.shares.index(max(place.shares))
                    if best != place.digit:
                        place.become(best, watched)
                    else:
                        place.presence = 0.0
                if place.present:
                    place.present = place.presence > 1 - self._enter
                else:
                    place.present = place.presence >= self._enter
                gone = gone or place.presence < FORGOTTEN
        if gone:
            kept = ([place for place in line if place.presence >= FORGOTTEN] for line in self.lines)
            self.lines = [line for line in kept if line]


def merged(lines: list[list[DigitTrack]], rows: list[list[DigitTrack]], unseen: set[int]) -> list[list[DigitTrack]]:
    """The rows that a frame shows, with the places that it does not show where they stood in the lines before.

    ``unseen`` are their ids. Each follows what it followed in its line, or stands before what came after it; a line of
    which nothing is seen comes after the line it followed.
    """
    row_of = {id(place): row for row in rows for place in row}
    after = 0
    for line in lines:
        home = next((row_of[id(place)] for place in line if id(place) in row_of), None)
        if home is None:
            rows.insert(after, list(line))
            after += 1
            continue
        previous: DigitTrack | None = None
        for place in line:
            if id(place) not in unseen:
                previous, home = place, row_of[id(place)]
                continue
            if previous is None:
                following = next(other for other in line if id(other) in row_of)
                home.insert(home.index(following), place)
            else:
                home.insert(home.index(previous) + 1, place)
                previous = place
        after = next(i for i, row in enumerate(rows) if row is home) + 1
    return rows


def _shares(digit: Digit) -> tuple[float, ...]:
    """The probabilities of all ten digits; where only the best one's is known, the others have none."""
    if digit.probabilities:
        return digit.probabilities
    return tuple(digit.confidence if i == digit.digit else 0.0 for i in range(10))


def _apart(a: Box, b: Box) -> float:
    """How far apart two boxes' middles are, across or down, as a share of the smaller one's longer side.

    Infinite where the larger one is more than LARGER times as large.
    """
    across = abs(2 * (a.x - b.x) + a.width - b.width)
    down = abs(2 * (a.y - b.y) + a.height - b.height)
    # Without max and min: on a page that was turned each digit is compared with each that was there.
    small = a.width if a.width > a.height else a.height
    large = b.width if b.width > b.height else b.height
    if small > large:
        small, large = large, small
    return (across if across > down else down) / (2 * small) if large <= LARGER * small else inf


def _covers(box: Box, place: Box) -> bool:
    """Whether a box reaches over the middle of a place."""
    x, y = place.x + place.width / 2, place.y + place.height / 2
    return box.x <= x <= box.x + box.width and box.y <= y <= box.y + box.height
