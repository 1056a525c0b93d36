"""Where readings go; ``open_publisher`` opens one by its URI: ``jsonl:-`` (stdout), ``jsonl:PATH``."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from edge import uri
from edge.types import Reading

SCHEMES = {
    "jsonl": "edge.publishers.jsonl:Jsonl",
}
"""scheme -> "module:Class"; the module is imported when its scheme is named."""


class Publisher(Protocol):
    """Takes readings until it is closed."""

    def publish(self, reading: Reading) -> None:
        """Send one reading; PublishError where it cannot be delivered."""
        ...

    def close(self) -> None:
        """Give the file or connection back; a second call does nothing."""
        ...

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()


def open_publisher(text: str) -> Publisher:
    """Open the publisher that a URI names.

    SettingsError: no such scheme or option. PublishError: it cannot be opened.
    """
    publisher: Publisher = uri.open_uri(uri.split(text), SCHEMES, "publisher")
    return publisher
