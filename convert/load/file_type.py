"""Recognise files that are not Keras models by their first bytes, and say what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from edge.errors import ConvertError

HDF5 = b"\x89HDF\r\n\x1a\n"
"""The first bytes of an HDF5 file, such as a Keras .h5 (HDF5 file format specification, III.A)."""
ZIP = b"PK\x03\x04"
"""The first bytes of a zip archive, such as a .keras file."""
ONNX_ADVICE = (
    "make a SavedModel of it, in an environment of its own: pip install 'onnx2tf[tensorflow]==1.29.24'; onnx2tf -i"
    " {path} -o saved; then: edge-convert saved"
)
"""How an ONNX model becomes a SavedModel. The version is one that was tried: later ones need Python 3.12."""
TORCH = "a pickle, which may contain program code and is not opened"
TORCH_ADVICE = (
    "in Python: torch.onnx.export(model.eval(), torch.zeros(1, 1, 28, 28), 'model.onnx'); in an environment of its own:"
    " pip install 'onnx2tf[tensorflow]==1.29.24'; onnx2tf -i model.onnx -o saved; then: edge-convert saved"
)
"""How a PyTorch model becomes one."""
SIGNATURES = (
    (rb"\s*version https://git-lfs", "is a git-LFS pointer, not the model", "fetch the model with: git lfs pull"),
    (rb"(?s).{0,5}HDF", "is an HDF5 file that was damaged by copying it as text", "copy it in binary mode"),
    (rb"(?is)\s*(\xef\xbb\xbf)?<(!doctype|html|\?xml|head|!--)", "is a web page", "download the file itself (raw)"),
    (
        rb"(?s).{4}TFL3",
        "is a TFLite model, so already converted",
        "use it: edge read --model {path} IMAGE; one of another maker: edge-convert adopt {path}",
    ),
    (rb"(?s)\x08.\x12.{1,80}?(pytorch|onnx|keras2|tf2|skl)", "is an ONNX model", "{onnx}"),
    (rb"\x80\x02\x8a\nl\xfc\x9cF\xf9", f"is a PyTorch model, {TORCH}", "{torch}"),
    (
        rb"\x80[\x02-\x05]|\(dp0|ccopy_reg",
        "is a Python pickle, which may contain program code and is not opened",
        "{save}",
    ),
    (rb"\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf|Rar!", "is a compressed archive", "unpack it and give the model in it"),
    (rb"(?s).{257}ustar", "is a tar archive", "unpack it and give the model in it"),
    (
        rb"(?s).{7}\0\{\"",
        "is a safetensors file, weights without an architecture",
        "load them into their model; {torch}",
    ),
    (
        rb"\s*(node|library|versions)\s*\{",
        "is a TensorFlow graph as text",
        "save it as bytes: tf.io.write_graph(graph, folder, 'frozen.pb', as_text=False)",
    ),
    (
        rb"\s*\{",
        "is JSON, an architecture without weights",
        "give the file of weights, and this one with --architecture",
    ),
    (rb"\x93NUMPY", "is a NumPy array", "{save}"),
)
"""How other files begin (a regular expression), what they are, and what to do."""
ARCHIVE_SIGNATURES = (
    (r"\.npy$", "is an archive of NumPy arrays", "{save}"),
    (r"(^|/)saved_model\.pb$|\.(h5|hdf5|keras)$", "is a zip archive of a model", "unpack it and give the model in it"),
)
"""Other zip archives: the name of a member (a regular expression), what the archive is, and what to do."""
TORCH_MEMBER = re.compile(rb"(?s)PK\x01\x02.{42}[^\0]{1,200}?/(data\.pkl|models/model\.json)")
"""An entry of a zip archive's directory (APPNOTE.TXT, 4.3.12) for a member that only PyTorch writes. Its archives have
the directory's end in a form that is not read otherwise."""
KERAS_MEMBER = re.compile(rb"(?s)PK\x01\x02.{42}config\.json")
"""One for the architecture in a .keras file."""
MAX_DIRECTORY_BYTES = 2**20
"""Where such an entry is looked for, in bytes before the end. Chosen: that is enough for 10,000 members."""
SAVE_ADVICE = "save the whole Keras model with model.save('model.keras')"
"""What to do if there is no better advice."""


def refuse_other_files(path: Path, content: bytes) -> None:
    """Raise ConvertError, which says what the file is, unless its ``content`` is HDF5 or a zip archive."""
    if content.startswith(ZIP):
        directory = content[-MAX_DIRECTORY_BYTES:]
        if TORCH_MEMBER.search(directory) and not KERAS_MEMBER.search(directory):
            raise _error(path, f"is a PyTorch model, {TORCH}", TORCH_ADVICE)
    if content.startswith((HDF5, ZIP)):
        return
    if not content:
        raise ConvertError(f"{path}: is empty; {SAVE_ADVICE}")
    for signature, what, advice in SIGNATURES:
        if re.match(signature, content[:512]):
            raise _error(path, what, advice)
    if path.suffix in (".pt", ".pth"):
        raise _error(path, "is not a Keras file, but perhaps a PyTorch model", "{torch}")
    if path.suffix == ".onnx":
        raise _error(path, "is an ONNX model", ONNX_ADVICE)
    if path.suffix == ".pb":
        raise _error(path, "is no frozen graph, but perhaps a SavedModel's", "give the SavedModel's folder instead")
    raise _error(path, "is not a Keras file", "{save}")


def archive_error(path: Path, names: Iterable[str]) -> ConvertError:
    """The error for a zip archive with these members, which is not a .keras file."""
    for pattern, what, advice in ARCHIVE_SIGNATURES:
        if any(re.search(pattern, name) for name in names):
            return _error(path, what, advice)
    return _error(path, "is a zip archive without config.json, so it is not a Keras file", "{save}")


def _error(path: Path, what: str, advice: str) -> ConvertError:
    # One after the other: the path may have braces.
    advice = advice.replace("{save}", SAVE_ADVICE).replace("{torch}", TORCH_ADVICE).replace("{onnx}", ONNX_ADVICE)
    return ConvertError(f"{path}: {what}; {advice.replace('{path}', str(path))}")
