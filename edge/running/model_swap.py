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
from edge.model.trial import try_model
from edge.reading.reader import Reader
from edge.system import state_folder
from edge.system.closing import Closing
from edge.types import Notice

log = logging.getLogger(__name__)

CHECK_SECONDS = 1.0
"""So often is looked at the file; what is new there is tried once it has been the same for two looks."""
MAX_BYTES = 64 * 2**20
"""A larger file is no model of digits: it would take the memory of whoever reads it."""


class FileVersion(NamedTuple):
    """What tells one version of a file from another."""

    changed_ns: int
    size: int
    inode: int


class Outcome(NamedTuple):
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
        try_model: Callable[..., object] = try_model,
        check_seconds: float = CHECK_SECONDS,
    ) -> None:
        """Find the model to begin with: the file's, or where that is refused the one that was last accepted as it.

        ``folder`` is the setting ``state``. A file that was accepted before is not tried again. Raises ModelError
        where there is neither.
        """
        self.path = path.absolute()
        self._threads, self._try_model, self._check_seconds = threads, try_model, check_seconds
        self._registry = self._open_registry(folder)
        self._pending: deque[Outcome] = deque()
        self._check_requested = self._closed = False
        self._wake = threading.Event()
        self._reader: Reader | None = None
        self._refused = ""
        """The hash of what was refused last: the same again is no news."""
        self._handled = self._file_version()
        """The version of the file that was last dealt with,"""
        self._candidate: FileVersion | None = None
        """and one that may still be half-written."""
        self._missing = self._handled is None
        self.model = self._initial_model()
        """The model to begin with; then the newest that was handed over."""

    # --- at the start

    def _open_registry(self, folder: str) -> ModelRegistry | None:
        try:
            return ModelRegistry(state_folder.folder(folder))
        except StateError as error:
            log.warning("%s (until then no model is kept)", error)
            return None

    def _initial_model(self) -> Model:
        content, known = None, self._accepted_hash()
        try:
            content = self._read()
            if sha256(content).hexdigest() == known:
                return self._load(content)
            model = self._accept(content)
        except ModelError as error:
            kept = self._last_accept(known)
            if kept is None:
                raise
            self._refuse(content, error)
            return kept
        if known:
            self._pending.append(Outcome(_notice("accepted", model.name, None)))
        return model

    def _accepted_hash(self) -> str:
        """The hash of what was last accepted as this file."""
        try:
            kept = self._registry.read_index() if self._registry else None
        except StateError as error:
            log.warning("%s", error)
            return ""
        return kept.current if kept and kept.path == str(self.path) else ""

    def _last_accept(self, digest: str) -> Model | None:
        try:
            return self._load(self._registry.content(digest)) if self._registry and digest else None
        except (StateError, ModelError) as error:
            log.warning("%s", error)
            return None

    # --- for the loop

    def start(self, reader: Reader) -> None:
        """From now on watch the file for this reader, which reads with ``model``."""
        self._reader = reader
        threading.Thread(target=self._watch, name="model", daemon=True).start()

    def apply_pending(self) -> tuple[Notice, ...]:
        """For the loop, between two frames: takes the new model where there is one, and gives what is to be told."""
        if not self._pending:
            return ()
        told = []
        while self._pending:
            notice, model = self._pending.popleft()
            told.append(notice)
            if model and self._reader:
                before = self._reader.model
                self._reader.use_model(model)
                before.close()
        return tuple(told)

    def request_check(self) -> None:
        """FileVersion at the file even where it did not change. It only sets a flag: a signal handler may call it."""
        self._check_requested = True

    def close(self) -> None:
        """Watch no longer. A trial under way ends by itself."""
        self._closed = True
        self._wake.set()

    # --- the thread

    def _watch(self) -> None:
        while not self._wake.wait(self._check_seconds):
            try:
                self.step()
            except Exception:
                # A model that reads matters more than a new one.
                log.exception("%s: not looked at", self.path)

    def step(self) -> None:
        """One look at the file, and all that follows from it."""
        asked, self._check_requested = self._check_requested, False
        look = self._file_version()
        if look is None:
            if not self._missing or asked:
                log.warning("%s: is gone; %s reads on", self.path, self.model.name)
            self._missing = True
            self._candidate = None
            # What comes back, and be it the same version, is dealt with.
            self._handled = None
            return
        self._missing = False
        if not asked and look == self._handled:
            self._candidate = None
            return
        if not asked and look != self._candidate:
            self._candidate = look
            return
        self._handled, self._candidate = look, None
        self._handle(asked)

    def _handle(self, asked: bool) -> None:
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
            model = self._accept(content)
        except ModelError as error:
            if not self._closed:
                self._refuse(content, error)
            return
        self.model, self._refused = model, ""
        self._pending.append(Outcome(_notice("accepted", model.name, None), model))
        log.warning("%s: %s reads from now on", self.path, model.name)

    def _accept(self, content: bytes) -> Model:
        """Tried, loaded, warm and kept. Raises ModelError."""
        self._try_model(content, str(self.path), threads=self._threads or 1)
        model = self._load(content)
        if self._registry:
            try:
                self._registry.accept(self.path, content)
            except StateError as error:
                log.warning("%s", error)
        return model

    def _refuse(self, content: bytes | None, error: ModelError) -> None:
        name = self.path.name
        if content is not None:
            self._refused = sha256(content).hexdigest()
            name = f"{self.path.stem} sha256:{self._refused[:12]}"
        log.warning("%s (the model before reads on)", error)
        self._pending.append(Outcome(_notice("refused", name, str(error))))

    def _load(self, content: bytes) -> Model:
        model = Model(self.path, threads=self._threads, content=content)
        # The first inference takes longer than those after it.
        model.predict(np.zeros((1, 28, 28), np.uint8))
        return model

    def _file_version(self) -> FileVersion | None:
        """Which version of the file there is; None where there is none."""
        try:
            said = self.path.stat()
        except OSError:
            return None
        return FileVersion(said.st_mtime_ns, said.st_size, said.st_ino)

    def _read(self) -> bytes:
        """The file's bytes, read once. Raises ModelError."""
        try:
            said = self.path.stat()
            if stat.S_ISREG(said.st_mode) and said.st_size <= MAX_BYTES:
                return self.path.read_bytes()
        except FileNotFoundError as error:
            raise ModelError(f"{self.path}: no such file; make one with edge-convert MODEL.h5") from error
        except OSError as error:
            raise ModelError(f"{self.path}: cannot be read ({error.strerror}); name a .tflite file") from error
        what = f"is larger than {MAX_BYTES // 2**20} MiB" if stat.S_ISREG(said.st_mode) else "is no file"
        raise ModelError(f"{self.path}: {what}; make a model with edge-convert MODEL.h5")


def _notice(outcome: str, name: str, reason: str | None) -> Notice:
    return Notice("model", outcome, name, datetime.now(UTC), reason)
