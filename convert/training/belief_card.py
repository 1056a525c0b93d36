"""What ``belief.tflite`` says of itself: how it was made, from what, and how well it judges unseen writers' pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.recfunctions import repack_fields
from numpy.typing import NDArray

from convert.data.mnist import load_mnist
from convert.evaluation.auc import auc
from convert.evaluation.calibration import calibration_error
from convert.samples import marks
from convert.system.versions import versions
from convert.training.belief import (
    LEAST_PROBABILITY,
    is_right,
    view_figures,
)
from convert.training.belief_samples import Pages, Place, Samples
from convert.training.belief_weights import fit_weights
from convert.training.ink_map import KINDS
from edge.model.classifier import Model
from edge.reading.belief import ViewNetwork, pack, weigh
from edge.reading.evidence import NAMES, logit
from edge.reading.reader import MIN_CONFIDENCE

SOURCES = (
    "MNIST: Y. LeCun, C. Cortes, C. J. C. Burges; CC BY-SA 3.0",
    "UNIPEN train_r01_v07: doi 10.5281/zenodo.1195803; CC BY 4.0",
    "pendigits: E. Alpaydin, F. Alimoglu, doi 10.24432/C5MG6K; CC BY 4.0",
    "bhmsds: github.com/wblachowski/bhmsds; MIT",
    "Omniglot: B. Lake; MIT",
    "HASYv2: M. Thoma; ODbL",
    "papers and canvases: CC0",
    "pages of words: github.com/Breta01/handwriting-ocr; MIT",
)
"""What the pages are made of, whose it is, and its licence; all that is in the folders is used."""
MORE_SIGNS, MORE_LETTERS, MORE_THINGS, MORE_HOLDERS, MORE_CUTS, MORE_DIGITS = 7, 4, 4, 8, 1, 2
"""So many times more are weighed: signs, letters, things, those that hold something as rings do, wrong cuts, digits.

Chosen by what is read on photographs and in situations. A sign, a letter, a ring or a wrong cut that is read makes
another number of it; and generated pages are harder than most photographs: without more digits the belief is too low.
"""
HOLDER = 0.3
"""What encloses at least so many digits, as the evidence counts them, holds something."""
MISNAMED = 10
"""One of so many whole digits is also a sample with another name, which its view contradicts."""
Figures = dict[str, float | int | None]
"""Figures by their names; None: there is nothing to measure it by."""
COLUMNS = (
    ("samples", "samples", ",d"),
    ("digits", "digits", ",d"),
    ("AUC", "auc", ".4f"),
    ("log loss", "log_loss", ".4f"),
    ("calibration error", "calibration_error", ".4f"),
    ("digits kept", "kept", ".2%"),
    ("others accepted", "accepted", ".2%"),
)
"""The columns of the table: heading, name in the card, format."""


def figures(beliefs: NDArray[np.float32], right: NDArray[np.bool_]) -> Figures:
    """How well beliefs (n,) fit what is right (n,); ``kept`` and ``accepted`` at the default threshold."""
    accepted = beliefs >= MIN_CONFIDENCE
    own = np.where(right, beliefs, 1 - beliefs)
    area = auc(beliefs, right)
    return {
        "samples": len(right),
        "digits": int(right.sum()),
        "auc": None if area is None else round(area, 5),
        "log_loss": round(float(-np.log(np.maximum(own, LEAST_PROBABILITY)).mean()), 5),
        "calibration_error": round(calibration_error(beliefs, right), 5),
        "kept": round(float(accepted[right].mean()), 5) if right.any() else None,
        "accepted": round(float(accepted[~right].mean()), 5) if not right.all() else None,
    }


def judged(samples: Samples, network: ViewNetwork, weights: Mapping[str, NDArray[np.floating]]) -> dict[str, Any]:
    """``views``: how well the first network judges views; ``belief``: both together, all samples and each kind."""
    shares = network.look(samples["view"][samples["looked_at"]])
    beliefs = weigh(samples["evidence"], {name: array.astype(np.float32) for name, array in weights.items()})
    right = is_right(samples)
    by_kind = {kind: samples["kind"] == i for i, kind in enumerate(KINDS)}
    return {
        "views": {
            name.replace(" ", "_").lower(): None if value is None else round(value, 5)
            for name, value in view_figures(shares, samples["truth"][samples["looked_at"]]).items()
        },
        "belief": {
            "all": figures(beliefs, right),
            **{kind: figures(beliefs[some], right[some]) for kind, some in by_kind.items() if some.any()},
        },
    }


def with_more(samples: Samples) -> Samples:
    """The samples, some of them several times, as MORE_SIGNS and the others say."""
    right, holds = is_right(samples), samples["evidence"][:, NAMES.index("holds")] >= HOLDER
    of_kind = {kind: samples["kind"] == i for i, kind in enumerate(KINDS)}
    times = (
        1
        + MORE_SIGNS * of_kind["symbol"]
        + MORE_LETTERS * of_kind["letter"]
        + MORE_THINGS * of_kind["thing"]
        + MORE_HOLDERS * (of_kind["thing"] & holds)
        + MORE_CUTS * (of_kind["cut"] & ~right)
        + MORE_DIGITS * (of_kind["digit"] & right)
    )
    return samples[np.repeat(np.arange(len(samples)), times)]


def misnamed(samples: Samples, seed: int) -> Samples:
    """Some digits as if the classifier were sure that each is another one: a model of the user's own may be."""
    some = samples[(samples["kind"] == KINDS.index("digit")) & is_right(samples)][::MISNAMED].copy()
    others = (some["digit"] + np.random.default_rng(seed).integers(1, 10, len(some))) % 10
    some["digit"] = others
    some["evidence"][:, NAMES.index("context_share")] = logit(0.0)
    some["evidence"][:, NAMES.index("is_0") :] = np.eye(10)[others]
    return some


def finished(
    network: bytes, command: str, place: Place, sets: Sequence[Pages], samples: Samples, held_out: Samples, seed: int
) -> tuple[bytes, dict[str, Any]]:
    """The bytes of ``belief.tflite`` with this ``network`` that looks at views, a .tflite, and its card.

    The one that weighs the evidence is fitted on ``samples`` and judged by ``held_out``, of which both the views were
    looked at. ``command``: what it is made by, without paths; ``sets``: the pages of ``page_sets``.
    """
    # Views would be copied as often as their samples are weighed: gigabytes.
    samples = repack_fields(samples[["evidence", "digit", "truth", "kind"]])
    samples = np.concatenate([with_more(samples), misnamed(samples, seed)])
    weights = fit_weights(samples["evidence"], is_right(samples), seed)
    with ViewNetwork(network, "belief") as views:
        measured = judged(held_out, views, weights)
    with Model(place.model) as classifier:
        made_for = {"name": classifier.card.name, "sha256": classifier.sha256}
    parts = dict(zip(("views", "weights", "held_out"), sets, strict=True))
    card = {
        "evidence": list(NAMES),
        **{name: array.tolist() for name, array in weights.items()},
        "made_by": {"command": command, **versions()},
        "model": made_for,
        "pages": {name: {"count": pages.count, "seed": list(pages.seed)} for name, pages in parts.items()},
        "data": {
            "mnist": load_mnist(place.mnist).digest,
            "marks": marks.digest(place.marks),
            "sources": list(SOURCES),
        },
        "held_out": measured,
    }
    return pack(network, card), card


def table(card: Mapping[str, Any]) -> list[str]:
    """What was measured on pages of writers who are held out, as lines of text: for all, and for each kind."""
    rows = [["", *(heading for heading, _, _ in COLUMNS)]]
    for kind, found in card["held_out"]["belief"].items():
        values = [(found[name], form) for _, name, form in COLUMNS]
        rows.append([kind, *("-" if value is None else format(value, form) for value, form in values)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join([kind.ljust(widths[0]), *map(str.rjust, values, widths[1:])]) for kind, *values in rows]
