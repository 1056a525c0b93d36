"""How many inputs and outputs a Keras model has, from its architecture: before Keras, which takes seconds, is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from convert.load.architecture import parts

PASSING = (
    "Activation", "ActivityRegularization", "AlphaDropout", "Dropout", "ELU", "GaussianDropout", "GaussianNoise",
    "LeakyReLU", "PReLU", "ReLU", "Softmax", "ThresholdedReLU",
)  # fmt: skip
"""Layers that give as many numbers as they take."""


@dataclass(frozen=True, slots=True)
class Ends:
    """What an architecture says about a model's ends; None where it does not say so plainly."""

    inputs: int | None = None
    outputs: int | None = None
    numbers: int | None = None
    """How many numbers the output has for an image."""
    last: str = ""
    """The name of the last layer."""
    image: tuple[int | None, ...] = ()
    """The shape of the input, batch first."""


def ends(architecture: dict[str, Any]) -> Ends:
    """The ends of a model: an architecture of ``trusted``, in the form of Keras 2 or 3."""
    layers = _layers(architecture)
    config = architecture["config"]
    last = _name(layers[-1]) if layers else ""
    if not isinstance(config, dict) or "output_layers" not in config:
        return Ends(numbers=_numbers(layers), last=last, image=_shape(layers[:1]))
    inputs, outputs = (_tensors(config.get(f"{end}_layers")) for end in ("input", "output"))
    numbers = _numbers(_chain(layers, outputs[0])) if len(outputs) == 1 else None
    image = _shape([layer for layer in layers if _name(layer) in inputs]) if len(inputs) == 1 else ()
    return Ends(len(inputs) or None, len(outputs) or None, numbers, last, image)


def _layers(architecture: dict[str, Any]) -> list[dict[str, Any]]:
    config = architecture.get("config")
    found = config.get("layers") if isinstance(config, dict) else config
    return [layer for layer in found if isinstance(layer, dict)] if isinstance(found, list) else []


def _shape(first: list[dict[str, Any]]) -> tuple[int | None, ...]:
    """The shape of what the one first layer takes, if it says so."""
    config = first[0].get("config") if len(first) == 1 else None
    given = (config.get("batch_shape") or config.get("batch_input_shape")) if isinstance(config, dict) else None
    is_shape = isinstance(given, list) and all(n is None or type(n) is int for n in given)
    return tuple(given) if is_shape and given else ()


def _tensors(given: Any) -> list[str]:
    """The layers of ``["a", 0, 0]``, of a list of these or of a table of them."""
    if isinstance(given, list) and given and isinstance(given[0], str):
        return [given[0]]
    inner = list(given.values()) if isinstance(given, dict) else given if isinstance(given, list) else []
    return [name for one in inner for name in _tensors(one)]


def _chain(layers: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """The layer of this name after those that it depends on, back to the first with several inputs."""
    by_name = {_name(layer): layer for layer in layers}
    chain: list[dict[str, Any]] = []
    while name in by_name and len(chain) < len(layers):
        layer = by_name[name]
        chain.insert(0, layer)
        before = _before(layer)
        if len(before) != 1:
            break
        (name,) = before
    return chain


def _before(layer: dict[str, Any]) -> set[str]:
    """The layers whose outputs a layer takes."""
    nodes = layer.get("inbound_nodes")
    # Keras 3 writes a table for each tensor, Keras 2 a list.
    histories = [part["keras_history"] for part in parts(nodes) if "keras_history" in part]
    return set(_tensors(histories or nodes))


def _numbers(chain: list[dict[str, Any]]) -> int | None:
    """How many numbers the last of a chain of layers gives, if it says so."""
    for layer in reversed(chain):
        kind, config = layer.get("class_name"), layer.get("config")
        if kind in ("Sequential", "Functional", "Model"):
            return ends(layer).numbers
        if kind == "Dense" and isinstance(config, dict):
            units = config.get("units")
            return units if isinstance(units, int) else None
        if kind not in PASSING:
            return None
    return None


def _name(layer: dict[str, Any]) -> str:
    config = layer.get("config")
    inner = config.get("name") if isinstance(config, dict) else None
    return str(layer.get("name") or inner or "")
