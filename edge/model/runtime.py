"""The TFLite runtime: which one is installed, and what stands in where there is none.

The runtimes are imported only here.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.system.text import one_line

RUNTIMES = ("ai_edge_litert", "tflite_runtime")
"""Packages with TFLite's Interpreter, the preferred one first."""
STAND_IN = "numpy"
"""The name of ``edge.model.numpy_tflite``, which takes their place where neither is installed, as on a Pi Zero W."""
INFO_PREFIX = "INFO: "
"""The start of lines that the runtime's C++ code writes to stderr at each start, and that no setting turns off, such as
"INFO: Created TensorFlow Lite XNNPACK delegate for CPU."."""


def interpreter_class(runtime: str | None = None) -> Any:
    """TFLite's Interpreter, from the named runtime or STAND_IN; None: the first one installed, otherwise STAND_IN.

    Raises ModelError if the named one is not installed, or an installed one does not load.
    """
    for name in (runtime,) if runtime else (*RUNTIMES, STAND_IN):
        module = "edge.model.numpy_tflite" if name == STAND_IN else name
        try:
            return import_module(f"{module}.interpreter").Interpreter
        except ImportError as error:
            if not isinstance(error, ModuleNotFoundError) or (error.name or "").partition(".")[0] != name:
                why = one_line(error, 200)
                raise ModelError(f"{name}: is installed, but does not load ({why}); install it again") from error
    raise ModelError(f"no TFLite runtime ({runtime}); pip install ai-edge-litert")


def name_of(interpreter: Any) -> str:
    """The one of RUNTIMES and STAND_IN that this class is of."""
    package: str = interpreter.__module__.partition(".")[0]
    return STAND_IN if package == "edge" else package


def title_of(interpreter: Any) -> str:
    """The package and version that this class is of, such as ``ai-edge-litert 2.3.0``."""
    name = name_of(interpreter)
    if name == STAND_IN:
        return f"NumPy {np.__version__} in place of a TFLite runtime"
    package = name.replace("_", "-")
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return package


def refusal_of(interpreter: Any, why: str, otherwise: str) -> str:
    """That this class refuses a model, why, and what to do: the end of an error about a file.

    ``otherwise``: what to do if the class is not STAND_IN's.
    """
    if name_of(interpreter) == STAND_IN:
        advice = "use a simpler model, or a 64-bit system, for which there is a TFLite runtime"
        return f"NumPy, in place of a TFLite runtime, refuses it ({why}); {advice}"
    return f"the TFLite runtime refuses it ({why}); {otherwise}"


def run_each(
    interpreter: Any, first: dict[str, Any], last: dict[str, Any], images: NDArray[Any]
) -> NDArray[np.float32]:
    """What an interpreter of one image makes of images (n, …): its outputs (n, values).

    ``first`` and ``last``: the details of its one input and output. Raises ValueError and RuntimeError.
    """
    outputs = np.empty((len(images), int(np.prod(last["shape"][1:]))), np.float32)
    if name_of(type(interpreter)) == STAND_IN:
        # Several at once: otherwise most of the time goes into calls of NumPy.
        outputs[:] = interpreter.run_batch(images).reshape(outputs.shape)
        return outputs
    first_index, last_index = first["index"], last["index"]
    for i, image in enumerate(images):
        interpreter.set_tensor(first_index, image[None])
        interpreter.invoke()
        outputs[i] = interpreter.get_tensor(last_index).reshape(-1)
    return outputs
