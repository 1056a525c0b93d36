"""The model: a .tflite classifier, its card, its trial, and the registry of accepted models."""

from edge.model.classifier import Model

__all__ = ["Model"]
