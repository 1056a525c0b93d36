"""Measure how people, kinds of pictures and marks are read that nothing was fitted on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from edge.reading.evaluation import load_labelled, only_digits
from edge.reading.reader import Reader
from tests.scoreboard.hands import Hands, load_hands
from tests.scoreboard.mark_scores import AmongScore, among_digits, digits_by_writer
from tests.scoreboard.people import PeopleScore, score_people
from tests.scoreboard.scoring import SHOWN, ModelScore, ReaderScore, score_reader
from tests.scoreboard.situations.kinds import SITUATIONS, situation_pages
from tests.scoreboard.suite import STRENGTHS
from tests.scoreboard.word_pages import KINDS, word_pages

PEOPLE = ("single", "multi", "none")
"""The sets of photographs by people, folders under ``photos2/``."""
ANEW = 1000
"""Added to the seed, so that situations are not made with the numbers of the suite."""
Progress = Callable[[str], None]
"""Called with the name of each set before it is measured."""


class Extent(NamedTuple):
    """How much is measured."""

    pages: int
    """Of each kind of situation at each strength."""
    words: int
    """Pages of each kind of words."""
    every: int
    """One of so many symbols and letters is put among digits."""
    times: int
    """How often each photograph of several digits is read, for its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """The scores. Sets that are missing from the data folder are missing here."""

    people: dict[str, PeopleScore] = field(default_factory=dict)
    """By set of ``photos2/``."""
    situations: ReaderScore | None = None
    """The samples of ``situations/``."""
    made: dict[str, tuple[ReaderScore, ...]] = field(default_factory=dict)
    """By kind of situation, made anew: one for each strength."""
    marks: dict[str, ModelScore] = field(default_factory=dict)
    """Digits of writers who are held out, through the model alone."""
    among: dict[str, AmongScore] = field(default_factory=dict)
    """By group: symbols and letters among digits."""
    words: dict[str, ReaderScore] = field(default_factory=dict)
    """By kind: pages of handwritten words; ``exact`` is the share on which nothing is read."""

    @property
    def all_made(self) -> list[ReaderScore]:
        """The scores of all kinds at all strengths."""
        return [one for reads in self.made.values() for one in reads]


def measure_unseen(reader: Reader, folder: Path, seed: int, much: Extent, on_set: Progress) -> Unseen:
    """Measure all that the data folder has. Raises DataError where a set is damaged."""
    people = {}
    for name in PEOPLE:
        labels = folder / "photos2" / name / "labels.csv"
        if labels.exists():
            on_set(f"photos2/{name}")
            people[name] = score_people(reader, labels, much.times if name == "multi" else 1)
    samples = folder / "situations" / "labels.csv"
    situations = None
    if samples.exists():
        on_set("situations")
        pictures = [(frame.pixels, text) for frame, text, _ in load_labelled(samples)]
        situations = score_reader(reader, pictures, len(pictures))
    hands = load_hands(folder)
    if hands is None:
        return Unseen(people=people, situations=situations)
    made = {}
    for kind in SITUATIONS:
        on_set(kind)
        made[kind] = tuple(_made(reader, hands, seed, much.pages, kind, strength) for strength in STRENGTHS)
    on_set("marks")
    words = {}
    for kind in KINDS:
        pages = list(word_pages(hands, seed, much.words, kind))
        if pages:
            words[kind] = score_reader(reader, ((page, "") for page in pages))
    return Unseen(
        people=people,
        situations=situations,
        made=made,
        marks=digits_by_writer(reader.model, folder),
        among=among_digits(reader, folder, hands, seed, much.every),
        words=words,
    )


def _made(reader: Reader, hands: Hands, seed: int, pages: int, kind: str, strength: int) -> ReaderScore:
    cases = situation_pages(hands, seed + ANEW, pages, [kind], [strength])
    return score_reader(reader, ((case.pixels, only_digits(case.truth)) for case in cases), SHOWN // len(STRENGTHS))
