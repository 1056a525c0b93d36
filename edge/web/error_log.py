"""Logs bugs of the web server, each only once."""

from __future__ import annotations

import logging
import traceback

log = logging.getLogger(__name__)


class ErrorLog:
    """Logs an unexpected error once for each place in the code: strangers may cause the same one again and again."""

    def __init__(self) -> None:
        self._logged: set[tuple[str, int | None]] = set()

    def log(self, action: str, error: BaseException) -> None:
        """Log an error; ``action`` is what was being done, such as "showing a view"."""
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = last.filename, last.lineno
        if place not in self._logged:
            self._logged.add(place)
            log.error("web: %s failed because of a bug in the program:", action, exc_info=error)
