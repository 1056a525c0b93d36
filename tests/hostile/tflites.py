"""Files of .tflite made to hurt: cards that lie or swell, and graphs that are damaged."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edge.model.card import MEMBER, packed
from tests.hostile.architectures import ESCAPE
from tests.hostile.keras_files import MEBI
from tests.support import files, foreign


def made(folder: Path) -> Iterator[Path]:
    """Hostile .tflite files."""
    for name, content in (*_cards().items(), *_archives().items(), *_graphs(), *_foreign()):
        path = folder / f"tflite-{name}.tflite"
        path.write_bytes(content)
        yield path


def with_text(text: str | bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The packaged model with this as its card."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as zipped:
        zipped.writestr(MEMBER, text)
    return files.BARE + buffer.getvalue()


def _card(**fields: Any) -> bytes:
    return with_text(json.dumps({"format": 1, "labels": list(files.card().labels), **fields}))


def _cards() -> dict[str, bytes]:
    ten = list(files.card().labels)
    return {
        "name-escape": _card(name=ESCAPE), "name-line": _card(name="a\nb"), "name-long": _card(name="x" * 100_000),
        "name-surrogate": with_text('{"format": 1, "name": "\\ud800"}'), "name-number": _card(name=7),
        "label-long": _card(labels=["1" * 100_000, *ten[1:]]), "label-escape": _card(labels=[ESCAPE, *ten[1:]]),
        "label-arabic": _card(labels=["٣", *ten[1:]]), "label-two": _card(labels=["10", *ten[1:]]),
        "label-null": _card(labels=[None]), "labels-many": _card(labels=["0"] * 100_000),
        "labels-none": _card(labels=[]),
        "list": with_text("[]"), "median": with_text('{"median": true}'), "null": with_text("null"),
        "text": with_text('"x"'), "empty": with_text(""), "bytes": with_text(b"\xff\xfe"),
        "half": with_text('{"format'),
        "deep": with_text("[" * 100_000), "integer": with_text('{"format": 1' + "0" * 5000 + "}"),
        "format-true": _card(format=True), "format-text": _card(format=ESCAPE), "format-two": _card(format=2),
        "format-float": _card(format=1.5), "paper-true": _card(paper=True), "ink-nan": _card(ink=float("nan")),
        "ink-large": _card(ink=10**400), "ink-infinite": with_text('{"format": 1, "ink": 1e999}'),
        "ink-float": _card(ink=1e308, paper=-1e308), "temperature-zero": _card(temperature=0),
        "temperature-small": _card(temperature=5e-324), "temperature-large": _card(temperature=1e308),
        "hash": _card(model_sha256="0" * 64), "hash-long": _card(model_sha256="0" * 10**6), "fit": _card(fit=[]),
        "output": _card(output={}), "source": _card(source=[ESCAPE]), "source-names": _card(source={ESCAPE: ESCAPE}),
        "source-deep": with_text('{"format": 1, "source": ' + '{"a":' * 900 + "1" + "}" * 901),
    }  # fmt: skip


def _archives() -> dict[str, bytes]:
    good = with_text(json.dumps({"format": 1, "labels": list(files.card().labels)}))
    crowd = io.BytesIO(good)
    with zipfile.ZipFile(crowd, "a") as zipped:
        for number in range(70_000):
            zipped.writestr(f"{number}", b"")
    end = good.rindex(b"PK\5\6")
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, 0, 1)
    return {
        "bomb": with_text(b" " * 300 * MEBI), "bomb-lzma": with_text(b" " * 50 * MEBI, zipfile.ZIP_LZMA),
        "bzip2": with_text("{}", zipfile.ZIP_BZIP2), "crowd": crowd.getvalue(),
        "zip64": good[:end] + locator + good[end:], "directory": good[: end + 12] + b"\xff" * 8 + good[end + 20 :],
        "comment": good[:-2] + b"\xff\xff" + b"PK\5\6" * 16_000, "twice": good + good[len(files.BARE) :],
        "encrypted": good.replace(b"PK\1\2\x14\x03\x14\0\0\0", b"PK\1\2\x14\x03\x14\0\1\0"),
        "before": bytes(100) + good,
    }  # fmt: skip


def _graphs() -> Iterator[tuple[str, bytes]]:
    chance = random.Random(3)
    for number in range(12):
        content = bytearray(files.BARE)
        for _ in range(1 + number):
            content[chance.randrange(4000)] = chance.randrange(256)
        yield f"flipped-{number}", packed(bytes(content), files.card())
    for number in range(6):
        yield f"cut-{number}", packed(files.BARE[: 8 + len(files.BARE) * number // 6], files.card())
    yield "head", b"\x1c\0\0\0TFL3"
    yield "far", b"\xff\xff\xff\x7fTFL3" + bytes(100)
    yield "zeros", b"\0\0\0\0TFL3" + bytes(10**6)
    yield "ones", b"\xff\xff\xff\xffTFL3" + b"\xff" * 10**6


def _foreign() -> Iterator[tuple[str, bytes]]:
    """Files without a card, which ``edge-convert adopt`` would take."""
    described = foreign.with_metadata(files.BARE, list(files.card().labels), 0, 255)
    chance = random.Random(4)
    for number in range(6):
        content = bytearray(described)
        for _ in range(1 + number):
            content[chance.randrange(len(content) if number % 2 else 4000)] = chance.randrange(256)
        yield f"bare-flipped-{number}", bytes(content)
    for name, labels in (("bomb", ["0" * 300 * MEBI]), ("escape", [ESCAPE] * 19), ("many", ["0"] * 10_000)):
        yield f"bare-{name}", foreign.with_metadata(files.BARE, labels, 0, 255)
    for number, (mean, deviation) in enumerate([(float("nan"), 1), (0, 0), (1e38, 1e-38), (0, float("inf"))]):
        yield f"bare-normalised-{number}", foreign.with_metadata(files.BARE, ["0"], mean, deviation)
    yield "bare-custom", foreign.with_custom_operator(files.BARE, ESCAPE)
