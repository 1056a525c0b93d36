"""A reader of the page's own: what is drawn or sent goes through the very same code, and never through the loop's."""

from __future__ import annotations

from edge.reading.reader import Analysis, Reader
from edge.system.closing import Closing
from edge.types import Frame
from edge.vision.settings import VisionSettings


class UploadReader(Closing):
    """For one thread at a time, which is not the loop's: an interpreter is nobody else's while it works."""

    def __init__(self, loop: Reader) -> None:
        """``loop`` is the loop's reader: its model and its settings are this one's, whatever becomes of them."""
        self._loop = loop
        self._of: object = None
        self._own: Reader | None = None

    def analyse(self, frame: Frame, vision: VisionSettings | None = None) -> Analysis:
        """What is seen in a frame, cleaned as the loop does it or by another vision."""
        reader = self._reader()
        wanted = vision or self._loop.vision
        if reader.vision != wanted or reader.min_confidence != self._loop.min_confidence:
            reader.configure(self._loop.min_confidence, wanted)
        return reader.analyse(frame)

    def close(self) -> None:
        """Let go of the model."""
        if self._own:
            self._own.close()
        self._own = self._of = None

    def _reader(self) -> Reader:
        if self._own is None or self._of is not self._loop.model:
            self.close()
            self._of = self._loop.model
            self._own = Reader(self._loop.model.copy(), vision=self._loop.vision)
        return self._own
