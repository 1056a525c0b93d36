"""The sections of the page that compare the file with the Keras model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from convert.conversion.pipeline import Conversion
from convert.evaluation.calibration import calibration_error
from convert.evaluation.verify import Comparison
from convert.evaluation.verify import confusion as counted
from convert.report import markup, plots, statistics, wording
from convert.report.json_report import MAX_MISTAKES
from convert.report.statistics import Mistake, Probabilities
from edge.types import Pixels

Both = dict[str, Comparison]
"""The comparisons on MNIST and on the same digits through the synthetic camera; the keys are those of WHERE."""
WHERE = {"MNIST": "on MNIST", "camera": "through the camera"}
"""A set of images, as it is called within a sentence."""
MAX_CONFUSIONS = 3
"""Number of confusions that are named in the text below a matrix."""


def costs(recipe: str, both: Both) -> str:
    """Accuracy and more of Keras and of the file, on each set of images."""
    camera = both["camera"]
    head = ["", *(f"{by}, {where}" for where in both for by in ("Keras", recipe))]
    rows: list[list[str]] = [
        [
            "accuracy",
            *(f"{share:.2%}" for one in both.values() for share in (one.accuracy_float, one.accuracy)),
        ],
        [
            "95 % interval",
            *(
                wording.interval(right, one.images)
                for one in both.values()
                for right in (one.correct_float, one.correct)
            ),
        ],
        ["change, points", *_file_only(wording.signed(-one.drop) for one in both.values())],
        ["same answer", *_file_only(f"{one.agreement:.2%}" for one in both.values())],
        ["confidence drift, mean", *_file_only(f"{one.drift.mean():.2%}" for one in both.values())],
        ["confidence drift, worst", *_file_only(f"{one.drift.max():.1%}" for one in both.values())],
        [
            "calibration error",
            *(
                f"{_error(one, probabilities):.2%}"
                for one in both.values()
                for probabilities in (one.keras, one.tflite)
            ),
        ],
    ]
    if camera.taken_for_no_digit is not None:
        rows.insert(4, ["taken for no digit", *_file_only(f"{one.taken_for_no_digit:.2%}" for one in both.values())])
    note = "Confidence drift: how much the confidence in Keras's answer changes."
    table = markup.table(f"On {camera.images:,} test images, directly and through a synthetic camera", head, rows)
    return markup.section(
        f"Through the camera, {recipe} {wording.loses(camera.drop)}", table, markup.paragraph(note, "note")
    )


def sizes(conversion: Conversion) -> str:
    """Size against accuracy."""
    alt = "Size and accuracy of each recipe, as in the table above, with intervals."
    caption = "Hollow marker: compared on fewer images. Short line: Keras on the same images."
    return markup.figure(
        caption, plots.recipes(conversion.attempts, conversion.chosen, len(conversion.dataset.test), "recipes", alt)
    )


def confusions(recipe: str, both: Both) -> str:
    """The confusion matrices of Keras and of the file, and the most common confusions in words."""
    first = statistics.pairs(both["MNIST"])
    heading = "No digit is read as another one"
    if first:
        heading = f"{first[0].written} read as {first[0].read} is the most common mistake"
    parts = [
        markup.paragraph(
            "Rows: the digit written. Columns: the digit read. A stronger colour means more often.", "note"
        )
    ]
    for where, one in both.items():
        before, after = counted(one.read_float, one.labels), counted(one.read, one.labels)
        apart = ~np.eye(10, dtype=bool)
        most = int(max(before[apart].max(), after[apart].max()))
        common = (
            "; ".join(wording.confused(pair) for pair in statistics.pairs(one)[:MAX_CONFUSIONS])
            or "nothing is confused"
        )
        drawn = [
            markup.figure(
                f"{by}, {where}: {int(counts[apart].sum()):,} misread",
                plots.confusion(counts, most, f"confusion {where} {by}", f"Confusion matrix of {by}, {where}. {top}"),
            )
            for by, counts, top in (("Keras", before, ""), (recipe, after, f"Most common: {common}."))
        ]
        parts.append(markup.pair(*drawn))
        parts.append(markup.paragraph(f"{_capitalised(WHERE[where])}: {common}."))
    return markup.section(heading, *parts)


def by_digit(both: Both) -> str:
    """The change in accuracy of each digit."""
    caption = " ".join(f"{_capitalised(WHERE[where])}, {wording.most_changed(one)}." for where, one in both.items())
    changed, points = statistics.most_changed(both["MNIST"])
    heading = f"On MNIST, digit {changed} changes most: it {wording.loses(-points)}"
    if wording.signed(points) == "0.00":
        heading = "On MNIST, the accuracy of no digit changes"
    rows = [
        [str(digit), *(text for one in both.values() for text in _digit(one, digit))]
        for digit in sorted({row[0] for one in both.values() for row in one.by_digit()})
    ]
    head = ["digit", *(name for where in both for name in (f"Keras, {where}", "file", "change, points"))]
    return markup.section(
        heading,
        markup.paragraph(caption),
        markup.pair(
            markup.figure(
                "Change in accuracy of each digit, file minus Keras", plots.by_digit(both, "by digit", caption)
            ),
            markup.table("Accuracy of each digit", head, rows),
        ),
    )


def reliability(recipe: str, both: Both) -> str:
    """Reliability diagrams: whether 90 % of the answers with confidence 0.9 are correct."""
    errors = {where: _error(one, one.tflite) for where, one in both.items()}
    drawn = []
    for where, one in both.items():
        bins = [
            statistics.reliability(*statistics.answers(probabilities, one.labels, one.classes))
            for probabilities in (one.keras, one.tflite)
        ]
        caption = (
            f"{_capitalised(WHERE[where])}: calibration error {errors[where]:.2%}, Keras {_error(one, one.keras):.2%}"
        )
        drawn.append(
            markup.figure(caption, plots.reliability(bins[0], bins[1], recipe, f"reliability {where}", caption))
        )
    return markup.section(
        f"Confidence is off by {100 * errors['MNIST']:.1f} points on MNIST,"
        f" by {100 * errors['camera']:.1f} through the camera",
        markup.paragraph(
            "The closer to the diagonal, the better confidence matches accuracy. Bars are 95 % intervals; they are long"
            " where there are few answers. The calibration error is the mean distance from the diagonal, weighted by"
            " the number of answers (Guo et al. 2017). Both models are shown at the file's temperature.",
            "note",
        ),
        markup.pair(*drawn),
    )


def misread(conversion: Conversion, recipe: str, both: Both) -> str:
    """Pictures of misread digits: those that only the file misreads, and those that both do."""
    pictures = {"MNIST": conversion.dataset.test, "camera": conversion.camera}
    parts = []
    for where, one in both.items():
        losses = statistics.only_file_wrong(one)
        parts += _pictures(f"Misread by {recipe} only, {WHERE[where]}", losses, pictures[where], recipe)
    surest = statistics.both_wrong(both["MNIST"])
    parts += _pictures("Misread by both, on MNIST, most confident first", surest, pictures["MNIST"], recipe)
    lost, gained = len(statistics.only_file_wrong(both["MNIST"])), statistics.only_keras_wrong(both["MNIST"])
    return markup.section(f"On MNIST, only {recipe} misreads {_digits(lost)}, only Keras {_digits(gained)}", *parts)


def _pictures(heading: str, mistakes: list[Mistake], glyphs: Pixels, recipe: str) -> list[str]:
    if not mistakes:
        return [markup.heading(f"{heading}: none")]
    count = f"{len(mistakes):,}" if len(mistakes) <= MAX_MISTAKES else f"{MAX_MISTAKES} of {len(mistakes):,}"
    items = [
        markup.digit(
            glyphs[one.image],
            f"Test image {one.image}: a {one.written} that {recipe} reads as {one.file.name}",
            (
                f"written {one.written}, image {one.image}",
                f"Keras {one.keras.name}, {one.keras.confidence:.0%}",
                f"{recipe} {one.file.name}, {one.file.confidence:.0%}",
            ),
        )
        for one in mistakes[:MAX_MISTAKES]
    ]
    return [markup.heading(f"{heading} ({count})"), '<ul class="digits">', *items, "</ul>"]


def _file_only(values: Iterable[str]) -> Iterator[str]:
    """Each value in the file's column, with Keras's column empty."""
    for value in values:
        yield from ("", value)


def _capitalised(text: str) -> str:
    return text[0].upper() + text[1:]


def _digits(count: int) -> str:
    return f"{count:,} digits" if count > 1 else "1 digit" if count else "no digit"


def _digit(one: Comparison, digit: int) -> tuple[str, str, str]:
    for at, images, before, after in one.by_digit():
        if at == digit:
            change = wording.signed(100 * (after - before) / images)
            return f"{before / images:.2%}", f"{after / images:.2%}", change
    return "", "", ""


def _error(one: Comparison, probabilities: Probabilities) -> float:
    return calibration_error(*statistics.answers(probabilities, one.labels, one.classes))
