"""Check the results of the process that read a model, before they are kept: the model may have taken it over."""

from __future__ import annotations

import re

from edge.errors import ConvertError
from edge.model.card import read_card
from edge.model.classifier import checked_tflite
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
_OTHER_ELEMENT = re.compile(rf"<(?!/?({ELEMENTS.replace(' ', '|')})[\s/>])")


def check_tflite(content: bytes, name: str) -> None:
    """Raise ModelError for bytes that are no .tflite, or whose card is damaged. The model is not run."""
    checked_tflite(content, name)
    read_card(content, name)


def check_report(name: str, content: bytes) -> None:
    """Raise ConvertError for a ``report.json`` that is no JSON, or a ``report.html`` that may do more than show."""
    fits = len(content) <= MAX_REPORT_BYTES
    try:
        text = content.decode() if fits else ""
        fits = isinstance(parse_json(text), dict) if name.endswith(".json") else _only_shows(text)
    except ValueError:
        fits = False
    if not fits:
        raise ConvertError(
            f"{name}: is not what edge-convert writes, so it is not kept; the model may be made to do harm: delete it"
        )


def _only_shows(page: str) -> bool:
    return page.startswith(HEAD) and not _OTHER_ELEMENT.search(page, len(HEAD))
