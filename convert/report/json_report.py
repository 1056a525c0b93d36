"""All figures of a conversion as plain data, which ``convert/schema/report.json`` describes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from convert.conversion.attempts import AGREEMENT, Attempt
from convert.conversion.pipeline import Done
from convert.evaluation.calibration import calibration_error
from convert.evaluation.verify import Comparison, confusion, wilson
from convert.report import sums, words
from convert.report.sums import Mistake

SCHEMA = 1
"""Version of ``convert/schema/report.json``."""
LISTED = 12
"""So many of the worst digits of each kind."""


def figures(done: Done) -> dict[str, Any]:
    """What a conversion was asked, did and measured; the same conversion gives the same. No folder is named."""
    said = done.attempts[0].card.source
    return {
        "schema": SCHEMA,
        "model": {
            "file": done.order.model.name,
            "sha256": done.loaded.sha256,
            "loaded_by": done.loaded.keras,
            "labels": list(done.loaded.labels),
            "weights_bytes": weights_bytes(done),
        },
        "versions": {key: said[key] for key in ("edge-digits", "tensorflow", "keras") if key in said},
        "order": {
            "recipe": done.order.recipe,
            "max_drop_points": done.order.max_drop,
            "min_agreement": AGREEMENT if done.order.recipe == "auto" else 0.0,
            "input_range": done.order.input_range,
            "polarity": done.order.polarity,
            "io": done.order.io,
            "seed": done.order.seed,
        },
        "data": {
            "sha256": done.material.digest,
            "calibration_images": len(done.material.calibration),
            "calibration_photographed": done.material.photographed,
            "known_images": done.convention.images,
            "test_images": len(done.material.test),
        },
        "input": _input(done),
        "recipes": [_recipe(done, tried) for tried in done.attempts],
        "shown": None if done.shown is None else done.shown.recipe,
        "problem": words.problem(done),
        "result": _result(done),
    }


def weights_bytes(done: Done) -> int:
    """What the Keras model's weights take, 4 bytes each."""
    return 4 * int(done.loaded.model.count_params())


def _input(done: Done) -> dict[str, Any]:
    found = done.convention
    return {
        "shape": list(found.shape),
        "image": list(found.image),
        "paper": found.paper,
        "ink": found.ink,
        "fit": found.fit,
        "output": found.output,
        "trials": [
            {**asdict(trial), "accuracy": round(trial.accuracy, 6), "loss": round(trial.loss, 4)}
            for trial in found.trials
        ],
        "remarks": list(found.remarks()),
    }


def _recipe(done: Done, tried: Attempt) -> dict[str, Any]:
    found = tried.comparison
    return {
        "recipe": tried.recipe,
        "chosen": tried is done.chosen,
        "size_bytes": tried.size_bytes or None,
        "problem": None if tried.problem is None else words.placeless(tried.problem),
        "runtimes": [
            {
                "name": one.name,
                "version": one.version,
                "installed": one.installed,
                "problem": None if one.problem is None else words.placeless(one.problem),
                "agreement": one.agreement,
            }
            for one in tried.runtimes
        ],
        "time_us": None if tried.times is None else {key: round(at, 1) for key, at in asdict(tried.times).items()},
        "mnist": None if found is None else _short(found),
    }


def _result(done: Done) -> dict[str, Any] | None:
    shown, camera = done.shown, done.through_camera
    if shown is None or shown.comparison is None or camera is None:
        return None
    return {
        "recipe": shown.recipe,
        "kept": done.chosen is not None,
        "size_bytes": shown.size_bytes,
        "times_smaller": round(weights_bytes(done) / shown.size_bytes, 2),
        "temperature": shown.card.temperature,
        "mnist": _long(shown.comparison),
        "synthetic_camera": _long(camera),
    }


def _short(found: Comparison) -> dict[str, Any]:
    return {
        "images": found.images,
        "accuracy_float": _share(found.correct_float, found.images),
        "accuracy": _share(found.correct, found.images),
        "drop_points": round(found.drop, 4),
        "agreement": round(found.agreement, 6),
        "confidence_drift_mean": round(float(found.drift.mean()), 6),
        "confidence_drift_worst": round(float(found.drift.max()), 6),
        "taken_for_no_digit": None if found.rejected is None else round(found.rejected, 6),
    }


def _long(found: Comparison) -> dict[str, Any]:
    confidence, right = sums.answers(found.found, found.labels, found.classes)
    before = calibration_error(*sums.answers(found.expected, found.labels, found.classes))
    return {
        **_short(found),
        "calibration_error_float": round(before, 6),
        "calibration_error": round(calibration_error(confidence, right), 6),
        "reliability": [
            {**asdict(one), "above": round(one.above, 6), "confidence": round(one.confidence, 6)}
            for one in sums.reliability(confidence, right)
        ],
        "by_digit": [
            {"digit": digit, "images": images, "right_float": before, "right": after}
            for digit, images, before, after in found.by_digit()
        ],
        "confusion_float": np.asarray(confusion(found.read_float, found.labels)).tolist(),
        "confusion": np.asarray(confusion(found.read, found.labels)).tolist(),
        "confused": [asdict(pair) for pair in sums.pairs(found)[:LISTED]],
        "only_file_wrong": [_mistake(one) for one in sums.only_file_wrong(found)[:LISTED]],
        "only_keras_wrong": sums.only_keras_wrong(found),
        "both_wrong": [_mistake(one) for one in sums.both_wrong(found)[:LISTED]],
    }


def _share(right: int, images: int) -> dict[str, float]:
    low, high = wilson(right, images)
    return {"share": round(right / images, 6), "low": round(low, 6), "high": round(high, 6)}


def _mistake(one: Mistake) -> dict[str, Any]:
    made = asdict(one)
    for answer in (made["keras"], made["file"]):
        answer["confidence"] = round(answer["confidence"], 4)
    return made
