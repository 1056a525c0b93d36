"""The commands of ``edge``: one module each, with its arguments and what it does."""
