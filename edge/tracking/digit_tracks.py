"""Tracks each digit of the page over frames: where it is, and which digit it is, averaged over single misreadings."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from math import inf

from edge.types import Box, Digit, Reading

MATCH_DISTANCE = 0.5
"""A digit belongs to a track if its centre moved by less than this share of the longer side of the smaller box. Chosen:
more would tolerate a camera that shakes more, less keeps neighbouring digits apart."""
MAX_SIZE_RATIO = 2
"""A digit this many times as large as a track, or as small, belongs to another one: one was half covered, for example.
Chosen."""
DOUBTFUL_REASONS = ("low_contrast", "blurred", "uncertain")
"""Reasons for which nothing was read although digits may be there; tracks that were reported are kept."""
MIN_PRESENCE = 0.05
"""A track is dropped when its presence, 0 to 1, falls below this. Chosen."""


class DigitTrack:
    """One digit on the page, averaged over all frames."""

    __slots__ = ("box", "confirmed", "digit", "reported", "presence", "present", "shares")

    def __init__(self, digit: Digit, watched: float) -> None:
        self.box = digit.box
        self.shares = list(_shares(digit))
        """The probability of each digit 0 to 9: an exponential average over frames."""
        self.digit = digit.digit
        """The digit that it is believed to be."""
        self.presence = 0.0
        """The share of frames that have a digit here, 0 to 1: an exponential average."""
        self.present = False
        """Whether a digit is believed to be here."""
        self.confirmed = watched
        """When a frame last had the believed digit here, in seconds of watching."""
        self.reported = False
        """Whether an event has reported this digit."""

    def fuse(self, digit: Digit, weight: float, margin: float, watched: float) -> None:
        """Add one frame that has this digit here."""
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
        """Believe that it is another digit, which no event has reported yet."""
        self.digit, self.confirmed, self.reported = digit, watched, False


class DigitTracks:
    """The tracks of all digits on the page, in reading order."""

    def __init__(self, enter: float, hold: float) -> None:
        """``enter`` (0.5 to 1): a digit is present from this presence on, and gone below 1 - ``enter`` (hysteresis).

        The two thresholds mirror each other, so that a digit goes and its replacement comes in the same frame.
        ``hold``: how many seconds a digit is believed that no frame confirms.
        """
        self._enter, self._margin, self._hold = enter, 2 * enter - 1, hold
        self.lines: list[list[DigitTrack]] = []

    @property
    def text(self) -> str:
        """What is believed to be written, lines joined by ``\\n``."""
        rows = ("".join(str(track.digit) for track in line if track.present) for line in self.lines)
        return "\n".join(row for row in rows if row)

    @property
    def boxes(self) -> list[Box]:
        """The box of each track, present or not."""
        return [track.box for line in self.lines for track in line]

    @property
    def confidence(self) -> float:
        """The confidence of the least sure digit, 0 to 1."""
        return min((track.shares[track.digit] for line in self.lines for track in line if track.present), default=1.0)

    def mark_reported(self) -> None:
        """Remember that an event has reported what is there now."""
        for line in self.lines:
            for track in line:
                track.reported = track.present

    def update(self, reading: Reading, weight: float, watched: float) -> None:
        """Add the reading of one frame with ``weight`` (0 to 1), after ``watched`` seconds of watching."""
        old = [track for line in self.lines for track in line]
        found = self._match(reading, old)
        rows: list[list[DigitTrack]] = []
        for _, group in groupby(zip(reading.digits, found, strict=True), key=lambda pair: pair[0].line):
            row = []
            for digit, at in group:
                track = at or DigitTrack(digit, watched)
                track.fuse(digit, weight, self._margin, watched)
                row.append(track)
            rows.append(row)
        unseen = {id(track) for track in old} - {id(track) for track in found}
        if unseen:
            self._miss([track for track in old if id(track) in unseen], reading, weight)
            rows = merge_lines(self.lines, rows, unseen)
        self.lines = rows
        self._decide(watched)

    def _match(self, reading: Reading, tracks: list[DigitTrack]) -> list[DigitTrack | None]:
        """For each digit of the reading its track, or None if it has none yet."""
        digits = reading.digits
        if len(digits) == len(tracks):
            farthest = max(
                (_distance(digit.box, track.box) for digit, track in zip(digits, tracks, strict=True)), default=0
            )
            if farthest < MATCH_DISTANCE:
                return list(tracks)
            if farthest < inf and all(track.present for track in tracks) and reading.text == self.text:
                # The same text at another place: the page or the camera has moved.
                return list(tracks)
        pairs = [
            (distance, i, j)
            for i, digit in enumerate(digits)
            for j, track in enumerate(tracks)
            if (distance := _distance(digit.box, track.box)) < MATCH_DISTANCE
        ]
        found: list[DigitTrack | None] = [None] * len(digits)
        taken: set[int] = set()
        for _, i, j in sorted(pairs):
            if found[i] is None and j not in taken:
                found[i] = tracks[j]
                taken.add(j)
        return found

    def _miss(self, unseen: Iterable[DigitTrack], reading: Reading, weight: float) -> None:
        """Lower the presence of tracks without a digit in this frame, unless it may be hidden or unreadable."""
        doubtful = reading.reason in DOUBTFUL_REASONS
        for track in unseen:
            # Only a digit that was reported is kept.
            if not (track.reported and (doubtful or any(_covers(mark.box, track.box) for mark in reading.unread))):
                track.presence *= 1 - weight

    def _decide(self, watched: float) -> None:
        """Decide which digits are present, and give up those that no frame has confirmed for too long."""
        gone = False
        for line in self.lines:
            for track in line:
                if watched - track.confirmed > self._hold:
                    # Read as other digits: take the likeliest. Not read at all: it is gone.
                    best = track.shares.index(max(track.shares))
                    if best != track.digit:
                        track.become(best, watched)
                    else:
                        track.presence = 0.0
                if track.present:
                    track.present = track.presence > 1 - self._enter
                else:
                    track.present = track.presence >= self._enter
                gone = gone or track.presence < MIN_PRESENCE
        if gone:
            remaining = ([track for track in line if track.presence >= MIN_PRESENCE] for line in self.lines)
            self.lines = [line for line in remaining if line]


def merge_lines(
    lines: list[list[DigitTrack]], rows: list[list[DigitTrack]], unseen: set[int]
) -> list[list[DigitTrack]]:
    """The rows of a frame, with the tracks that it does not show added at their places in the lines before.

    ``unseen`` has their ids. Each is placed after the track that it followed in its line, or else before the one that
    came next. A line of which nothing is seen is placed after the line that it followed.
    """
    row_of = {id(track): row for row in rows for track in row}
    after = 0
    for line in lines:
        home = next((row_of[id(track)] for track in line if id(track) in row_of), None)
        if home is None:
            rows.insert(after, list(line))
            after += 1
            continue
        previous: DigitTrack | None = None
        for track in line:
            if id(track) not in unseen:
                previous, home = track, row_of[id(track)]
                continue
            if previous is None:
                following = next(other for other in line if id(other) in row_of)
                home.insert(home.index(following), track)
            else:
                home.insert(home.index(previous) + 1, track)
                previous = track
        after = next(i for i, row in enumerate(rows) if row is home) + 1
    return rows


def _shares(digit: Digit) -> tuple[float, ...]:
    """The probabilities of all ten digits; if only that of the best one is known, the others are 0."""
    if digit.probabilities:
        return digit.probabilities
    return tuple(digit.confidence if i == digit.digit else 0.0 for i in range(10))


def _distance(a: Box, b: Box) -> float:
    """The distance between the centres of two boxes, across or down, as a share of the longer side of the smaller box.

    Infinite if one is more than MAX_SIZE_RATIO times as large as the other.
    """
    across = abs(2 * (a.x - b.x) + a.width - b.width)
    down = abs(2 * (a.y - b.y) + a.height - b.height)
    # Without max() and min(), which are slower: on a new page each digit is compared with each track.
    small = a.width if a.width > a.height else a.height
    large = b.width if b.width > b.height else b.height
    if small > large:
        small, large = large, small
    return (across if across > down else down) / (2 * small) if large <= MAX_SIZE_RATIO * small else inf


def _covers(box: Box, other: Box) -> bool:
    """Whether a box covers the centre of another."""
    x, y = other.x + other.width / 2, other.y + other.height / 2
    return box.x <= x <= box.x + box.width and box.y <= y <= box.y + box.height
