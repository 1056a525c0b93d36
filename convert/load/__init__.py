"""Load a Keras digit classifier from any file of the last ten years, or say clearly why not."""

from __future__ import annotations

import math
import re
import time
import warnings
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.classes import LABELS_BY_OUTPUTS, of_head
from convert.load import channels, keras1, keras_file, saved_model, sizes
from convert.load.architecture import OPERATION_PREFIX, for_inference, has_input, mark_operations, operation_names
from convert.load.file_type import SAVE_ADVICE, refuse_other_files
from convert.load.known import OPERATIONS
from convert.load.trusted import trusted
from edge.errors import ConvertError
from edge.model.card import DIGITS
from edge.system.text import is_text, one_line

MOST_OUTPUTS = 100
"""The most outputs that digits are looked for among. Chosen: a set of all digits and letters has 62."""
MAX_SECONDS_PER_IMAGE = 0.02
"""A slower model is refused. Chosen: ResNet-50 takes 0.005 s here, and a Raspberry Pi takes ten times as long."""
QUOTED_CONFIG = re.compile(r" Full object config| Received: | Make sure custom| config=\{")
"""Where Keras's error messages begin to quote the file's configuration: the text is cut there."""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A loaded Keras model, and where it came from."""

    model: Any
    """A ``keras.Model``, a ``tf_keras.Model`` for a file that only Keras 2 reads, or a SavedClassifier. It takes
    float32, channels last, and any batch size."""
    path: Path
    sha256: str
    """sha256 of the file; for a folder, of the names and bytes of its files."""
    loaded_by: str
    """What loaded it: ``keras 3.15.1``, ``tf_keras 2.21.0`` or ``tensorflow 2.21.0``."""
    labels: tuple[str, ...]
    """What each of its outputs stands for; empty if only its answers can say that."""


def load(path: Path, *, architecture: Path | None = None, labels: tuple[str, ...] | None = None) -> LoadedModel:
    """The model in a Keras file (.h5, .hdf5, .keras) or in a SavedModel folder.

    ``architecture`` is the JSON of ``model.to_json()`` for a file that has weights only; ``labels`` say what each
    output stands for, by default what edge-train named, else what is usual for so many. Raises ConvertError if the file
    is refused.
    """
    if path.is_dir() and not (path / keras_file.CONFIG).is_file():
        model, by, digest = _from_folder(path, architecture)
    else:
        model, by, digest = _from_file(path, architecture)
    return LoadedModel(model, path, digest, by, _labels(model, labels, path))


def _from_folder(path: Path, architecture: Path | None) -> tuple[Any, str, str]:
    if not (path / saved_model.GRAPH).is_file():
        raise ConvertError(
            f"{path}: is a folder without {saved_model.GRAPH}, so it is not a SavedModel; give a model file"
        )
    if architecture:
        raise ConvertError(f"{path}: a SavedModel contains its architecture; leave out --architecture")
    import tensorflow as tf

    with TemporaryDirectory() as folder:
        model = saved_model.load(path, Path(folder))
    _check_classifier(1, 1, model.output_shape, path)
    try:
        _check_runs(model)
        noise = np.random.default_rng(1).random((2, *_input_size(model)), np.float32)
        is_steady = all(np.allclose(model.predict(x), model.predict(x), atol=1e-5) for x in (noise, 255 * noise))
    except Exception as error:  # TensorFlow can raise anything
        raise ConvertError(f"{path}: does not run on two images ({_short(error)}); save it again") from error
    if not is_steady:
        # Keras 3.15's export() leaves layers such as RandomRotation active.
        raise ConvertError(
            f"{path}: gives different answers for the same image, as if data augmentation layers were exported while"
            " active; remove them and export it again, or save it with model.save('model.keras')"
        )
    return model, f"tensorflow {tf.__version__}", saved_model.digest(path)


def check(path: Path, *, architecture: Path | None = None) -> None:
    """Raise ConvertError for a file that ``load`` would refuse before it starts Keras, which takes seconds."""
    if not path.is_dir() or (path / keras_file.CONFIG).is_file():
        with TemporaryDirectory() as folder:
            _read(path, architecture, Path(folder))


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


def _read(path: Path, architecture: Path | None, folder: Path) -> _Read:
    """Read a Keras file, and check it. Raises ConvertError."""
    file = keras_file.zip_folder(path, folder) if path.is_dir() else path
    content = _content(file)
    if path.name == saved_model.GRAPH:
        raise ConvertError(f"{path}: is part of a SavedModel; give its folder, {path.parent}")
    refuse_other_files(path, content)
    found = keras_file.read(file, path)
    config, version, backend = _architecture(found, architecture, path)
    where = architecture if architecture and found.architecture is None else path
    is_keras1 = keras1.is_keras1(config, version)
    config = trusted(keras1.translate(config, where) if is_keras1 else config, where)
    digest = saved_model.digest(path) if path.is_dir() else sha256(content).hexdigest()
    return _Read(file, digest, found, config, is_keras1, version, backend)


def _from_file(path: Path, architecture: Path | None) -> tuple[Any, str, str]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        read = _read(path, architecture, folder)
        config = for_inference(read.architecture)
        is_keras3 = read.version.startswith("3.")
        if is_keras3 and read.content.has_layer_groups:
            config = mark_operations(config)
        copy = keras_file.write_copy(read.file, read.content, config, folder)
        # Only Keras 3 reads files of Keras 3, only tf_keras those of Keras 1; importing tf_keras takes seconds.
        names = ("tf_keras",) if read.is_keras1 else ("keras",) if is_keras3 else ("keras", "tf_keras")
        model, by = _load_with_keras(copy, config, read.backend, path, names)
    return model, by, read.sha256


def _content(path: Path) -> bytes:
    try:
        return sizes.read(path)
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


def _load_with_keras(
    copy: Path, config: dict[str, Any], backend: str, path: Path, names: tuple[str, ...]
) -> tuple[Any, str]:
    """The model and its loader's name, from the first Keras of ``names`` that can load it.

    Keras 3 cannot read many files of Keras 2, or reads them wrongly.
    """
    failures: list[Exception] = []
    for name in names:
        try:
            keras = import_module(name)
            # The loss and the optimizer are not needed, and may be custom code.
            operations = _operations(config) if name == "keras" else {}
            with warnings.catch_warnings():
                # Keras warns about its own older style, such as input_shape instead of an Input.
                warnings.simplefilter("ignore")
                model = keras.models.load_model(copy, compile=False, custom_objects=operations)
            _check_classifier(len(model.inputs or ()), len(model.outputs or ()), model.output_shape, path)
            if backend == "theano":
                channels.from_theano(model, path)
            if channels.is_channels_first(model):
                model = channels.channels_last(model, keras, path)
            _check_runs(model)
            return model, f"{name} {keras.__version__}"
        except Exception as error:  # Keras can raise anything
            failures.append(error)
    raise _load_error(failures, config, path) from failures[-1]


def _operations(config: dict[str, Any]) -> dict[str, Any]:
    """Keras 3's classes for the architecture's operations outside layers, by their names in it."""
    found = {}
    for name in operation_names(config):
        kind = name.removeprefix(OPERATION_PREFIX)
        places = [place for place, kinds in OPERATIONS.items() if kind in kinds]
        if places and hasattr(module := import_module(places[0]), kind):
            found[name] = getattr(module, kind)
    return found


def _load_error(failures: list[Exception], config: dict[str, Any], path: Path) -> Exception:
    """The most useful of the errors: one that was found here, else Keras's own message."""
    for error in reversed(failures):
        if isinstance(error, ConvertError | ModuleNotFoundError):
            return error
    if not has_input(config):
        return ConvertError(
            f"{path}: does not say what shape its input has; add keras.Input((28, 28, 1)) as the first layer, or call"
            " the model once, and save it again"
        )
    return ConvertError(f"{path}: Keras cannot load it ({_short(failures[-1])}); save it again with Keras 3")


def _check_classifier(inputs: int, outputs: int, shape: Any, path: Path) -> None:
    if inputs != 1 or outputs != 1:
        raise ConvertError(f"{path}: has {inputs} inputs and {outputs} outputs; a digit classifier has one of each")
    sizes = [n for n in shape[1:] if n != 1]
    if len(shape) < 2 or None in sizes or len(sizes) > 1:
        what = "not one number for each digit; autoencoders, detectors and segmenters are not supported"
    elif not sizes:
        what = "a single number; a digit classifier gives one number for each digit"
    else:
        return
    raise ConvertError(f"{path}: has an output of shape {shape}, {what}")


def _check_runs(model: Any) -> None:
    """Run a model on two blank images; raises if it does not run here, or not with this batch size."""
    outputs = model.predict(np.zeros((2, *_input_size(model)), np.float32), verbose=0)
    if np.asarray(outputs).shape != (2, *model.output_shape[1:]):
        raise ValueError(f"two images give an output of shape {np.asarray(outputs).shape}")


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


def _input_size(model: Any) -> list[int]:
    """The shape of one input; a variable height, width or number of channels becomes that of a glyph."""
    shape = list(model.input_shape[1:])
    return [size or default for size, default in zip(shape, (28, 28, 1), strict=True)] if len(shape) == 3 else shape


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
    if not set(labels) & set(DIGITS):
        raise ConvertError(f"{path}: --labels has no digit; label the outputs that are digits with 0 to 9")
    if len(labels) != outputs:
        raise ConvertError(
            f"{path}: has {outputs} outputs, but --labels has {len(labels)}; give one label for each output"
        )
    return labels


def _short(error: BaseException) -> str:
    """An error's text as one short line: the innermost of Keras's nested errors, without quoted configurations."""
    text = one_line(error).rpartition("Exception encountered: ")[2]
    return QUOTED_CONFIG.split(text)[0][:120] or type(error).__name__
