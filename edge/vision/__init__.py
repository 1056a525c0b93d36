"""Image processing from grey pixels to glyphs: clean, segment, normalise. Pure functions, OpenCV and NumPy, no I/O."""
