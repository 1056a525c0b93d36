from __future__ import annotations

import io
import pickle
import re
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from convert.load.file_type import HDF5, ONNX_ADVICE, TORCH_ADVICE, ZIP, archive_error, refuse_other_files
from edge.errors import ConvertError
from tests.support import small

PATH = Path("folder/m.h5")


def tar() -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("m.h5"))
    return content.getvalue()


def array() -> bytes:
    content = io.BytesIO()
    np.save(content, np.zeros(3))
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "complaint", "advice"),
    [
        (b"", "is empty", "model.save"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "git-LFS pointer", "git lfs pull"),
        # Windows line ends taken out and put in, and what decoding as UTF-8, Latin-1 and ASCII makes of the first byte.
        (b"\x89HDF\n\x1a\n\0\0", "as text", "in binary mode"),
        (HDF5.replace(b"\n", b"\r\n") + bytes(9), "as text", "in binary mode"),
        (HDF5.decode("utf-8", "replace").encode() + bytes(9), "as text", "in binary mode"),
        (HDF5.decode("latin-1").encode() + bytes(9), "as text", "in binary mode"),
        (HDF5.decode("ascii", "replace").replace("\ufffd", "?").encode() + bytes(9), "as text", "in binary mode"),
        (b"\n<!DOCTYPE html>\n<html>", "is a web page", "raw"),
        (b"\x1c\0\0\0TFL3" + bytes(20), "is a TFLite model, so already converted", "edge read --model folder/m.h5"),
        (b"\x1c\0\0\0TFL3" + bytes(20), "is a TFLite model", "edge-convert adopt folder/m.h5"),
        (b"\x08\x07\x12\x07pytorch\x1a\x052.1.0", "is an ONNX model", "onnx2tf -i folder/m.h5 -o saved"),
        (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "is a PyTorch model, a pickle", "torch.onnx.export(model.eval()"),
        (pickle.dumps({"model": 1}), "is a Python pickle", "model.save"),
        (b"\x1f\x8b\x08\0", "compressed archive", "unpack"),
        (tar(), "is a tar archive", "unpack"),
        (b"\x40\0\0\0\0\0\0\0{\"__metadata__\"", "safetensors", "torch.onnx.export"),
        (b'node {\n  name: "x"', "is a TensorFlow graph as text", "as_text=False"),
        (b'{"class_name": "Sequential"', "an architecture without weights", "--architecture"),
        (array(), "is a NumPy array", "model.save"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "is not a Keras file", "model.save"),
        (b"hello world" * 100, "is not a Keras file", "model.save"),
    ],
)  # fmt: skip
def test_a_foreign_file_is_named(content: bytes, complaint: str, advice: str) -> None:
    with pytest.raises(ConvertError) as refused:
        refuse_other_files(PATH, content)
    text = str(refused.value)
    assert text.startswith(f"{PATH}: ") and "\n" not in text
    assert complaint in text.partition("; ")[0] and advice in text.partition("; ")[2]


def test_other_models_are_known_by_their_names_too() -> None:
    for name, complaint in (
        ("m.onnx", "an ONNX model; make a SavedModel"),
        ("m.pb", "no frozen graph"),
        ("m.pt", r"perhaps a PyTorch model; in Python: torch\.onnx"),
    ):
        with pytest.raises(ConvertError, match=complaint):
            refuse_other_files(Path(name), bytes(100))


def test_the_guide_names_the_same_version_as_the_errors() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "converting.md").read_text("utf-8")
    (version,) = set(re.findall(r"onnx2tf\[tensorflow\]==[\d.]+\d", guide + ONNX_ADVICE + TORCH_ADVICE))
    assert version in guide and version in ONNX_ADVICE and version in TORCH_ADVICE


@pytest.mark.parametrize("content", [HDF5, ZIP])
def test_what_may_be_keras_passes(content: bytes) -> None:
    refuse_other_files(PATH, content + bytes(20))


@pytest.mark.parametrize(
    ("member", "complaint"),
    [
        ("arr_0.npy", "an archive of NumPy arrays"),
        ("export/saved_model.pb", "a zip archive of a model"),
        ("model.h5", "a zip archive of a model"),
        ("word/document.xml", "without config.json"),
    ],
)
def test_a_foreign_archive_is_named(member: str, complaint: str) -> None:
    assert complaint in str(archive_error(PATH, [member, "readme.txt"]))


@small.QUIET
def test_an_archive_is_refused_by_what_is_in_it(tmp_path: Path) -> None:
    from convert.load import load

    for name in ("m/data.pkl", "m/models/model.json"):
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as zipped:
            zipped.writestr("m/data/0", bytes(100))
            zipped.writestr(name, pickle.dumps(1))
        # PyTorch writes the records of zip64 before the end, also in small archives.
        end = content.getvalue().rindex(b"PK\5\6")
        locator = b"PK\6\6" + bytes(52) + b"PK\6\7" + bytes(16)
        (tmp_path / "m.pt").write_bytes(content.getvalue()[:end] + locator + content.getvalue()[end:])
        with pytest.raises(ConvertError, match="is a PyTorch model, a pickle, .*; in Python: torch.onnx.export"):
            load(tmp_path / "m.pt")
