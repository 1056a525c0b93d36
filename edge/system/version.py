"""The version of the package; declared only here."""

__version__ = "0.1.0"
