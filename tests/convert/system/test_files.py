"""What may be written to."""

import os
import stat
from pathlib import Path

import pytest

from convert.system.files import atomic_write, check_folder, check_ours, check_writable
from edge.errors import ConvertError


def test_a_pipe_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.tflite")
    with pytest.raises(ConvertError, match=r"pipe\.tflite: is no regular file; give a file to write with -o"):
        check_writable(tmp_path / "pipe.tflite")
    assert stat.S_ISFIFO((tmp_path / "pipe.tflite").stat().st_mode)


def test_only_a_file_of_the_same_model_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "int_example.cc").write_text("// How to use int.h. Made by edge-convert (edge-digits 1).")
    check_ours(tmp_path / "int_example.cc", b"Made by edge-convert (", b" int.")
    with pytest.raises(ConvertError, match="was not written by edge-convert for a model of this name"):
        check_ours(tmp_path / "int_example.cc", b"Made by edge-convert (", b" int_example.")


LONGEST = 255
"""Bytes of the longest name that Linux's file systems take."""


@pytest.mark.parametrize(
    "name",
    ["a" * LONGEST, "a" * (LONGEST - 7) + ".tflite", "é" * 124 + ".tflite", "x." + "a" * (LONGEST - 2)],
)
def test_the_longest_name_is_written(name: str, tmp_path: Path) -> None:
    check_writable(tmp_path / name)
    with atomic_write(tmp_path / name) as temporary:
        # Keras asks for its own suffixes.
        assert temporary.suffix == ".tflite" or not name.endswith(".tflite")
        temporary.write_bytes(b"x")
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    "name", ["a" * (LONGEST + 1), "é" * 125 + ".tflite", "a" * 300 + "/x.tflite", "b/" * 2500 + "x"]
)
def test_a_name_that_is_too_long_is_said_and_nothing_is_written(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConvertError, match=r"cannot be written \(File name too long\); choose another file with -o"):
        check_writable(tmp_path / name)
    with pytest.raises(ConvertError, match=r"cannot create this folder \(File name too long\); .* with --report"):
        check_folder(tmp_path / name)
    assert not list(tmp_path.iterdir())
