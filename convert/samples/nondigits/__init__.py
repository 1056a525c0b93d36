"""Generate marks that are not single complete digits, to train the class "none" on."""

from convert.samples.nondigits.marks import nondigits

__all__ = ["nondigits"]
