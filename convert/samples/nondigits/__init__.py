"""Marks that are no single whole digit: what the model's class "none" is trained on."""

from convert.samples.nondigits.marks import nondigits

__all__ = ["nondigits"]
