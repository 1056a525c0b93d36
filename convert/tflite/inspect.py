"""``edge-convert inspect``: what a .tflite file says about itself, with or without a card."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from convert.tflite import flatbuffer, foreign, metadata, runtimes
from convert.tflite.flatbuffer import Graph, Tensor
from convert.tflite.runtimes import Runtime
from edge.errors import ModelError
from edge.model import golden_digits
from edge.model.card import Card, read_card
from edge.model.classifier import Model, adopting, content_of

Line = tuple[str, str]
"""A name and its value; an empty name continues the line before."""


def lines(path: Path) -> list[Line]:
    """All lines that ``edge-convert inspect`` prints, in order.

    Raises ModelError if the file is not a .tflite or is damaged.
    """
    content = content_of(path, foreign.NAME_ONE)
    card = read_card(content, str(path))
    graph = flatbuffer.read(content, str(path))
    about_card = _card(card) if card else [("card", "none"), *_described(content)]
    loads = [("runs in", _tried(tried)) for tried in runtimes.try_all(path)]
    loads.append(("runs in", f"{_tried(runtimes.stand_in(path))} (for 32-bit systems without a runtime)"))
    about = [("file", f"{path}, {len(content):,} bytes"), ("sha256", sha256(content).hexdigest())]
    return [*about, *_graph(graph), *about_card, *loads, ("edge", _use(path, content, graph))]


def _tried(tried: Runtime) -> str:
    return f"{tried.name} {tried.version}: " + (f"no: {tried.problem}" if tried.problem else "yes")


def _use(path: Path, content: bytes, graph: Graph) -> str:
    """What ``edge`` does with the file."""
    try:
        with Model(path, content=content) as model:
            score = golden_digits.score(model)
            has_card, fed = model.has_card, model.card
    except (ModelError, RuntimeError, ValueError) as error:
        return f"refuses it: {runtimes.lacking(graph) or str(error).removeprefix(f'{path}: ')}"
    guess = "" if has_card else f", as it is fed by guess ({fed.paper:g} for paper, {fed.ink:g} for ink)"
    if score.problem:
        return f"refuses it: {score.problem}{guess}; " + (
            "convert the model again, or train it" if has_card else adopting(path)
        )
    return f"uses it: reads {score.right} of {score.asked} golden digits{guess}"


def _described(content: bytes) -> list[Line]:
    """What TFLite Metadata say."""
    found = metadata.read(content)
    said = []
    if found.labels:
        said.append(f"labels {', '.join(found.labels[:20])}" + (" …" if len(found.labels) > 20 else ""))
    if found.black_and_white:
        said.append("{:g} for black, {:g} for white".format(*found.black_and_white))
    return [("metadata", "; ".join(said))] if said else []


def _graph(graph: Graph) -> list[Line]:
    version = ".".join(map(str, graph.min_runtime))
    return [
        ("format", f"TFLite {graph.version}, {graph.description or 'without a description'}"),
        (
            "needs",
            f"operators of TFLite {version}" if version else "unknown: the file does not say which TFLite it needs",
        ),
        *(("input", _tensor(tensor)) for tensor in graph.inputs),
        *(("output", _tensor(tensor)) for tensor in graph.outputs),
        ("operators", ", ".join(f"{count} {name}" if count > 1 else name for name, count in graph.operators.items())),
        ("constants", f"{graph.constants:,} numbers in {graph.constant_bytes:,} bytes"),
    ]


def _tensor(tensor: Tensor) -> str:
    shape = ", ".join(map(str, tensor.shape))
    steps = f", real = ({tensor.dtype} - {tensor.zero}) * {tensor.scale:.6g}" if tensor.scale else ""
    return f"{tensor.name} ({shape}) {tensor.dtype}{steps}"


def _card(card: Card) -> list[Line]:
    lines = [
        ("name", card.name),
        ("labels", ", ".join(card.labels)),
        ("input values", f"{card.paper:g} for paper, {card.ink:g} for ink; if not 28x28, fitted by {card.fit}"),
        ("outputs", f"{card.output}, at temperature {card.temperature:g}"),
    ]
    for name in ("quantisation", "evaluation", "source"):
        texts = [f"{key}: {text}" for key, value in getattr(card, name).items() for text in _values(value)]
        lines += [(name if i == 0 else "", text) for i, text in enumerate(texts)]
    return lines


def _values(value: Any) -> list[str]:
    """A value from the card as texts: one for each part of a list."""
    if isinstance(value, list):
        return [text for part in value for text in _values(part)]
    if isinstance(value, dict):
        return [", ".join(f"{key} {part}" for key, part in value.items())]
    return [value if isinstance(value, str) else json.dumps(value)]
