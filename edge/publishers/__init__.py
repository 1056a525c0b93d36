"""Where readings go; ``open_publisher`` opens one by its URI: ``jsonl:-`` (stdout), ``jsonl:PATH``."""

from __future__ import annotations

from typing import Protocol

from edge import uri
from edge.closing import Closing
from edge.types import Message

SCHEMES = {
    "jsonl": "edge.publishers.jsonl:Jsonl",
}
"""scheme -> "module:Class"; the module is imported when its scheme is named."""


class Publisher(Closing, Protocol):
    """Takes readings and notices until it is closed."""

    def publish(self, message: Message) -> None:
        """Send one reading or notice; PublishError where it cannot be delivered."""
        ...

    def close(self) -> None:
        """Give the file or connection back; a second call does nothing."""
        ...


def open_publisher(text: str) -> Publisher:
    """Open the publisher that a URI names.

    SettingsError: no such scheme or option. PublishError: it cannot be opened.
    """
    publisher: Publisher = uri.open_uri(uri.split(text), SCHEMES, "publisher")
    return publisher
