"""What holds a device, a file or an interpreter is closed after use: ``with`` does it."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self


class Closing(Protocol):
    """Something with ``close()``, for ``with``."""

    def close(self) -> None:
        """Give back what is held; a second call does nothing."""
        ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
