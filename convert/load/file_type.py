"""What a file that is no Keras model really is, told by how it begins, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from edge.errors import ConvertError

HDF5 = b"\x89HDF\r\n\x1a\n"
"""How an HDF5 file begins (HDF5 file format specification, III.A), and so does a Keras .h5."""
ZIP = b"PK\x03\x04"
"""How a zip archive begins, and so does a Keras .keras."""
BEGINNINGS = (
    (rb"\s*version https://git-lfs", "is a git-LFS pointer, not the model", "fetch the model with: git lfs pull"),
    (rb"(?s).{0,5}HDF", "is HDF5 that was copied as if it were text, which changed its bytes", "copy it as binary"),
    (rb"(?is)\s*(\xef\xbb\xbf)?<(!doctype|html|\?xml|head|!--)", "is a web page", "download the file itself (raw)"),
    (rb"(?s).{4}TFL3", "is a TFLite model, so already converted", "read with it: edge read --model {path} IMAGE"),
    (rb"(?s)\x08.\x12.{1,80}?(pytorch|onnx|keras2|tf2|skl)", "is an ONNX model", "save the Keras model itself"),
    (rb"\x80[\x02-\x05]|\(dp0|ccopy_reg", "is a Python pickle, which is program code and not opened", "{save}"),
    (rb"\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf|Rar!", "is a compressed archive", "unpack it and name the model in it"),
    (rb"(?s).{257}ustar", "is a tar archive", "unpack it and name the model in it"),
    (rb"(?s).{7}\0\{\"", "is a safetensors file, weights without an architecture", "{save}"),
    (rb"\s*\{", "is JSON, an architecture without weights", "name the weights' file, and this with --architecture"),
    (rb"\x93NUMPY", "is a NumPy array", "{save}"),
)
"""How foreign files begin (a regular expression), what they are, and what to do."""
MEMBERS = (
    (r"(^|/)data\.pkl$", "is a PyTorch model, a pickle, which is program code and not opened", "{save}"),
    (r"\.npy$", "is an archive of NumPy arrays", "{save}"),
    (r"(^|/)saved_model\.pb$|\.(h5|hdf5|keras)$", "is a zip archive of a model", "unpack it and name the model in it"),
)
"""The same for zip archives, by the name of a member."""
SAVE = "save the whole Keras model with model.save('model.keras')"
"""What to do where nothing nearer is known."""


def refuse_foreign(path: Path, content: bytes) -> None:
    """Raise ConvertError where a file's ``content`` is neither HDF5 nor a zip archive, saying what it is instead."""
    if content.startswith((HDF5, ZIP)):
        return
    if not content:
        raise ConvertError(f"{path}: is empty; {SAVE}")
    for beginning, what, way_out in BEGINNINGS:
        if re.match(beginning, content[:512]):
            raise _refusal(path, what, way_out)
    if path.suffix == ".pb":
        raise _refusal(path, "is a TensorFlow graph", "name the SavedModel's folder instead")
    raise _refusal(path, "is no Keras file", "{save}")


def foreign_archive(path: Path, names: Iterable[str]) -> ConvertError:
    """Why a zip archive with members of these names is refused, which has no Keras architecture."""
    for pattern, what, way_out in MEMBERS:
        if any(re.search(pattern, name) for name in names):
            return _refusal(path, what, way_out)
    return _refusal(path, "is a zip archive without config.json, so no Keras file", "{save}")


def _refusal(path: Path, what: str, way_out: str) -> ConvertError:
    return ConvertError(f"{path}: {what}; {way_out.format(path=path, save=SAVE)}")
