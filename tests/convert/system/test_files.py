"""What may be written to."""

import os
import stat
from pathlib import Path

import pytest

from convert.system.files import check_ours, check_writable
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
