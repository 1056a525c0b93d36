"""What goes wrong here and should not."""

from __future__ import annotations

import logging
import traceback

log = logging.getLogger(__name__)


class ErrorLog:
    """Said once for each place in the program where it happens: strangers may bring it about again and again."""

    def __init__(self) -> None:
        self._said: set[tuple[str, int | None]] = set()

    def say(self, what: str, error: BaseException) -> None:
        """``what`` was being done when the error came."""
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = last.filename, last.lineno
        if place not in self._said:
            self._said.add(place)
            log.error("web: %s went wrong, which is a mistake in the program:", what, exc_info=error)
