"""The model: a .tflite classifier, its card, its trial, and the accepted models that are kept."""

from edge.model.classifier import Model

__all__ = ["Model"]
