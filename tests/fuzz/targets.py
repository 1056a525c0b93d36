"""The targets of fuzzing: what reads bytes that a stranger may have made."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

TARGETS = {
    "card": "tests.fuzz.edge_targets:card",
    "picture": "tests.fuzz.edge_targets:picture",
    "settings": "tests.fuzz.edge_targets:settings",
    "command": "tests.fuzz.edge_targets:command",
    "stand_in": "tests.fuzz.edge_targets:stand_in",
    "keras_zip": "tests.fuzz.convert_targets:keras_file",
    "keras_hdf5": "tests.fuzz.convert_targets:keras_file",
    "architecture": "tests.fuzz.convert_targets:architecture",
    "frozen_graph": "tests.fuzz.convert_targets:frozen_graph",
    "tflite": "tests.fuzz.convert_targets:tflite",
}
"""name -> "module:function". Each function takes the bytes, and raises an EdgeError where it refuses them."""
CORPUS = Path(__file__).parent / "corpus"
"""A folder for each target, with the inputs that fuzzing begins with."""


def find(name: str) -> Callable[[bytes], None]:
    """The function of a target; its module is imported now."""
    module, _, function = TARGETS[name].partition(":")
    target: Callable[[bytes], None] = getattr(importlib.import_module(module), function)
    return target


def corpus(name: str) -> list[Path]:
    """The files of a target's corpus."""
    return sorted(path for path in (CORPUS / name).iterdir() if path.is_file())
