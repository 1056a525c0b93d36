"""``report.json``: all results of a conversion as plain data; ``convert/schema/report.json`` is its schema."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from convert.conversion.attempts import AGREEMENT, Attempt
from convert.conversion.pipeline import Conversion
from convert.evaluation import temperature
from convert.evaluation.calibration import calibration_error
from convert.evaluation.verify import Comparison, confusion, wilson
from convert.report import statistics, wording
from convert.report.statistics import Mistake
from edge.system.text import printable

SCHEMA = 1
"""Version of ``convert/schema/report.json``."""
MAX_MISTAKES = 12
"""Greatest number of misread digits, and of confusions, in a report; the worst are first. Chosen: one screen."""


def figures(conversion: Conversion) -> dict[str, Any]:
    """What was requested, done and measured; the same for the same conversion, except times. No folder is named."""
    source = conversion.attempts[0].card.source
    return {
        "schema": SCHEMA,
        "model": {
            "file": printable(conversion.request.model.name),
            "sha256": conversion.loaded.sha256,
            "loaded_by": conversion.loaded.loaded_by,
            "labels": list(conversion.input_format.labels),
            "weights_bytes": weights_bytes(conversion),
        },
        "versions": {key: source[key] for key in ("edge-digits", "tensorflow", "keras") if key in source},
        "order": {
            "recipe": conversion.request.recipe,
            "min_accuracy_percent": conversion.request.min_accuracy,
            "max_drop_points": conversion.request.max_drop,
            "min_agreement": AGREEMENT if conversion.request.recipe == "auto" else 0.0,
            "input_range": conversion.request.input_range,
            "polarity": conversion.request.polarity,
            "io": conversion.request.io,
            "target": conversion.request.target,
            "seed": conversion.request.seed,
        },
        "data": {
            "sha256": conversion.dataset.digest,
            "calibration_images": len(conversion.dataset.calibration),
            "calibration_photographed": conversion.dataset.own_count,
            "known_images": conversion.input_format.images,
            "test_images": len(conversion.dataset.test),
        },
        "input": _input(conversion),
        "recipes": [_recipe(conversion, attempt) for attempt in conversion.attempts],
        "shown": None if conversion.shown is None else conversion.shown.recipe,
        "problem": wording.problem(conversion),
        "protections": None if conversion.protections is None else asdict(conversion.protections),
        "result": _result(conversion),
    }


def weights_bytes(conversion: Conversion) -> int:
    """Size of the Keras model's weights, 4 bytes each."""
    return 4 * int(conversion.loaded.model.count_params())


def _input(conversion: Conversion) -> dict[str, Any]:
    detected = conversion.input_format
    return {
        "shape": list(detected.shape),
        "image": list(detected.image),
        "paper": detected.paper,
        "ink": detected.ink,
        "fit": detected.fit,
        "transposed": detected.transposed,
        "rotation": detected.rotation,
        "normalisation": detected.normalisation,
        "output": detected.output,
        "trials": [trial.figures() for trial in detected.trials],
        "remarks": list(conversion.remarks()),
    }


def _recipe(conversion: Conversion, attempt: Attempt) -> dict[str, Any]:
    comparison = attempt.comparison
    return {
        "recipe": attempt.recipe,
        "chosen": attempt is conversion.chosen,
        "size_bytes": attempt.size_bytes or None,
        "problem": None if attempt.problem is None else wording.without_folders(attempt.problem),
        "runtimes": [
            {
                "name": one.name,
                "version": one.version,
                "installed": one.installed,
                "problem": None if one.problem is None else wording.without_folders(one.problem),
                "agreement": one.agreement,
            }
            for one in attempt.runtimes
        ],
        "time_us": None if attempt.times is None else {key: round(at, 1) for key, at in asdict(attempt.times).items()},
        "mnist": None if comparison is None else _short(comparison),
    }


def _result(conversion: Conversion) -> dict[str, Any] | None:
    shown, camera = conversion.shown, conversion.through_camera
    if shown is None or shown.comparison is None or camera is None:
        return None
    return {
        "recipe": shown.recipe,
        "kept": conversion.chosen is not None,
        "size_bytes": shown.size_bytes,
        "times_smaller": round(weights_bytes(conversion) / shown.size_bytes, 2),
        "temperature": shown.card.temperature,
        "calibrated": not temperature.is_at_limit(shown.card.temperature),
        "arena_bytes": None if shown.micro is None else shown.micro.arena_bytes,
        "mnist": _long(shown.comparison),
        "synthetic_camera": _long(camera),
    }


def _short(comparison: Comparison) -> dict[str, Any]:
    no_digit = comparison.taken_for_no_digit
    return {
        "images": comparison.images,
        "accuracy_float": _share(comparison.correct_float, comparison.images),
        "accuracy": _share(comparison.correct, comparison.images),
        "drop_points": round(comparison.drop, 4),
        "agreement": round(comparison.agreement, 6),
        "confidence_drift_mean": round(float(comparison.drift.mean()), 6),
        "confidence_drift_worst": round(float(comparison.drift.max()), 6),
        "taken_for_no_digit": None if no_digit is None else round(no_digit, 6),
    }


def _long(comparison: Comparison) -> dict[str, Any]:
    confidence, right = statistics.answers(comparison.tflite, comparison.labels, comparison.classes)
    before = calibration_error(*statistics.answers(comparison.keras, comparison.labels, comparison.classes))
    return {
        **_short(comparison),
        "calibration_error_float": round(before, 6),
        "calibration_error": round(calibration_error(confidence, right), 6),
        "reliability": [
            {**asdict(one), "above": round(one.above, 6), "confidence": round(one.confidence, 6)}
            for one in statistics.reliability(confidence, right)
        ],
        "by_digit": [
            {"digit": digit, "images": images, "right_float": before, "right": after}
            for digit, images, before, after in comparison.by_digit()
        ],
        "confusion_float": np.asarray(confusion(comparison.read_float, comparison.labels)).tolist(),
        "confusion": np.asarray(confusion(comparison.read, comparison.labels)).tolist(),
        "confused": [asdict(pair) for pair in statistics.pairs(comparison)[:MAX_MISTAKES]],
        "only_file_wrong": [_mistake(one) for one in statistics.only_file_wrong(comparison)[:MAX_MISTAKES]],
        "only_keras_wrong": statistics.only_keras_wrong(comparison),
        "both_wrong": [_mistake(one) for one in statistics.both_wrong(comparison)[:MAX_MISTAKES]],
    }


def _share(right: int, images: int) -> dict[str, float]:
    low, high = wilson(right, images)
    return {"share": round(right / images, 6), "low": round(low, 6), "high": round(high, 6)}


def _mistake(one: Mistake) -> dict[str, Any]:
    made = asdict(one)
    for answer in (made["keras"], made["file"]):
        answer["confidence"] = round(answer["confidence"], 4)
    return made
