"""The commands of ``edge``: a module each, which declares its arguments and runs it."""
