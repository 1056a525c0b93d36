"""A second reader for pictures that are drawn or sent, so that the loop's reader is never shared."""

from __future__ import annotations

from edge.reading.reader import Analysis, Reader
from edge.system.closing import Closing
from edge.types import Frame
from edge.vision.settings import VisionSettings


class UploadReader(Closing):
    """Reads as the loop's reader does, in another thread. Only one thread may use it at a time."""

    def __init__(self, loop_reader: Reader) -> None:
        """``loop_reader`` is the loop's reader; whenever its model or settings change, this one follows."""
        self._loop_reader = loop_reader
        self._copied_model: object = None
        self._own: Reader | None = None

    def analyse(self, frame: Frame, vision: VisionSettings | None = None) -> Analysis:
        """Analyse a frame with the loop's settings, or with other ``vision`` settings."""
        reader = self._reader()
        wanted = vision or self._loop_reader.vision
        if reader.vision != wanted or reader.min_confidence != self._loop_reader.min_confidence:
            reader.configure(self._loop_reader.min_confidence, wanted)
        return reader.analyse(frame)

    def close(self) -> None:
        """Close the model."""
        if self._own:
            self._own.close()
        self._own = self._copied_model = None

    def _reader(self) -> Reader:
        if self._own is None or self._copied_model is not self._loop_reader.model:
            self.close()
            self._copied_model = self._loop_reader.model
            self._own = Reader(self._loop_reader.model.copy(), vision=self._loop_reader.vision)
        return self._own
