"""Read a frame: classify candidate digits, reject what is no digit, and the public ``Reader``."""
