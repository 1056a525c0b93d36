"""From a frame to a reading: candidates, the model's verdicts, and the public ``Reader``."""
