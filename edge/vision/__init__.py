"""Pure functions from grey pixels to glyphs: clean, segment, normalise. OpenCV and NumPy only; no state, no I/O."""
