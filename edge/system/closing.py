"""Base class of everything with ``close()``, so that it works with ``with``."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self


class Closing(Protocol):
    """Something that holds a device, a file or an interpreter until ``close()``."""

    def close(self) -> None:
        """Release what is held; a second call does nothing."""
        ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
