"""What is left out where TensorFlow is not is the workstation's, and nothing else."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.needs import TESTS, left_out, needs
from tests.test_imports import WORKSTATION

NOT_ON_A_PI = {*WORKSTATION, "schemathesis"} - {"PIL"}
"""Packages that a Pi's tests do without; Pillow, which some of them draw with, comes with them."""
APART = {
    "test_openapi": "schemathesis asks of a server what no Pi will; test_app asks the same of each path",
    "test_classifier_truth": "it compares with TensorFlow",
}
"""Tests of ``edge/`` that are left out on a Pi, and why that may be."""


def test_what_is_left_out_is_only_for_want_of_what_a_pi_has_not() -> None:
    """And where TensorFlow is, nothing is: there everything is installed."""
    for path, lack in left_out().items():
        assert lack <= NOT_ON_A_PI and not find_spec("tensorflow"), f"{path} is left out, for want of {lack}"


def test_all_of_edge_is_tested_on_a_pi_too() -> None:
    away = [path for path in TESTS.rglob("test_*.py") if needs(path) & NOT_ON_A_PI]
    assert len(away) > 20
    assert not [path for path in away if TESTS / "edge" in path.parents and path.stem not in APART]


@pytest.mark.parametrize(
    ("text", "packages"),
    [
        ("import os.path, numpy as np", {"os", "numpy"}),
        ("from convert.load import load\nfrom edge import cli", {"convert", "edge"}),
        ("from tests.support.doubles import Sink\nfrom tests.support import doubles", {"edge"}),
        ("from tests.support import small", set(needs(TESTS / "support" / "small.py"))),
        ("def test():\n    import tensorflow", set()),
    ],
)
def test_needs_are_followed_through_helpers(text: str, packages: set[str], tmp_path: Path) -> None:
    path = tmp_path / "test_first.py"
    path.write_text(text)
    assert needs(path) == packages
