"""How long a test waits before it gives up: where a machine is slow or emulated, EDGE_PATIENCE times as long."""

import os

TIMES = float(os.environ.get("EDGE_PATIENCE", "1"))


def patience(seconds: float) -> float:
    """So many seconds of a usual machine."""
    return seconds * TIMES
