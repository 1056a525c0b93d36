"""Find out how a model is fed and what its outputs stand for, by trying all usual ways on labelled digits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.choices import RANGES
from convert.classes import LABELS_BY_OUTPUTS
from convert.data.mnist import Labels
from convert.evaluation import temperature
from convert.evaluation.accuracy import answered
from convert.load import orders, race
from convert.load.conventions import (
    CHUNK_BYTES,
    USUAL_ACCURACY,
    InputFormat,
    Trial,
    combinations,
    is_equal_loss,
)
from edge.errors import ConvertError
from edge.model.card import DIGITS, Output
from edge.model.classifier import probabilities
from edge.types import Pixels

__all__ = ["InputFormat", "Trial", "detect", "samples"]

EQUAL_ACCURACY = 0.0025
"""Combinations whose accuracies differ by at most this, 0 to 1, or by two standard errors, and that no test tells
apart, count as equal. Among them the loss decides, a finer measure: to a saturated model 0..255 looks like 0..1."""
ENOUGH = 0.003
"""The search ends when no other combination can be more accurate than the chosen one by more than this, 0 to 1."""
LEAST_IMAGES = 800
"""The search does not end before so many digits: fewer say too little about the labels and the loss."""
EQUAL_SUMS = 0.02
"""The sums of outputs that differ by at most this share of them count as one whole. Chosen: bytes are rounded."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Candidate:
    """A way to feed the model, with what it answered so far."""

    trial: Trial
    input_format: InputFormat
    outputs: NDArray[np.float32]
    """(n, classes)."""
    labels: tuple[str, ...] = ()
    """What the outputs are taken to stand for."""
    right: NDArray[np.bool_]
    """Which digits it reads, (n,)."""
    is_worse: bool = False

    @property
    def accuracy(self) -> float:
        return float(self.right.mean())


def detect(
    model: Any,
    glyphs: Pixels,
    digits: Labels,
    labels: tuple[str, ...] | None,
    where: str,
    *,
    is_named: bool = False,
    input_range: str | None = None,
    polarity: str | None = None,
    ranges: Mapping[str, tuple[float, float]] = RANGES,
) -> InputFormat:
    """The way to feed a model, and the order of its outputs, with which it reads labelled digits best.

    ``model`` has ``input_shape``, batch first, and ``predict(inputs, batch_size, verbose)``; glyphs (n, 28, 28), digits
    (n,). ``labels`` say what each output stands for; None: find the digits among them. Where other outputs read far
    better, these labels are replaced, or, if ``is_named`` (the user gave them), refused. With ``input_range`` (a key of
    ``ranges``) or ``polarity`` only that one is tried. Raises ModelError if the input is not an image of a digit,
    ConvertError if all outputs are NaN or infinite, or if no labels are known and no digits found.
    """
    order = race.balanced(digits)
    glyphs, digits = glyphs[order], digits[order]
    tried: dict[str, list[_Candidate]] = {}
    chosen = None
    for is_turned in (False, True):
        # Only where no usual direction reads: all would take long.
        if chosen and chosen.accuracy >= USUAL_ACCURACY:
            break
        entries = [
            _Candidate(trial=trial, input_format=one, outputs=np.zeros((0, 0), np.float32), right=np.zeros(0, bool))
            for trial, one in combinations(model.input_shape, where, ranges, input_range, polarity, is_turned=is_turned)
        ]
        if entries:
            best, more = _raced(model, entries, glyphs, digits, labels, where)
            chosen = max(filter(None, (chosen, best)), key=lambda one: one.accuracy)
            tried |= more
    assert chosen
    groups = list(tried.values())
    taken, said = _ordered(groups, chosen, digits, labels, where, is_named)
    return _decided(groups, taken, digits, taken.labels == labels, said)


def samples(model: Any, glyphs: Pixels, where: str) -> NDArray[np.float32]:
    """Glyphs (n, 28, 28) as inputs of a Keras model, (n, \\*shape): each in another combination, to time the model on.

    Raises ModelError if the input is not an image of a digit.
    """
    formats = [one for _, one in combinations(model.input_shape, where, RANGES)]
    chosen = np.linspace(0, len(formats) - 1, len(glyphs)).astype(int)
    return np.concatenate([formats[at].feed(glyphs[i : i + 1]) for i, at in enumerate(chosen)])


def _raced(
    model: Any,
    entries: list[_Candidate],
    glyphs: Pixels,
    digits: Labels,
    labels: tuple[str, ...] | None,
    where: str,
) -> tuple[_Candidate, dict[str, list[_Candidate]]]:
    """The best of the entries, by a race on more and more digits; and all, by the names of their trials."""
    tried: dict[str, list[_Candidate]] = {}
    all_looks = race.looks(len(glyphs))
    seen = 0
    for size, following in zip(all_looks, [*all_looks[1:], 0], strict=True):
        _compute(model, entries, glyphs[seen:size])
        seen = size
        entries = [entry for entry in entries if np.isfinite(entry.outputs).all()]
        if not entries:
            raise ConvertError(
                f"{where}: gives NaN or infinity for some digits, in any way to feed them; train it again"
            )
        racing = [one for entry in entries for one in _with_labels(entry, digits[:size], labels)]
        if not racing:
            raise ConvertError(
                f"{where}: has {entries[0].outputs.shape[1]} outputs, too few to find all digits among them; say what"
                " each output stands for: --labels 0,1,2,..."
            )
        right = np.array([one.right for one in racing])
        worse = race.clearly_worse(right, int(right.mean(axis=1).argmax()), len(all_looks))
        tried |= {one.trial.name: [] for one in racing}
        for one, is_worse in zip(racing, worse, strict=True):
            one.is_worse = bool(is_worse)
            tried[one.trial.name].append(one)
        left = [one for one in racing if not one.is_worse]
        if size >= LEAST_IMAGES or not following:
            chosen = _choose(left, digits[:size])
            behind = race.most_behind(np.array([one.right for one in left]), left.index(chosen))
            if not following or behind <= ENOUGH or chosen.accuracy + behind < USUAL_ACCURACY:
                break
        kept = _to_keep(left, digits[:size], max(2, race.MAX_RUNS // (following - size)))
        entries = [entry for entry in entries if entry.trial.name in kept]
    return chosen, tried


def _compute(model: Any, entries: list[_Candidate], glyphs: Pixels) -> None:
    """Add what the model answers to glyphs (n, 28, 28), fed in each way, to the outputs of each."""
    # Many ways at once: each call of Keras costs as much as hundreds of digits.
    step = max(1, CHUNK_BYTES // (4 * len(glyphs) * int(np.prod(entries[0].input_format.shape))))
    for start in range(0, len(entries), step):
        some = entries[start : start + step]
        if len(some) == 1:
            outputs = some[0].input_format.outputs(model, glyphs)
        else:
            inputs = np.concatenate([entry.input_format.feed(glyphs) for entry in some])
            outputs = np.asarray(model.predict(inputs, batch_size=500, verbose=0), np.float32)
        for entry, part in zip(some, outputs.reshape(len(some), len(glyphs), -1), strict=True):
            entry.outputs = np.concatenate([entry.outputs, part]) if len(entry.outputs) else part


def _with_labels(entry: _Candidate, digits: Labels, known: tuple[str, ...] | None) -> list[_Candidate]:
    """The same with the labels that are known, and with those that its answers suggest, if these are others."""
    read = [] if known is None else [(known, orders.reads(entry.outputs, known, digits))]
    found = orders.found(entry.outputs, digits, known)
    if found is not None and found != known:
        read.append((found, orders.cross_validated(entry.outputs, digits)))
    return [replace(entry, labels=labels, right=right) for labels, right in read]


def _to_keep(left: list[_Candidate], digits: Labels, most: int) -> set[str]:
    """The names of the trials that go on: ``most`` that read best, and the surest one, which may read a few less."""
    ranked = sorted(left, key=lambda one: -one.accuracy)[:most]
    return {one.trial.name for one in (*ranked, _choose(left, digits))}


def _choose(candidates: list[_Candidate], digits: Labels) -> _Candidate:
    """The one to take of candidates on the same digits, which no test tells apart."""
    best = max(candidates, key=lambda one: one.accuracy)
    near = [one for one in candidates if one.accuracy >= best.accuracy - max(EQUAL_ACCURACY, 2 * _error(one, best))]
    equal = [(one, _loss(one, digits)) for one in near if not one.trial.is_odd] or [(one, 0.0) for one in near]
    least = min(loss for _, loss in equal)
    return next(one for one, loss in equal if is_equal_loss(loss, least))


def _ordered(
    tried: list[list[_Candidate]],
    chosen: _Candidate,
    digits: Labels,
    known: tuple[str, ...] | None,
    where: str,
    is_named: bool,
) -> tuple[_Candidate, str | None]:
    """The candidate with the labels to take, and how these were found, if that has to be said. Raises ConvertError."""
    if known is None:
        if chosen.accuracy < USUAL_ACCURACY:
            raise ConvertError(
                f"{where}: has {chosen.outputs.shape[1]} outputs, and no ten of them read MNIST's digits"
                f" ({chosen.accuracy:.1%} at best); if some of them are digits, say what each output stands for:"
                " --labels 0,1,2,..."
            )
        return chosen, f"{chosen.accuracy:.1%} of the digits are read so"
    usual = [one for group in tried for one in group if one.labels == known]
    fed_so = [one for group in tried for one in group if one.trial == chosen.trial]
    other = chosen if chosen.labels != known else next((one for one in fed_so if one.labels != known), chosen)
    # Also what is taken for no digit counts here: an output that is called none may be a digit.
    best, answers = max(_answered(one, digits) for one in usual), _answered(other, digits)
    lacking = [digit for digit in DIGITS if digit not in known] if is_named else []
    if other.labels == known or (best >= USUAL_ACCURACY and not lacking) or 1 - answers > (1 - best) / 2:
        if chosen.labels != known:
            most = max(len(one.right) for one in usual)
            return _choose([one for one in usual if len(one.right) == most], digits[:most]), None
        is_guess = not is_named and len(known) > 11 and known == LABELS_BY_OUTPUTS.get(len(known))
        return chosen, f"usual for {len(known)} outputs" if is_guess else None
    answers_so = next(_answered(one, digits) for one in fed_so if one.labels == known)
    if is_named and answers >= USUAL_ACCURACY:
        raise ConvertError(
            f"{where}: reads {answers_so:.1%} of the digits with these --labels"
            f"{', which have no ' + ', '.join(lacking) if lacking else ''}; looks like --labels"
            f" {orders.text(other.labels)}: {answers:.1%}"
        )
    return other, f"{answers:.1%} of the digits are read so, {answers_so:.1%} in the usual order"


def _decided(
    tried: list[list[_Candidate]],
    chosen: _Candidate,
    digits: Labels,
    is_known: bool,
    said: str | None,
) -> InputFormat:
    """The result; ``is_known``: whether the chosen one has the labels that were known."""
    # Of each way to feed the model the candidate with labels of the same origin.
    alike = [chosen if chosen in group else group[0 if is_known else -1] for group in tried]
    level = [one for one in alike if one is chosen or (not one.is_worse and len(one.right) == len(chosen.right))]
    # The race drops only what is worse beyond any doubt; what is said to be undecided has to pass this test alone.
    worse = race.clearly_worse(np.array([one.right for one in level]), level.index(chosen), 1)
    for one, is_worse in zip(level, worse, strict=True):
        one.is_worse = bool(is_worse)
    others = [_trial(one, digits) for one in alike if one is not chosen]
    others.sort(key=lambda trial: (-trial.images, -trial.accuracy))
    if said:
        said = f"labels found: {orders.text(chosen.labels)} ({said}); if that is wrong, say --labels"
    kind = _output_kind(chosen.outputs)
    return replace(
        chosen.input_format, output=kind, labels=chosen.labels, images=len(chosen.right),
        temperature=temperature.start(chosen.outputs) if kind == "logits" else 1.0,
        trials=(_trial(chosen, digits), *others), labels_found=said,
    )  # fmt: skip


def _answered(one: _Candidate, digits: Labels) -> float:
    """How many of the digits are its answer, among all outputs, 0 to 1."""
    return answered(one.outputs, one.labels, digits[: len(one.outputs)])


def _error(one: _Candidate, other: _Candidate) -> float:
    """The standard error of the difference between two accuracies on the same digits, after McNemar (1947)."""
    return float((one.right != other.right).sum() ** 0.5 / len(one.right))


def _trial(one: _Candidate, digits: Labels) -> Trial:
    count = len(one.right)
    return replace(
        one.trial, images=count, accuracy=one.accuracy, loss=_loss(one, digits[:count]), is_worse=one.is_worse
    )


def _output_kind(outputs: NDArray[np.float32]) -> Output:
    # Sigmoids count as probabilities: edge.model.classifier makes them sum to 1. Log-probabilities count as logits:
    # their softmax is the probabilities.
    bounded = outputs.min() >= -1e-5 and outputs.max() <= 1 + 1e-5
    # So do shares of another whole, such as 100 %.
    sums = outputs.sum(axis=1)
    is_share = outputs.min() >= -1e-5 * sums.mean() and np.ptp(sums) <= EQUAL_SUMS * sums.mean()
    return "probabilities" if bounded or is_share else "logits"


def _loss(one: _Candidate, digits: Labels) -> float:
    """Mean negative log-likelihood of the right digits (n,), among the outputs that are digits, in nats."""
    columns, numbers = orders.columns(one.labels)
    known = np.isin(digits, numbers)
    if not known.any():
        return float("inf")
    among = probabilities(one.outputs, _output_kind(one.outputs))[known][:, columns]
    classes = (numbers[None] == digits[known][:, None]).argmax(axis=1)
    # Compare at the best temperature: otherwise a wrong range could win because it makes the model more confident.
    calibrated = probabilities(among, "probabilities", temperature.fit(among, classes))
    likelihood = calibrated[np.arange(len(classes)), classes]
    return float(-np.log(np.maximum(likelihood, 1e-12)).mean())
