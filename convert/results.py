"""Check the results of the process that read a model, before they are kept: the model may have taken it over."""

from __future__ import annotations

import math
import re
from hashlib import sha256
from typing import Any

from convert.micro.facts import Facts
from convert.micro.operators import OPERATORS
from edge.errors import ConvertError, ModelError
from edge.model.card import Card, read_card
from edge.model.classifier import checked_tflite
from edge.model.preprocessing import image_shape
from edge.system.text import parse_json

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
"""Content Security Policy: the browser may only show the page, not load or run anything."""
HEAD = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>"""
"""How ``report.html`` begins."""
ELEMENTS = (
    "body br caption clipPath dd defs div dl dt figcaption figure g h1 h2 h3 head html img li main p path rect section"
    " small style svg table tbody td text th thead title tr tspan ul use"
)
"""The elements that may follow: none that run, load, send or lead anywhere."""
MAX_REPORT_BYTES = 5 * 2**20
"""The largest file of a report, in bytes. Measured: 97 kB."""
MAX_SCALE = 1e9
"""The largest step of a quantised value: as a card's largest number."""
MAX_ARENA_BYTES = 2**31 - 1
"""The largest arena. Chosen: more than any microcontroller has."""
_OTHER_ELEMENT = re.compile(rf"<(?!/?({ELEMENTS.replace(' ', '|')})[\s/>])")


def check_tflite(content: bytes, name: str) -> None:
    """Raise ModelError for bytes that are no .tflite, or whose card is damaged. The model is not run."""
    checked_tflite(content, name)
    read_card(content, name)


def checked_facts(name: str, content: bytes, model: bytes) -> tuple[Card, Facts]:
    """The card of ``model``, a .tflite that was checked before, and the facts of it that ``content`` has as JSON.

    All text of the files that are made of them comes from here and not from that process: the facts are numbers and the
    names of operators. Raises ConvertError if they are not, or cannot be those of this model.
    """
    card = read_card(model, name)
    try:
        given = parse_json(content)
        facts = Facts(**{**given, "input_shape": tuple(given["input_shape"]), "operators": tuple(given["operators"])})
        fits = card is not None and _are_possible(facts, card, model)
    except (ValueError, TypeError, KeyError, OverflowError, ModelError):
        fits = False
    if not card or not fits:
        raise _not_ours(name)
    return card, facts


def _are_possible(facts: Facts, card: Card, model: bytes) -> bool:
    whole = (
        facts.model_bytes,
        *facts.input_shape,
        facts.input_zero,
        facts.output_zero,
        facts.classes,
        facts.arena_bytes,
    )
    image_shape(facts.input_shape, "")
    return (
        all(type(number) is int for number in whole)
        and sha256(model[: max(0, facts.model_bytes)]).hexdigest() == card.model_sha256
        and all(_is_scale(number) for number in (facts.input_scale, facts.output_scale))
        and all(-128 <= zero <= 127 for zero in (facts.input_zero, facts.output_zero))
        and facts.classes == len(card.labels)
        and 0 < len(set(facts.operators)) == len(facts.operators)
        and OPERATORS.keys() >= set(facts.operators)
        and 0 < facts.arena_bytes <= MAX_ARENA_BYTES
    )


def _is_scale(number: Any) -> bool:
    return type(number) is float and math.isfinite(number) and 0 < number < MAX_SCALE


def check_report(name: str, content: bytes) -> None:
    """Raise ConvertError for a ``report.json`` that is no JSON, or a ``report.html`` that may do more than show."""
    fits = len(content) <= MAX_REPORT_BYTES
    try:
        text = content.decode() if fits else ""
        fits = isinstance(parse_json(text), dict) if name.endswith(".json") else _only_shows(text)
    except ValueError:
        fits = False
    if not fits:
        raise _not_ours(name)


def _not_ours(name: str) -> ConvertError:
    return ConvertError(
        f"{name}: is not what edge-convert writes, so it is not kept; the model may be made to do harm: delete it"
    )


def _only_shows(page: str) -> bool:
    return page.startswith(HEAD) and not _OTHER_ELEMENT.search(page, len(HEAD))
