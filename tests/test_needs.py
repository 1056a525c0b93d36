"""What is left out where TensorFlow is not is the workstation's, and nothing else."""

from importlib.util import find_spec
from pathlib import Path

import pytest
from needs import TESTS, left_out, needs
from test_imports import ROOT, WORKSTATION

NOT_ON_A_PI = {*WORKSTATION, "schemathesis"} - {"PIL"}
"""Packages that a Pi's tests do without; Pillow, which some of them draw with, comes with them."""
APART = {"openapi": "schemathesis asks of a server what no Pi will; test_web asks the same of each path"}
"""Rooms of ``edge/`` whose own test is left out on a Pi, and why that may be."""


def rooms(folder: str) -> set[str]:
    """The names of all files and folders of a package."""
    return {path.stem for path in (ROOT / folder).rglob("*") if path.suffix == ".py" or path.is_dir()}


def test_what_is_left_out_is_only_for_want_of_what_a_pi_has_not() -> None:
    """And where TensorFlow is, nothing is: there everything is installed."""
    for path, lack in left_out().items():
        assert lack <= NOT_ON_A_PI and not find_spec("tensorflow"), f"{path} is left out, for want of {lack}"


def test_every_room_of_edge_is_tested_on_a_pi_too() -> None:
    away = [path for path in TESTS.rglob("test_*.py") if needs(path) & NOT_ON_A_PI]
    assert len(away) > 20
    for path in away:
        room = path.stem.removeprefix("test_")
        assert room in rooms("convert") or room not in rooms("edge") or room in APART, f"{path} is left out on a Pi"


@pytest.mark.parametrize(
    ("text", "packages"),
    [
        ("import os.path, numpy as np", {"os", "numpy"}),
        ("from convert.load import load\nfrom edge import cli", {"convert", "edge"}),
        ("import second", {"tensorflow"}),
        ("from tests.doubles import Sink\nfrom tests import doubles", {"edge"}),
        ("def test():\n    import tensorflow", set()),
    ],
)
def test_needs_are_followed_through_helpers(text: str, packages: set[str], tmp_path: Path) -> None:
    (tmp_path / "second.py").write_text("import tensorflow as tf\n")
    path = tmp_path / "test_first.py"
    path.write_text(text)
    assert needs(path) == packages
