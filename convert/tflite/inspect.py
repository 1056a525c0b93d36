"""``edge-convert inspect``: all that a .tflite says of itself, with or without a card."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from convert.tflite import flatbuffer, runtimes
from convert.tflite.flatbuffer import Graph, Tensor
from edge.model.card import Card, read_card
from edge.model.classifier import content_of

Line = tuple[str, str]
"""What is said of, and what is said."""


def lines(path: Path) -> list[Line]:
    """What there is to say, in order; an empty first part goes on with the line before.

    Raises ModelError where the file is no .tflite or is damaged.
    """
    content = content_of(path)
    card = read_card(content, str(path))
    graph = flatbuffer.read(content, str(path))
    said = _card(card) if card else [("card", "none: taken for a usual MNIST model (paper 0, ink 1, outputs 0 to 9)")]
    loads = [("runs in", f"{tried.name} {tried.version}: {tried.problem or 'yes'}") for tried in runtimes.tried(path)]
    about = [("file", f"{path}, {len(content):,} bytes"), ("sha256", sha256(content).hexdigest())]
    return [*about, *_graph(graph), *said, *loads]


def _graph(graph: Graph) -> list[Line]:
    version = ".".join(map(str, graph.needs))
    return [
        ("format", f"TFLite {graph.version}, {graph.description or 'without a description'}"),
        ("needs", f"operators of TFLite {version}" if version else "it does not say which operators"),
        *(("input", _tensor(tensor)) for tensor in graph.inputs),
        *(("output", _tensor(tensor)) for tensor in graph.outputs),
        ("operators", ", ".join(f"{count} {name}" if count > 1 else name for name, count in graph.operators.items())),
        ("constants", f"{graph.constants:,} numbers in {graph.constant_bytes:,} bytes"),
    ]


def _tensor(tensor: Tensor) -> str:
    shape = ", ".join(map(str, tensor.shape))
    steps = f", real = ({tensor.kind} - {tensor.zero}) * {tensor.scale:.6g}" if tensor.scale else ""
    return f"{tensor.name} ({shape}) {tensor.kind}{steps}"


def _card(card: Card) -> list[Line]:
    said = [
        ("name", card.name),
        ("labels", ", ".join(card.labels)),
        ("fed with", f"{card.paper:g} for paper, {card.ink:g} for ink; another size than 28x28 by {card.fit}"),
        ("gives", f"{card.output}, at temperature {card.temperature:g}"),
    ]
    for name in ("quantisation", "evaluation", "source"):
        texts = [f"{key}: {text}" for key, value in getattr(card, name).items() for text in _values(value)]
        said += [(name if i == 0 else "", text) for i, text in enumerate(texts)]
    return said


def _values(value: Any) -> list[str]:
    """A value of the card's as texts: a list's parts one by one."""
    if isinstance(value, list):
        return [text for part in value for text in _values(part)]
    if isinstance(value, dict):
        return [", ".join(f"{key} {part}" for key, part in value.items())]
    return [value if isinstance(value, str) else json.dumps(value)]
