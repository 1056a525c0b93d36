"""Limits how many wrong tokens a client may try."""

from __future__ import annotations

import math

MAX_WRONG = 10
"""Wrong tokens that a client may send before it has to wait. Chosen: people mistype; a program guesses often."""
FORGIVEN_SECONDS = 6.0
"""Seconds after which one of them is forgiven. Chosen: the owner, who may share its address, waits no longer."""
MAX_CLIENTS = 1000
"""Clients that are remembered; of more, the one that is forgiven first is forgotten. Chosen: it bounds the memory."""


class Attempts:
    """Wrong tokens of each client. Times are of a clock that cannot jump, in seconds."""

    def __init__(self) -> None:
        self._forgiven: dict[str, float] = {}
        """When all wrong tokens of a client are forgiven."""

    def wait_seconds(self, client: str, now: float) -> int:
        """How long a client has to wait before its next wrong token is counted, in seconds; 0 if it need not."""
        wait = self._forgiven.get(client, 0.0) - now - (MAX_WRONG - 1) * FORGIVEN_SECONDS
        return max(0, math.ceil(wait))

    def add(self, client: str, now: float) -> None:
        """Count a wrong token."""
        self._forgiven[client] = max(now, self._forgiven.get(client, 0.0)) + FORGIVEN_SECONDS
        if len(self._forgiven) > MAX_CLIENTS:
            self._forgiven = {client: until for client, until in self._forgiven.items() if until > now}
        if len(self._forgiven) > MAX_CLIENTS:
            del self._forgiven[min(self._forgiven, key=self._forgiven.__getitem__)]
