"""Load a Keras digit classifier from any file of the last ten years, or say clearly why not."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.classes import LABELS_BY_OUTPUTS, of_head
from convert.load import (
    channels,
    classifier,
    ends,
    frozen_graph,
    graph_classifier,
    keras1,
    keras_file,
    saved_model,
    sizes,
    with_keras,
)
from convert.load.architecture import for_inference, mark_operations
from convert.load.file_type import SAVE_ADVICE, refuse_other_files
from convert.load.trusted import trusted
from edge.errors import ConvertError, ModelError
from edge.model.card import DIGITS
from edge.model.preprocessing import image_shape
from edge.system.text import is_text

MOST_OUTPUTS = 100
"""The most outputs that digits are looked for among. Chosen: a set of all digits and letters has 62."""
MAX_SECONDS_PER_IMAGE = 0.02
"""A slower model is refused. Chosen: ResNet-50 takes 0.005 s here, and a Raspberry Pi takes ten times as long."""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A loaded Keras model, and where it came from."""

    model: Any
    """A ``keras.Model``, a ``tf_keras.Model`` for a file that only Keras 2 reads, or a GraphClassifier. It takes
    float32, channels last, and any batch size."""
    path: Path
    sha256: str
    """sha256 of the file; for a folder, of the names and bytes of its files."""
    loaded_by: str
    """What loaded it: ``keras 3.15.1``, ``tf_keras 2.21.0`` or ``tensorflow 2.21.0``."""
    labels: tuple[str, ...]
    """What each of its outputs stands for; empty if only its answers can say that."""


def load(
    path: Path,
    *,
    architecture: Path | None = None,
    labels: tuple[str, ...] | None = None,
    graph_input: str | None = None,
    graph_output: str | None = None,
) -> LoadedModel:
    """The model in a Keras file (.h5, .hdf5, .keras), in a SavedModel folder or in a frozen graph (.pb).

    ``architecture`` is the JSON of ``model.to_json()`` for a file that has weights only, and ``graph_input`` and
    ``graph_output`` name the ends of a frozen graph that has several; ``labels`` say what each output stands for, by
    default what edge-train named, else what is usual for so many. Raises ConvertError if the file is refused.
    """
    if (graph_input or graph_output) and not frozen_graph.is_frozen_graph(path):
        raise ConvertError(f"{path}: is no frozen graph; leave out --graph-input and --graph-output")
    if path.is_dir() and not (path / keras_file.CONFIG).is_file():
        model, by, digest = _from_folder(path, architecture, labels)
    elif frozen_graph.is_frozen_graph(path):
        model, by, digest = _from_graph(path, graph_input, graph_output, labels)
    else:
        model, by, digest = _from_file(path, architecture, labels)
    return LoadedModel(model, path, digest, by, _labels(model, labels, path))


def _from_folder(path: Path, architecture: Path | None, labels: tuple[str, ...] | None) -> tuple[Any, str, str]:
    _check_folder(path, architecture)
    import tensorflow as tf

    with TemporaryDirectory() as folder:
        model = saved_model.load(path, Path(folder), lambda shape: _check_numbers(shape, "", labels, path))
    graph_classifier.check(model, path)
    return model, f"tensorflow {tf.__version__}", saved_model.digest(path)


def _from_graph(
    path: Path, given: str | None, found: str | None, labels: tuple[str, ...] | None
) -> tuple[Any, str, str]:
    import tensorflow as tf

    content = _content(path)
    model, switches = frozen_graph.load(
        content, path, given, found, lambda shape: _check_numbers(shape, "", labels, path)
    )
    graph_classifier.check(model, path)
    by = f"tensorflow {tf.__version__}" + (f" with {switches}" if switches else "")
    return model, by, sha256(content).hexdigest()


def _check_folder(path: Path, architecture: Path | None) -> None:
    if not (path / saved_model.GRAPH).is_file():
        raise ConvertError(
            f"{path}: is a folder without {saved_model.GRAPH}, so it is not a SavedModel; give a model file"
        )
    if architecture:
        raise ConvertError(f"{path}: a SavedModel contains its architecture; leave out --architecture")
    saved_model.check_files(path)


def check(path: Path, *, architecture: Path | None = None, labels: tuple[str, ...] | None = None) -> None:
    """Raise ConvertError for a file that ``load`` would refuse before it starts Keras, which takes seconds."""
    if path.is_dir() and not (path / keras_file.CONFIG).is_file():
        _check_folder(path, architecture)
    elif not frozen_graph.is_frozen_graph(path):
        with TemporaryDirectory() as folder:
            _read(path, architecture, labels, Path(folder))


@dataclass(frozen=True, slots=True)
class _Read:
    """What a Keras file contains, read without Keras."""

    file: Path
    """The file itself; of a folder, a zip archive of it."""
    sha256: str
    content: keras_file.KerasFile
    architecture: dict[str, Any]
    """Only of what may be in a model, in the form of Keras 2 or 3."""
    is_keras1: bool
    """Whether Keras 1 wrote it."""
    version: str
    """The version of Keras that wrote it."""
    backend: str
    """The backend that trained the weights."""


def _read(path: Path, architecture: Path | None, labels: tuple[str, ...] | None, folder: Path) -> _Read:
    """Read a Keras file, and check it. Raises ConvertError."""
    file = keras_file.zip_folder(path, folder) if path.is_dir() else path
    content = _content(file, sizes.SMALLER_KERAS)
    if path.name == saved_model.GRAPH:
        raise ConvertError(f"{path}: is part of a SavedModel; give its folder, {path.parent}")
    refuse_other_files(path, content)
    found = keras_file.read(file, path)
    config, version, backend = _architecture(found, architecture, path)
    where = architecture if architecture and found.architecture is None else path
    is_keras1 = keras1.is_keras1(config, version)
    config = trusted(keras1.translate(config, where) if is_keras1 else config, where)
    _check_ends(config, labels, path)
    digest = saved_model.digest(path) if path.is_dir() else sha256(content).hexdigest()
    return _Read(file, digest, found, config, is_keras1, version, backend)


def _from_file(path: Path, architecture: Path | None, labels: tuple[str, ...] | None) -> tuple[Any, str, str]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        read = _read(path, architecture, labels, folder)
        config = for_inference(read.architecture)
        is_keras3 = read.version.startswith("3.")
        if is_keras3 and read.content.has_layer_groups:
            config = mark_operations(config)
        copy = keras_file.write_copy(read.file, read.content, config, folder)
        # Only Keras 3 reads files of Keras 3, only tf_keras those of Keras 1; importing tf_keras takes seconds.
        names = ("tf_keras",) if read.is_keras1 else ("keras",) if is_keras3 else ("keras", "tf_keras")
        model, by = with_keras.load(copy, config, read.backend, path, names)
    return model, by, read.sha256


def _content(path: Path, smaller: str = sizes.SMALLER) -> bytes:
    """The content of a file; ``smaller``: what to do if it is too large. Raises ConvertError."""
    try:
        return sizes.read(path, advice=smaller)
    except FileNotFoundError as error:
        raise ConvertError(f"{path}: no such file; give a Keras model file or a SavedModel folder") from error
    except OSError as error:
        raise ConvertError(
            f"{path}: cannot be read ({error.strerror}); give a Keras model file that you may read"
        ) from error


def _architecture(found: keras_file.KerasFile, given: Path | None, path: Path) -> tuple[dict[str, Any], str, str]:
    """The architecture, the version of Keras that wrote it, and the backend that trained the weights."""
    if found.architecture is not None:
        if given:
            raise ConvertError(f"{path}: contains its architecture; leave out --architecture")
        return found.architecture, found.version, found.backend
    if not given:
        raise ConvertError(
            f"{path}: has weights only, no architecture; give the JSON from model.to_json() with --architecture,"
            f" or {SAVE_ADVICE}"
        )
    described = keras_file.read_architecture(given)
    assert described.architecture is not None
    return described.architecture, described.version or found.version, found.backend


def _check_ends(architecture: dict[str, Any], labels: tuple[str, ...] | None, path: Path) -> None:
    """Raise ConvertError if an architecture says that its model is no classifier of digits."""
    found = ends.ends(architecture)
    if (found.inputs or 1, found.outputs or 1) != (1, 1):
        classifier.check_ends(found.inputs or 1, found.outputs or 1, (), path)
    if found.image:
        _check_image(found.image, path)
    if found.numbers is not None:
        _check_numbers((None, found.numbers), found.last, labels, path)


def _check_image(shape: tuple[int | None, ...], path: Path) -> None:
    """Raise ConvertError if an input of this shape, batch first, is no image of a digit with channels first or last."""
    if channels.are_in_front(shape):
        shape = (shape[0], *shape[2:], shape[1])
    try:
        image_shape((None, *classifier.input_size(shape)), str(path))
    except ModelError as error:
        raise ConvertError(str(error)) from error


def _check_numbers(shape: tuple[int | None, ...], last: str, labels: tuple[str, ...] | None, path: Path) -> None:
    """Raise ConvertError if no labels fit an output of this shape, of a layer with the name ``last``."""
    classifier.check_ends(1, 1, shape, path)
    _labels(SimpleNamespace(output_shape=shape, layers=[SimpleNamespace(name=last)]), labels, path)


def seconds_per_image(model: Any, images: NDArray[np.float32], path: Path) -> float:
    """How long a model computes for an image, in seconds, measured on these (n, \\*input). Raises ConvertError if it is
    too long.
    """
    started = time.process_time()
    model.predict(images, batch_size=len(images), verbose=0)
    seconds = (time.process_time() - started) / len(images)
    if seconds > MAX_SECONDS_PER_IMAGE:
        raise ConvertError(f"{path}: takes {1000 * seconds:.0f} ms for an image; give a smaller model")
    return seconds


def _labels(model: Any, labels: tuple[str, ...] | None, path: Path) -> tuple[str, ...]:
    outputs = math.prod(model.output_shape[1:])
    if labels is None:
        named = of_head(model.layers[-1].name) if getattr(model, "layers", None) else ()
        if len(named) == outputs and set(DIGITS) <= set(named) and all(map(is_text, named)):
            return named
        if not len(DIGITS) <= outputs <= MOST_OUTPUTS:
            known = " (the classes of ImageNet?)" if outputs == 1000 else ""
            raise ConvertError(
                f"{path}: has {outputs} outputs{known}, not 10 for the digits or 11 with none last; if some of them are"
                " digits, say what each output stands for: --labels 0,1,2,..."
            )
        return LABELS_BY_OUTPUTS.get(outputs, ())
    check_labels(labels, outputs, str(path))
    return labels


def check_labels(labels: tuple[str, ...], outputs: int, where: str) -> None:
    """Raise ConvertError if labels that a user named cannot be those of so many outputs; ``where``: the file's name."""
    if not set(labels) & set(DIGITS):
        raise ConvertError(f"{where}: --labels has no digit; label the outputs that are digits with 0 to 9")
    if len(labels) != outputs:
        found = ", or leave out --labels to find them" if len(DIGITS) <= outputs <= MOST_OUTPUTS else ""
        raise ConvertError(
            f"{where}: has {outputs} outputs, but --labels has {len(labels)}; give one label for each output{found}"
        )
