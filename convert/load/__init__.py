"""Any Keras file of the last ten years -> a model that classifies digits, or a clear refusal."""

from __future__ import annotations

import math
import re
import warnings
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from convert.load import channels, keras1, saved, stored
from convert.load.architecture import OPERATION, has_input, mended, outside, refuse_code, unknown, with_operations
from convert.load.foreign import SAVE, refuse_foreign
from edge.errors import ConvertError
from edge.model.card import DIGITS, NONE
from edge.system.text import one_line

LABELS = {10: DIGITS, 11: (*DIGITS, NONE)}
"""What the outputs stand for, by their number."""
QUOTED = re.compile(r" Full object config| Received: | Make sure custom| config=\{")
"""Where Keras's errors begin to quote tables of the file."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A Keras model and where it came from."""

    model: Any
    """A ``keras.Model``, a ``tf_keras.Model`` for a file that only Keras 2 reads, or a SavedClassifier: channels last,
    any size of batch, float32."""
    path: Path
    sha256: str
    """Of the file; of a folder, of the names and bytes of its files."""
    keras: str
    """What loaded it: ``keras 3.15.1``, ``tf_keras 2.21.0`` or ``tensorflow 2.21.0``."""
    labels: tuple[str, ...]
    """What each of its outputs stands for."""


def load(path: Path, *, architecture: Path | None = None, labels: tuple[str, ...] | None = None) -> Loaded:
    """The model in a Keras file (.h5, .hdf5, .keras) or in a SavedModel folder.

    ``architecture`` is the JSON of ``model.to_json()`` for a file that has weights only; ``labels`` say what each
    output stands for, by default 0 to 9, and none for an eleventh. Raises ConvertError, which says why it is refused.
    """
    if path.is_dir() and not (path / stored.CONFIG).is_file():
        model, by, digest = _from_folder(path, architecture)
    else:
        model, by, digest = _from_file(path, architecture)
    return Loaded(model, path, digest, by, _labels(math.prod(model.output_shape[1:]), labels, path))


def _from_folder(path: Path, architecture: Path | None) -> tuple[Any, str, str]:
    if not (path / saved.GRAPH).is_file():
        raise ConvertError(f"{path}: is a folder without {saved.GRAPH}, so no SavedModel; name a model's file")
    if architecture:
        raise ConvertError(f"{path}: a SavedModel has an architecture of its own; leave --architecture out")
    import tensorflow as tf

    model = saved.load(path)
    _check_classifier(1, 1, model.output_shape, path)
    try:
        _tried(model)
        noise = np.random.default_rng(1).random((2, *_size(model)), np.float32)
        is_steady = all(np.allclose(model.predict(x), model.predict(x), atol=1e-5) for x in (noise, 255 * noise))
    except Exception as error:  # TensorFlow raises what its C++ does
        raise ConvertError(f"{path}: does not run on two images ({_line(error)}); save it again") from error
    if not is_steady:
        # Keras 3.15's export() leaves layers such as RandomRotation switched on.
        raise ConvertError(
            f"{path}: gives another answer each time, as with layers of augmentation that were exported switched on;"
            " leave them out and export it again, or save it with model.save('model.keras')"
        )
    return model, f"tensorflow {tf.__version__}", saved.digest(path)


def _from_file(path: Path, architecture: Path | None) -> tuple[Any, str, str]:
    with TemporaryDirectory() as folder:
        file = stored.zipped(path, Path(folder)) if path.is_dir() else path
        content = _content(file)
        if path.name == saved.GRAPH:
            raise ConvertError(f"{path}: is part of a SavedModel; name its folder, {path.parent}")
        refuse_foreign(path, content)
        found = stored.read(file)
        config, version, backend = _architecture(found, architecture, path)
        refuse_code(config, architecture if architecture and found.architecture is None else path)
        config = mended(config)
        old = keras1.is_keras1(config, version)
        if old:
            try:
                config = keras1.translate(config, path)
            except (TypeError, KeyError, AttributeError, IndexError) as error:
                raise ConvertError(f"{path}: its architecture is damaged ({_line(error)}); copy it again") from error
        if version.startswith("3.") and found.legacy:
            config = with_operations(config)
        copy = stored.write(file, found, config, Path(folder))
        # What Keras 3 wrote only Keras 3 reads, what Keras 1 wrote only tf_keras, and its import takes seconds.
        names = ("tf_keras",) if old else ("keras",) if version.startswith("3.") else ("keras", "tf_keras")
        model, by = _model(copy, config, backend, path, names)
    return model, by, saved.digest(path) if path.is_dir() else sha256(content).hexdigest()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ConvertError(f"{path}: no such file; name the file of a Keras model, or a SavedModel's folder") from error
    except OSError as error:
        raise ConvertError(f"{path}: cannot be read ({error.strerror}); name the file of a Keras model") from error


def _architecture(found: stored.Stored, given: Path | None, path: Path) -> tuple[dict[str, Any], str, str]:
    """The architecture, the version of Keras that wrote it, and the backend of the weights."""
    if found.architecture is not None:
        if given:
            raise ConvertError(f"{path}: has an architecture of its own; leave --architecture out")
        return found.architecture, found.version, found.backend
    if not given:
        raise ConvertError(
            f"{path}: has weights only, no architecture; name the JSON of model.to_json() with --architecture,"
            f" or {SAVE}"
        )
    said = stored.read_architecture(given)
    assert said.architecture is not None
    return said.architecture, said.version or found.version, found.backend


def _model(copy: Path, config: dict[str, Any], backend: str, path: Path, names: tuple[str, ...]) -> tuple[Any, str]:
    """The model, from the first Keras that can: files of Keras 2 that Keras 3 cannot read, or misreads, are many."""
    failures: list[Exception] = []
    for name in names:
        try:
            keras = import_module(name)
            # The loss and the optimizer are not needed, and may be somebody's own.
            operations = _operations(config) if name == "keras" else {}
            with warnings.catch_warnings():
                # What Keras would have written otherwise, such as an Input in place of input_shape.
                warnings.simplefilter("ignore")
                model = keras.models.load_model(copy, compile=False, custom_objects=operations)
            _check_classifier(len(model.inputs or ()), len(model.outputs or ()), model.output_shape, path)
            if backend == "theano":
                channels.from_theano(model, path)
            if channels.is_channels_first(model):
                model = channels.channels_last(model, keras, path)
            _tried(model)
            return model, f"{name} {keras.__version__}"
        except Exception as error:  # Keras raises whatever its layers do
            failures.append(error)
    raise _refusal(failures, config, path)


def _operations(config: dict[str, Any]) -> dict[str, Any]:
    """Keras 3's classes for the operations outside of layers that an architecture has, by their names there."""
    places = [import_module(f"keras.src.ops.{place}") for place in ("numpy", "nn", "math", "image")]
    kinds = {name: [getattr(place, name.removeprefix(OPERATION), None) for place in places] for name in outside(config)}
    return {name: next(filter(None, found)) for name, found in kinds.items() if any(found)}


def _refusal(failures: list[Exception], config: dict[str, Any], path: Path) -> Exception:
    """The true reason, of what each Keras had to say: what was found here, what none of them knows, their own words."""
    for error in reversed(failures):
        if isinstance(error, ConvertError | ModuleNotFoundError):
            return error
    if not has_input(config):
        return ConvertError(
            f"{path}: does not say what shape its input has; add keras.Input((28, 28, 1)) as the first layer, or call"
            " the model once, and save it again"
        )
    return unknown(config, import_module("keras"), path) or ConvertError(
        f"{path}: Keras cannot load it ({_line(failures[-1])}); save it again with Keras 3"
    )


def _check_classifier(inputs: int, outputs: int, shape: Any, path: Path) -> None:
    if inputs != 1 or outputs != 1:
        raise ConvertError(f"{path}: has {inputs} inputs and {outputs} outputs; a classifier of digits has one of each")
    sizes = [n for n in shape[1:] if n != 1]
    if len(shape) < 2 or None in sizes or len(sizes) > 1:
        what = "not one number for each digit; an autoencoder, detector or segmenter is no classifier"
    elif not sizes:
        what = "a single number; a classifier of digits gives one for each digit"
    else:
        return
    raise ConvertError(f"{path}: gives an output of shape {shape}, {what}")


def _tried(model: Any) -> None:
    """Run a model on two blank images: what cannot be computed here, or only for another size of batch, raises."""
    outputs = model.predict(np.zeros((2, *_size(model)), np.float32), verbose=0)
    if np.asarray(outputs).shape != (2, *model.output_shape[1:]):
        raise ValueError(f"two images give an output of shape {np.asarray(outputs).shape}")


def _size(model: Any) -> list[int]:
    """The shape of one input; where the height, the width or the channels are open, a glyph's own."""
    shape = list(model.input_shape[1:])
    return [size or default for size, default in zip(shape, (28, 28, 1), strict=True)] if len(shape) == 3 else shape


def _labels(outputs: int, labels: tuple[str, ...] | None, path: Path) -> tuple[str, ...]:
    if labels is None:
        if outputs not in LABELS:
            known = " (the classes of ImageNet?)" if outputs == 1000 else ""
            raise ConvertError(
                f"{path}: gives {outputs} outputs{known}, not 10 for the digits or 11 with none last; where digits"
                " are among them, say what each stands for: --labels 0,1,2,..."
            )
        return LABELS[outputs]
    if len(labels) != outputs:
        raise ConvertError(f"{path}: gives {outputs} outputs, but --labels has {len(labels)}; name one for each output")
    if not set(labels) & set(DIGITS):
        raise ConvertError(f"{path}: --labels has no digit; name the outputs that are digits 0 to 9")
    return labels


def _line(error: BaseException) -> str:
    """An error's text as one short line: of Keras's nested ones, the innermost, and without the tables it quotes."""
    text = one_line(error).rpartition("Exception encountered: ")[2]
    return QUOTED.split(text)[0][:120] or type(error).__name__
