"""The C++ files that stand beside a .tflite for microcontrollers: the model as an array, and how to use it."""

from __future__ import annotations

import re
import unicodedata
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from convert.micro.facts import Facts
from convert.micro.operators import OPERATORS
from edge.model.card import Card
from edge.model.preprocessing import BY_CHANNEL, Preprocessor, image_shape, oriented
from edge.system.version import __version__

EXAMPLE = "_example"
"""What follows the name of the model in that of the example."""
MADE = f"Made by edge-convert (edge-digits {__version__})."
OURS = b"Made by edge-convert ("
"""What each of the files has in one of its first lines."""
SIDE = 28
"""Height and width of a glyph, in pixels."""
BYTES_A_LINE = 16
FITTED = {
    "resize": "An image of another size than 28x28 is scaled to the input's.",
    "margin": "An image of another size than 28x28 gets a margin, or loses some of it.",
    "crop": "The ink reaches the border of the input, at its own proportions.",
    "stretch": "The ink reaches all four sides of the input.",
}
"""Card.fit -> a sentence."""
EACH = {"columns": "each column", "rows": "each row", "image": "the image"}
"""Card.normalisation -> what is divided by its L2 norm."""


def paths(out: Path) -> tuple[Path, Path, Path]:
    """The header, the source and the example that stand beside ``out``, a .tflite."""
    stem = _stem(out)
    return out.with_name(f"{stem}.h"), out.with_name(f"{stem}.cc"), out.with_name(f"{stem}{EXAMPLE}.cc")


def marks(out: Path) -> tuple[bytes, ...]:
    """What each of the files for ``out`` has in its first lines, whichever version wrote it."""
    return OURS, f" {_stem(out)}.".encode()


def texts(model: bytes, card: Card, facts: Facts, out: Path) -> dict[Path, str]:
    """The path and the text, in ASCII, of each of these files. ``model``: the .tflite's bytes, without its card."""
    names: dict[str, Any] = {
        "stem": _stem(out),
        "space": space(out),
        "guard": f"{space(out).upper()}_H_",
        "example": EXAMPLE,
        "made": MADE,
    }
    header, source, example = paths(out)
    return {
        header: _filled("model.h", names | _constants(card, facts)),
        source: _filled("model.cc", names | {"bytes": _listed(model), "table": _table(card, facts)}),
        example: _filled("example.cc", names | _steps(card, facts)),
    }


def space(out: Path) -> str:
    """The C++ namespace of the model: no word of C++'s own, and none that is reserved, whatever the file's name."""
    words = re.sub(r"[^a-z0-9]+", "_", _stem(out).lower()).strip("_")
    return f"{'' if words[0].isalpha() else 'model_'}{words}_model"


def _stem(out: Path) -> str:
    """The .tflite's name, in characters that #include and make take as they are; one without any is called model."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", "".join(map(_ascii, unicodedata.normalize("NFKC", out.stem))))
    return name if re.search("[A-Za-z0-9]", name) else "model"


def _ascii(letter: str) -> str:
    """A letter in ASCII: é as e, Ω as omega."""
    plain = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    if plain or not letter.isalnum():
        return plain or "_"
    # As Unicode calls it: GREEK CAPITAL LETTER OMEGA, LATIN SMALL LETTER O WITH STROKE.
    return unicodedata.name(letter, "_").partition(" WITH ")[0].rpartition(" ")[2].lower()


def _constants(card: Card, facts: Facts) -> dict[str, Any]:
    height, width, channels = image_shape(facts.input_shape, "")
    normalised = f", before {EACH.get(card.normalisation, 'the image')} is normalised"
    turned = [" Then rows and columns are swapped."] if card.transposed else []
    turned += [f" Then it is rotated by {card.rotation} degrees clockwise."] if card.rotation else []
    return {
        "model_bytes": facts.model_bytes,
        "shape": "x".join(map(str, facts.input_shape)),
        "height": height,
        "width": width,
        "channels": channels,
        "input_scale": _float(facts.input_scale),
        "input_zero": facts.input_zero,
        "normalised": "" if card.normalisation == "none" else normalised,
        "fitted": FITTED[card.fit] + "".join(turned),
        "paper": _float(card.paper),
        "ink": _float(card.ink),
        "table_declared": ""
        if card.normalisation != "none"
        else "// The int8 for each grey value of a glyph, from empty paper to full ink.\n"
        "extern const std::int8_t kInputValues[256];\n",
        "meaning": card.output,
        "classes": facts.classes,
        "output_scale": _float(facts.output_scale),
        "output_zero": facts.output_zero,
        "temperature": _float(card.temperature),
        "labels": ", ".join(map(_string, card.labels)),
        "arena_bytes": facts.arena_bytes,
    }


def _table(card: Card, facts: Facts) -> str:
    if card.normalisation != "none":
        return ""
    # What the reader itself would feed, for a glyph that has all grey values.
    detail = {"dtype": np.int8, "quantization": (facts.input_scale, facts.input_zero)}
    greys = np.arange(SIDE * SIDE, dtype=np.uint8).reshape(1, SIDE, SIDE)
    plain = Card(paper=card.paper, ink=card.ink)
    values = Preprocessor(plain, (SIDE, SIDE, 1), detail)(greys).ravel()[:256]
    lines = [", ".join(map(str, values[i : i + BYTES_A_LINE])) for i in range(0, 256, BYTES_A_LINE)]
    return "\nconst std::int8_t kInputValues[256] = {\n    " + ",\n    ".join(lines) + ",\n};\n"


def _steps(card: Card, facts: Facts) -> dict[str, Any]:
    """What the example's template needs."""
    height, width, _ = image_shape(facts.input_shape, "")
    adds = " ||\n      ".join(f"resolver.Add{OPERATORS[name]}() != kTfLiteOk" for name in facts.operators)
    is_logits = card.output == "logits"
    largest = "const int largest = *std::max_element(output, output + kClasses) - kOutputZeroPoint;"
    exponent = "(real - static_cast<float>(largest) * kOutputScale) / kTemperature"
    return {
        "count": len(facts.operators),
        "adds": adds,
        "helpers": _fit(card, height, width) + _normalise(card, height, width) + _fill(card, height, width),
        "largest_declared": largest if is_logits else "// As the card says, they are probabilities.",
        "probability": f"std::exp({exponent})" if is_logits else "std::pow(std::max(real, 0.0f), 1.0f / kTemperature)",
    }


def _is_as_it_is(card: Card, height: int, width: int) -> bool:
    return (height, width) == (SIDE, SIDE) and card.fit in ("resize", "margin")


def _fit(card: Card, height: int, width: int) -> str:
    if _is_as_it_is(card, height, width):
        return ""
    if card.fit == "margin":
        return _filled("margin.cc", {})
    longest = max(SIDE, round(SIDE * height / width), round(SIDE * width / height))
    scale = _filled("scale.cc", {"most_side": longest})
    if card.fit == "resize":
        return scale + _filled("resize.cc", {})
    by = "static_cast<int>(std::lrint(static_cast<double>({}) * {} / {}))"
    rows, columns = by.format("wide", height, width), by.format("tall", width, height)
    is_crop = card.fit == "crop"
    sides = (
        f"const int rows = std::max(tall, {rows});\n  const int columns = std::max(wide, {columns});"
        if is_crop
        else "const int rows = tall;\n  const int columns = wide;"
    )
    kept = ", at its own proportions" if is_crop else " on all four sides"
    return scale + _filled("border.cc", {"sides": sides, "kept": kept, "most_ink": SIDE * longest})


def _normalise(card: Card, height: int, width: int) -> str:
    if card.normalisation == "none" or card.normalisation in BY_CHANNEL:
        return ""
    if card.normalisation == "standard":
        return _filled("standard.cc", {})
    rows, columns = (width, height) if card.transposed != (card.rotation in (90, 270)) else (height, width)
    lines, length, place = {
        "columns": (columns, rows, f"i + {columns} * j"),
        "rows": (rows, columns, f"{columns} * i + j"),
        "image": (1, rows * columns, "i + j"),
    }[card.normalisation]
    return _filled("norm.cc", {"each": EACH[card.normalisation], "lines": lines, "length": length, "place": place})


def _fill(card: Card, height: int, width: int) -> str:
    image = (
        "const std::uint8_t* image = glyph;"
        if _is_as_it_is(card, height, width)
        else "static std::uint8_t image[kPixels];\n  Fit(glyph, image);"
    )
    places = oriented(np.arange(height * width).reshape(1, height, width), card)[0]
    first, down, right = places[0, 0], places[1, 0] - places[0, 0], places[0, 1] - places[0, 0]
    # The i-th value of the input stands there in the image.
    place = f"{first} + i / {places.shape[1]} * {down} + i % {places.shape[1]} * {right}"
    pixel = place if card.transposed or card.rotation else "i"
    if card.normalisation in BY_CHANNEL:
        means, deviations = (", ".join(map(_float, each)) for each in BY_CHANNEL[card.normalisation])
        return _filled("by_channel.cc", {"image": image, "pixel": pixel, "means": means, "deviations": deviations})
    return _filled("by_table.cc" if card.normalisation == "none" else "by_value.cc", {"image": image, "pixel": pixel})


def _filled(name: str, values: dict[str, Any]) -> str:
    return Template((files("convert.micro") / "templates" / name).read_text("ascii")).substitute(values)


def _listed(content: bytes) -> str:
    lines = (content[i : i + BYTES_A_LINE] for i in range(0, len(content), BYTES_A_LINE))
    return "\n".join("    " + ", ".join(f"0x{byte:02x}" for byte in line) + "," for line in lines)


def _float(value: float) -> str:
    """A literal of exactly this float32."""
    text = f"{value:.9g}"
    return f"{text}f" if "." in text or "e" in text else f"{text}.0f"


def _string(text: str) -> str:
    """A string literal: UTF-8, with all but plain letters, digits and signs as octal numbers."""
    return (
        '"'
        + "".join(
            chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?' else f"\\{byte:03o}" for byte in text.encode()
        )
        + '"'
    )
