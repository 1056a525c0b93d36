"""Read and adapt the architecture of a Keras model: nested tables, as they are in its file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

FLOAT_TYPES = {"mixed_float16", "mixed_bfloat16", "float16", "bfloat16", "float64"}
"""Types of layers that are replaced by float32, which the TFLite converter needs."""
OPERATION_PREFIX = "operation>"
"""Put before the class name of an operation outside layers, such as x - 1, by ``mark_operations``."""
SHAPE_KEYS: tuple[str, ...] = ("batch_shape", "batch_input_shape", "build_input_shape")
"""Keys of an architecture whose values are shapes with the batch size first."""


def for_inference(architecture: dict[str, Any]) -> dict[str, Any]:
    """The same for any batch size, and in float32."""
    adapted: dict[str, Any] = _for_inference(architecture)
    return adapted


def mark_operations(architecture: Any) -> Any:
    """The same with OPERATION_PREFIX before the names of operations outside layers, such as x - 1.

    Keras 3 writes operations and layers of the same name alike into an .h5, and then cannot read TrueDivide and
    Subtract. Only layers have a dtype.
    """
    if isinstance(architecture, list):
        return [mark_operations(part) for part in architecture]
    if not isinstance(architecture, dict):
        return architecture
    marked = {key: mark_operations(value) for key, value in architecture.items()}
    config = marked.get("config")
    is_called = "class_name" in marked and marked.get("inbound_nodes")
    if is_called and isinstance(config, dict) and not {"dtype", "layers"} & set(config):
        marked["class_name"] = f"{OPERATION_PREFIX}{marked['class_name']}"
    return marked


def operation_names(architecture: Any) -> set[str]:
    """The class names of the operations outside layers, as ``mark_operations`` writes them."""
    kinds = {str(part.get("class_name")) for part in parts(architecture)}
    return {kind for kind in kinds if kind.startswith(OPERATION_PREFIX)}


def has_input(architecture: dict[str, Any]) -> bool:
    """Whether the architecture contains the shape of its input."""
    return any(part.get(key) for part in parts(architecture) for key in (*SHAPE_KEYS, "build_config"))


def parts(architecture: Any) -> Iterator[dict[str, Any]]:
    """All tables in an architecture, outer ones before inner ones."""
    waiting = [architecture]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
        inner = list(part.values()) if isinstance(part, dict) else part if isinstance(part, list) else []
        waiting += reversed(inner)


def _for_inference(part: Any, key: str = "") -> Any:
    if isinstance(part, dict):
        policy = part.get("config")
        if key == "dtype" and isinstance(policy, dict) and str(policy.get("name")) in FLOAT_TYPES:
            return "float32"
        batched = {"input_shape": "batch_shape"} if key == "build_config" else {}
        return {name: _for_inference(value, str(batched.get(name, name))) for name, value in part.items()}
    if isinstance(part, list):
        if key in SHAPE_KEYS and len(part) > 1 and isinstance(part[0], int):
            return [None, *part[1:]]
        return [_for_inference(value) for value in part]
    if key == "dtype" and part in FLOAT_TYPES:
        return "float32"
    return part
