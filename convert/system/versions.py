"""The versions of what a file is made with."""

from __future__ import annotations


def versions() -> dict[str, str]:
    """Of TensorFlow, Keras and this project."""
    import keras
    import tensorflow as tf

    from edge.system.version import __version__

    return {"tensorflow": tf.__version__, "keras": keras.__version__, "edge-digits": __version__}
