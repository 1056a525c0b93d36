"""The HTML elements that the report consists of. All text is escaped."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

import cv2

from edge.types import Pixels


def section(heading: str, *parts: str) -> str:
    """A section: a heading, and the markup below it."""
    return "\n".join(("<section>", f"<h2>{escape(heading)}</h2>", *parts, "</section>"))


def heading(text: str) -> str:
    """A heading within a section."""
    return f"<h3>{escape(text)}</h3>"


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph; ``kind`` is a class of the style sheet."""
    return f"<p{_class(kind)}>{escape(text)}</p>"


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], kinds: Sequence[str] = ()) -> str:
    """A table whose rows begin with their own headings; ``kinds`` are the rows' classes."""
    top = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = [
        f'<tr{_class(kinds[i] if kinds else "")}><th scope="row">{escape(first)}</th>'
        + "".join(f"<td>{escape(value)}</td>" for value in values)
        + "</tr>"
        for i, (first, *values) in enumerate(rows)
    ]
    return "\n".join(
        (
            # A region that scrolls must be reachable by keyboard.
            f'<div class="wide" role="region" tabindex="0" aria-label="{escape(caption)}">',
            f"<table><caption>{escape(caption)}</caption>",
            f"<thead><tr>{top}</tr></thead>",
            "<tbody>",
            *body,
            "</tbody></table></div>",
        )
    )


def figure(caption: str, svg: str) -> str:
    """A plot with its caption."""
    return f"<figure><figcaption>{escape(caption)}</figcaption>{svg}</figure>"


def pair(first: str, second: str) -> str:
    """Two parts side by side; below each other where there is little room."""
    return f'<div class="pair">\n<div>{first}</div>\n<div>{second}</div>\n</div>'


def definitions(kind: str, pairs: Iterable[tuple[str, str, str]]) -> str:
    """A list of names and values, each with a short note; ``kind`` is a class of the style sheet."""
    rows = [
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}{f'<small>{escape(note)}</small>' if note else ''}</dd></div>"
        for name, value, note in pairs
    ]
    return "\n".join((f"<dl{_class(kind)}>", *rows, "</dl>"))


def digit(glyph: Pixels, alt: str, lines: Iterable[str]) -> str:
    """A glyph (28, 28) uint8, light ink on black, shown as dark ink on white, with lines of text below it."""
    png = cv2.imencode(".png", 255 - glyph, (cv2.IMWRITE_PNG_COMPRESSION, 9))[1].tobytes()
    source = f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
    below = "<br>".join(escape(line) for line in lines)
    return f'<li><img src="{source}" width="84" height="84" alt="{escape(alt)}">{below}</li>'


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
