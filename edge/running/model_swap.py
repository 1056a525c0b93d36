"""The model of a running loop, changed for another one between two frames.

A thread watches the model's file. What is new there is read once, tried in a process of its own, loaded beside the
model that reads, and handed to the loop, which takes it between two frames and never waits for any of this.
"""

from __future__ import annotations

import logging
import stat
import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np

from edge.errors import ModelError, StateError
from edge.model.classifier import Model
from edge.model.registry import ModelRegistry
from edge.model.trial import trial
from edge.reading.reader import Reader
from edge.system import state_folder
from edge.system.closing import Closing
from edge.types import Notice

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""So often is looked at the file; what is new there is tried once it has been the same for two looks."""
MOST_BYTES = 64 * 2**20
"""A larger file is no model of digits: it would take the memory of whoever reads it."""


class Look(NamedTuple):
    """What tells one version of a file from another."""

    changed_ns: int
    size: int
    inode: int


class Arrived(NamedTuple):
    """What has become of a new file: a model to take, or only what is to be told."""

    notice: Notice
    model: Model | None = None


class ModelSwap(Closing):
    """Keeps watch over the file at ``path``, and over the model that was accepted as it."""

    def __init__(
        self,
        path: Path,
        *,
        folder: str = "",
        threads: int = 1,
        tries: Callable[..., object] = trial,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        """Find the model to begin with: the file's, or where that is refused the one that was last accepted as it.

        ``folder`` is the setting ``state``. A file that was accepted before is not tried again. Raises ModelError
        where there is neither.
        """
        self.path = path.absolute()
        self._threads, self._tries, self._look_seconds = threads, tries, look_seconds
        self._shelf = self._opened(folder)
        self._arrived: deque[Arrived] = deque()
        self._asked = self._closed = False
        self._wake = threading.Event()
        self._reader: Reader | None = None
        self._refused = ""
        """The hash of what was refused last: the same again is no news."""
        self._seen = self._look()
        """The version of the file that was last dealt with,"""
        self._candidate: Look | None = None
        """and one that may still be half-written."""
        self._gone = self._seen is None
        self.model = self._first()
        """The model to begin with; then the newest that was handed over."""

    # --- at the start

    def _opened(self, folder: str) -> ModelRegistry | None:
        try:
            return ModelRegistry(state_folder.folder(folder))
        except StateError as error:
            log.warning("%s (until then no model is kept)", error)
            return None

    def _first(self) -> Model:
        content, known = None, self._known()
        try:
            content = self._read()
            if sha256(content).hexdigest() == known:
                return self._loaded(content)
            model = self._accepted(content)
        except ModelError as error:
            kept = self._kept(known)
            if kept is None:
                raise
            self._refuse(content, error)
            return kept
        if known:
            self._arrived.append(Arrived(_notice("accepted", model.name, None)))
        return model

    def _known(self) -> str:
        """The hash of what was last accepted as this file."""
        try:
            kept = self._shelf.look() if self._shelf else None
        except StateError as error:
            log.warning("%s", error)
            return ""
        return kept.current if kept and kept.path == str(self.path) else ""

    def _kept(self, digest: str) -> Model | None:
        try:
            return self._loaded(self._shelf.content(digest)) if self._shelf and digest else None
        except (StateError, ModelError) as error:
            log.warning("%s", error)
            return None

    # --- for the loop

    def serve(self, reader: Reader) -> None:
        """From now on watch the file for this reader, which reads with ``model``."""
        self._reader = reader
        threading.Thread(target=self._watch, name="model", daemon=True).start()

    def between(self) -> tuple[Notice, ...]:
        """For the loop, between two frames: takes the new model where there is one, and gives what is to be told."""
        if not self._arrived:
            return ()
        told = []
        while self._arrived:
            notice, model = self._arrived.popleft()
            told.append(notice)
            if model and self._reader:
                before = self._reader.model
                self._reader.use(model)
                before.close()
        return tuple(told)

    def again(self) -> None:
        """Look at the file even where it did not change. It only sets a flag: a signal handler may call it."""
        self._asked = True

    def close(self) -> None:
        """Watch no longer. A trial under way ends by itself."""
        self._closed = True
        self._wake.set()

    # --- the thread

    def _watch(self) -> None:
        while not self._wake.wait(self._look_seconds):
            try:
                self.step()
            except Exception:
                # A model that reads matters more than a new one.
                log.exception("%s: not looked at", self.path)

    def step(self) -> None:
        """One look at the file, and all that follows from it."""
        asked, self._asked = self._asked, False
        look = self._look()
        if look is None:
            if not self._gone or asked:
                log.warning("%s: is gone; %s reads on", self.path, self.model.name)
            self._gone = True
            self._candidate = None
            # What comes back, and be it the same version, is dealt with.
            self._seen = None
            return
        self._gone = False
        if not asked and look == self._seen:
            self._candidate = None
            return
        if not asked and look != self._candidate:
            self._candidate = look
            return
        self._seen, self._candidate = look, None
        self._deal_with(asked)

    def _deal_with(self, asked: bool) -> None:
        content = None
        try:
            content = self._read()
            digest = sha256(content).hexdigest()
            if digest == self.model.sha256:
                self._refused = ""
                if asked:
                    log.warning("%s: nothing new, %s reads on", self.path, self.model.name)
                return
            if digest == self._refused and not asked:
                return
            model = self._accepted(content)
        except ModelError as error:
            if not self._closed:
                self._refuse(content, error)
            return
        self.model, self._refused = model, ""
        self._arrived.append(Arrived(_notice("accepted", model.name, None), model))
        log.warning("%s: %s reads from now on", self.path, model.name)

    def _accepted(self, content: bytes) -> Model:
        """Tried, loaded, warm and kept. Raises ModelError."""
        self._tries(content, str(self.path), threads=self._threads or 1)
        model = self._loaded(content)
        if self._shelf:
            try:
                self._shelf.accept(self.path, content)
            except StateError as error:
                log.warning("%s", error)
        return model

    def _refuse(self, content: bytes | None, error: ModelError) -> None:
        name = self.path.name
        if content is not None:
            self._refused = sha256(content).hexdigest()
            name = f"{self.path.stem} sha256:{self._refused[:12]}"
        log.warning("%s (the model before reads on)", error)
        self._arrived.append(Arrived(_notice("refused", name, str(error))))

    def _loaded(self, content: bytes) -> Model:
        model = Model(self.path, threads=self._threads, content=content)
        # The first inference takes longer than those after it.
        model.predict(np.zeros((1, 28, 28), np.uint8))
        return model

    def _look(self) -> Look | None:
        """Which version of the file there is; None where there is none."""
        try:
            said = self.path.stat()
        except OSError:
            return None
        return Look(said.st_mtime_ns, said.st_size, said.st_ino)

    def _read(self) -> bytes:
        """The file's bytes, read once. Raises ModelError."""
        try:
            said = self.path.stat()
            if stat.S_ISREG(said.st_mode) and said.st_size <= MOST_BYTES:
                return self.path.read_bytes()
        except FileNotFoundError as error:
            raise ModelError(f"{self.path}: no such file; make one with edge-convert MODEL.h5") from error
        except OSError as error:
            raise ModelError(f"{self.path}: cannot be read ({error.strerror}); name a .tflite file") from error
        what = f"is larger than {MOST_BYTES // 2**20} MiB" if stat.S_ISREG(said.st_mode) else "is no file"
        raise ModelError(f"{self.path}: {what}; make a model with edge-convert MODEL.h5")


def _notice(outcome: str, name: str, reason: str | None) -> Notice:
    return Notice("model", outcome, name, datetime.now(UTC), reason)
