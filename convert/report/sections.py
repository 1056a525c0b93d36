"""The sections of a report's page that show comparisons: what is lost, where, and in which pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from convert.conversion.pipeline import Done
from convert.evaluation.calibration import calibration_error
from convert.evaluation.verify import Comparison
from convert.evaluation.verify import confusion as counted
from convert.report import markup, plots, sums, words
from convert.report.facts import LISTED
from convert.report.sums import Mistake, Probabilities
from edge.types import Pixels

Both = dict[str, Comparison]
"""What was made of MNIST, and of the same digits through the synthetic camera, by a key of WHERE."""
WHERE = {"MNIST": "on MNIST", "camera": "through the camera"}
"""The same within a sentence."""
PAIRS = 3
"""So many confusions are named in words."""


def costs(recipe: str, both: Both) -> str:
    """Keras beside the file, on each set of pictures."""
    head = ["", *(f"{by}, {where}" for where in both for by in ("Keras", recipe))]
    rows: list[list[str]] = [
        [
            "accuracy",
            *(f"{share:.2%}" for one in both.values() for share in (one.accuracy_float, one.accuracy)),
        ],
        [
            "95 % interval",
            *(words.interval(right, one.images) for one in both.values() for right in (one.correct_float, one.correct)),
        ],
        ["change, points", *_beside(words.signed(-one.drop) for one in both.values())],
        ["same answer", *_beside(f"{one.agreement:.2%}" for one in both.values())],
        ["confidence drift, mean", *_beside(f"{one.drift.mean():.2%}" for one in both.values())],
        ["confidence drift, worst", *_beside(f"{one.drift.max():.1%}" for one in both.values())],
        [
            "calibration error",
            *(f"{_error(one, given):.2%}" for one in both.values() for given in (one.expected, one.found)),
        ],
    ]
    if any(one.rejected is not None for one in both.values()):
        rows.insert(4, ["taken for no digit", *_beside(f"{one.rejected or 0:.2%}" for one in both.values())])
    camera = both["camera"]
    said = "Drift: by how much the confidence in Keras's answer changes."
    table = markup.table(f"On {camera.images:,} test images, and on the same through a synthetic camera", head, rows)
    return markup.section(f"Through the camera it {words.loses(camera.drop)}", table, markup.paragraph(said, "note"))


def sizes(done: Done) -> str:
    """Size against accuracy."""
    alt = "Size and accuracy of each recipe, as in the table above, with intervals."
    caption = "Hollow: compared on fewer images. A short line is Keras on the same images."
    return markup.figure(caption, plots.recipes(done.attempts, done.chosen, len(done.material.test), "recipes", alt))


def confusions(recipe: str, both: Both) -> str:
    """The confusion matrices before and after, and the commonest confusions in words."""
    first = sums.pairs(both["MNIST"])
    heading = "No digit is read as another one"
    if first:
        heading = f"{first[0].written} read as {first[0].read} is the commonest mistake"
    parts = [
        markup.paragraph(
            "What is written down the side, what is read across; the stronger the colour, the more often.", "note"
        )
    ]
    for where, one in both.items():
        before, after = counted(one.read_float, one.labels), counted(one.read, one.labels)
        apart = ~np.eye(10, dtype=bool)
        most = int(max(before[apart].max(), after[apart].max()))
        common = "; ".join(words.confused(pair) for pair in sums.pairs(one)[:PAIRS]) or "nothing is confused"
        drawn = [
            markup.figure(
                f"{by}, {where}: {int(counts[apart].sum()):,} read wrong",
                plots.confusion(counts, most, f"confusion {where} {by}", f"Confusion matrix of {by}, {where}. {said}"),
            )
            for by, counts, said in (("Keras", before, ""), (recipe, after, f"Commonest: {common}."))
        ]
        parts.append(f'<div class="pair">\n{drawn[0]}\n{drawn[1]}\n</div>')
        parts.append(markup.paragraph(f"{_upper(WHERE[where])}: {common}."))
    return markup.section(heading, *parts)


def by_digit(both: Both) -> str:
    """What each digit's accuracy lost or gained."""
    said = " ".join(f"{_upper(WHERE[where])}, {words.most_changed(one)}." for where, one in both.items())
    changed, points = sums.most_changed(both["MNIST"])
    quiet = words.signed(points) == "0.00"
    heading = f"The {changed} changes most: it {words.loses(-points)}"
    if quiet:
        heading = "On MNIST no digit is read better or worse"
    rows = [
        [str(digit), *(text for one in both.values() for text in _digit(one, digit))]
        for digit in sorted({row[0] for one in both.values() for row in one.by_digit()})
    ]
    head = ["digit", *(name for where in both for name in (f"Keras, {where}", "after", "change, points"))]
    return markup.section(
        heading,
        markup.paragraph(said),
        markup.figure("Accuracy of each digit, after less before", plots.by_digit(both, "by digit", said)),
        markup.table("Share of each digit that is read right", head, rows),
    )


def reliability(recipe: str, both: Both) -> str:
    """Whether of answers with confidence 0.9 nine in ten are right."""
    errors = {where: _error(one, one.found) for where, one in both.items()}
    drawn = []
    for where, one in both.items():
        bins = [sums.reliability(*sums.answers(given, one.labels, one.classes)) for given in (one.expected, one.found)]
        said = f"{_upper(WHERE[where])}: calibration error {errors[where]:.2%}, Keras {_error(one, one.expected):.2%}"
        drawn.append(markup.figure(said, plots.reliability(bins[0], bins[1], recipe, f"reliability {where}", said)))
    return markup.section(
        f"Its confidence is {100 * errors['MNIST']:.1f} points off on MNIST,"
        f" {100 * errors['camera']:.1f} through the camera",
        markup.paragraph(
            "The nearer to the diagonal, the truer the confidence; bars are 95 % intervals, long where answers are few."
            " The calibration error is the mean distance, weighted by answers (Guo et al. 2017)."
            " Both are shown at the file's temperature.",
            "note",
        ),
        f'<div class="pair">\n{drawn[0]}\n{drawn[1]}\n</div>',
    )  # fmt: skip


def misread(done: Done, recipe: str, both: Both) -> str:
    """The worst digits as pictures: what the file loses, and what it is surest of and wrong."""
    pictures = {"MNIST": done.material.test, "camera": done.camera}
    parts = []
    for where, one in both.items():
        losses = sums.only_file_wrong(one)
        parts += _pictures(f"Lost {WHERE[where]}, read right by Keras alone", losses, pictures[where], recipe)
    surest = sums.both_wrong(both["MNIST"])
    parts += _pictures("Read wrong by both on MNIST, the surest first", surest, pictures["MNIST"], recipe)
    lost, gained = len(sums.only_file_wrong(both["MNIST"])), sums.only_keras_wrong(both["MNIST"])
    return markup.section(_upper(f"{_digits(lost)} lost on MNIST, {_digits(gained)} gained"), *parts)


def _pictures(heading: str, mistakes: list[Mistake], glyphs: Pixels, recipe: str) -> list[str]:
    if not mistakes:
        return [markup.heading(f"{heading}: none")]
    count = f"{len(mistakes):,}" if len(mistakes) <= LISTED else f"{LISTED} of {len(mistakes):,}"
    items = [
        markup.digit(
            glyphs[one.image],
            f"Test image {one.image}: a {one.written} that {recipe} reads as {one.file.name}",
            (
                f"written {one.written}, no. {one.image}",
                f"Keras {one.keras.name}, {one.keras.confidence:.0%}",
                f"{recipe} {one.file.name}, {one.file.confidence:.0%}",
            ),
        )
        for one in mistakes[:LISTED]
    ]
    return [markup.heading(f"{heading} ({count})"), '<ul class="digits">', *items, "</ul>"]


def _beside(values: Iterable[str]) -> Iterator[str]:
    """Each in the file's column, with Keras's left empty."""
    for value in values:
        yield from ("", value)


def _upper(text: str) -> str:
    return text[0].upper() + text[1:]


def _digits(count: int) -> str:
    return f"{count:,} digits are" if count > 1 else f"{count or 'no'} digit is"


def _digit(one: Comparison, digit: int) -> tuple[str, str, str]:
    for at, images, before, after in one.by_digit():
        if at == digit:
            change = words.signed(100 * (after - before) / images)
            return f"{before / images:.2%}", f"{after / images:.2%}", change
    return "", "", ""


def _error(one: Comparison, given: Probabilities) -> float:
    return calibration_error(*sums.answers(given, one.labels, one.classes))
