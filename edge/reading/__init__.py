"""Read a frame: find and classify candidate digits, decide which are read, and the public ``Reader``."""
