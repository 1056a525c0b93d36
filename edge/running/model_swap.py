"""Replaces the model of a running loop when its file changes.

A thread checks the model's file. A new file is read once, tried in a process of its own, and loaded beside the model in
use. The loop takes the new model between two frames, and never waits for any of this.
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
from edge.model.classifier import MAKE_ONE, Model
from edge.model.crash_count import MOST_CRASHES, CrashCount
from edge.model.registry import MAX_BYTES, Accepted, ModelRegistry
from edge.model.trial import try_model
from edge.reading.reader import Reader
from edge.system import state_folder
from edge.system.closing import Closing
from edge.types import Notice

log = logging.getLogger(__name__)

CHECK_SECONDS = 1.0
"""How often the file is checked, in seconds. A new file is tried when two checks in a row find the same version, so a
file that is still being copied is not tried. Chosen."""
FRESH_SECONDS = 5.0
"""The loop works if a frame came within so many seconds. Chosen: well below the watchdog's 30 s."""


class FileVersion(NamedTuple):
    """What identifies one version of a file."""

    changed_ns: int
    size: int
    inode: int


class Outcome(NamedTuple):
    """What came of a new file: a notice, and a model to use if it was accepted while the loop runs."""

    notice: Notice
    model: Model | None = None


class ModelSwap(Closing):
    """Watches the model file at ``path``, and falls back to the last model that was accepted from there."""

    def __init__(
        self,
        path: Path,
        *,
        folder: str = "",
        threads: int = 1,
        try_model: Callable[..., object] = try_model,
        check_seconds: float = CHECK_SECONDS,
    ) -> None:
        """Load the first model: the file's, or if that is refused the last one that was accepted from this path.

        ``folder`` is the setting ``state``. A file that was accepted before is not tried again. Raises ModelError if
        there is no usable model.
        """
        self.path = path.absolute()
        self._threads, self._try_model, self._check_seconds = threads, try_model, check_seconds
        self._registry = self._open_registry(folder)
        self._crashes = CrashCount(self._registry.folder if self._registry else None)
        self._frame_age: Callable[[], float | None] = lambda: None
        self._pending: deque[Outcome] = deque()
        self._check_requested = self._closed = False
        self._wake = threading.Event()
        self._reader: Reader | None = None
        self._refused = ""
        """The hash of the file that was refused last; the same file is not reported again."""
        self._handled = self._file_version()
        """The version of the file that was handled last."""
        self._candidate: FileVersion | None = None
        """A new version, seen once: it may be half-written."""
        self._missing = self._handled is None
        self.model = self._first_model()
        """The newest accepted model; the loop may not use it yet."""

    # --- at the start

    def _open_registry(self, folder: str) -> ModelRegistry | None:
        try:
            return ModelRegistry(state_folder.create(folder))
        except StateError as error:
            log.warning("%s (until then no model is kept)", error)
            return None

    def _first_model(self) -> Model:
        content, accepted = None, self._index().current
        try:
            content = self._read()
            digest = sha256(content).hexdigest()
            self._refuse_if_given_up(content, digest)
            if digest == accepted:
                return self._load(content)
            model = self._accept(content)
        except ModelError as error:
            accepted = self._index().current
            if accepted and (crashes := self._crashes.of(accepted)) >= MOST_CRASHES:
                log.warning("%s: the model before it has crashed the program %d times, too", self.path, crashes)
            last = self._load_accepted(accepted)
            if last is None:
                raise
            self._refuse(content, error)
            return last
        if accepted:
            self._pending.append(Outcome(_notice("accepted", model.name, None)))
        return model

    def _index(self) -> Accepted:
        """Which models were accepted from this path; none if the registry cannot be used."""
        try:
            index = self._registry.read_index() if self._registry else Accepted()
        except StateError as error:
            log.warning("%s", error)
            return Accepted()
        return index if index.path == str(self.path) else Accepted()

    def _refuse_if_given_up(self, content: bytes, digest: str) -> None:
        """Raise ModelError if the program crashed too often with this model, and there is another one to use."""
        crashes = self._crashes.of(digest)
        if self._registry and crashes >= MOST_CRASHES:
            try:
                if not self._registry.give_up(self.path, content):
                    log.warning("%s: crashed the program %d times, and there is no model before it", self.path, crashes)
            except StateError as error:
                log.warning("%s", error)
        if digest == self._index().given_up:
            raise ModelError(f"{self.path}: crashed the program {MOST_CRASHES} times in a row; put another model there")

    def _load_accepted(self, digest: str) -> Model | None:
        try:
            return self._load(self._registry.content(digest)) if self._registry and digest else None
        except (StateError, ModelError) as error:
            log.warning("%s", error)
            return None

    # --- for the loop

    def start(self, reader: Reader, frame_age: Callable[[], float | None] = lambda: None) -> None:
        """Start watching the file for this reader, which uses ``model``; call it right before the loop.

        ``frame_age`` gives the seconds since the newest frame came, or None.
        """
        self._reader, self._frame_age = reader, frame_age
        threading.Thread(target=self._watch, name="model", daemon=True).start()

    def apply_pending(self) -> tuple[Notice, ...]:
        """Give the reader the new model, if there is one, and return the notices. The loop calls it between frames."""
        if not self._pending:
            return ()
        notices = []
        while self._pending:
            notice, model = self._pending.popleft()
            notices.append(notice)
            if model and self._reader:
                before = self._reader.model
                self._reader.use_model(model)
                before.close()
        return tuple(notices)

    def request_check(self) -> None:
        """Check the file soon, even if it did not change. This only sets a flag: a signal handler may call it."""
        self._check_requested = True

    def loop_ended(self) -> None:
        """The loop has ended, and not because of the model: this run does not count as a crash."""
        self._crashes.end()

    def close(self) -> None:
        """Stop watching. A trial that is running ends by itself."""
        self._closed = True
        self._wake.set()
        if self._reader is None:
            # The loop never began: something else could not be opened.
            self._crashes.end()
        self._crashes.close()

    # --- the thread

    def _watch(self) -> None:
        while not self._wake.wait(self._check_seconds):
            age = self._frame_age()
            if age is not None and age < FRESH_SECONDS:
                self._crashes.count_healthy(self._check_seconds)
            try:
                self.step()
            except Exception:
                # The model in use matters more than a new one: go on.
                log.exception("%s: could not be checked", self.path)

    def step(self) -> None:
        """Check the file once, and try it if it is a new version."""
        requested, self._check_requested = self._check_requested, False
        version = self._file_version()
        if version is None:
            if not self._missing or requested:
                log.warning("%s: is missing; still using %s", self.path, self.model.name)
            self._missing = True
            self._candidate = None
            # A file that comes back is handled again, even if it is the same version.
            self._handled = None
            return
        self._missing = False
        if not requested and version == self._handled:
            self._candidate = None
            return
        if not requested and version != self._candidate:
            self._candidate = version
            return
        self._handled, self._candidate = version, None
        self._handle(requested)

    def _handle(self, requested: bool) -> None:
        content = None
        try:
            content = self._read()
            digest = sha256(content).hexdigest()
            if digest == self.model.sha256:
                self._refused = ""
                if requested:
                    log.warning("%s: unchanged, still using %s", self.path, self.model.name)
                return
            if digest == self._refused and not requested:
                return
            model = self._accept(content)
        except ModelError as error:
            if not self._closed:
                self._crashes.begin(self.model.sha256)
                self._refuse(content, error)
            return
        self.model, self._refused = model, ""
        self._pending.append(Outcome(_notice("accepted", model.name, None), model))
        log.warning("%s: now using %s", self.path, model.name)

    def _accept(self, content: bytes) -> Model:
        """Try a model, load it, run it once, and store it in the registry. Raises ModelError if it is refused."""
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
        log.warning("%s (still using the model before)", error)
        self._pending.append(Outcome(_notice("refused", name, str(error))))

    def _load(self, content: bytes) -> Model:
        self._crashes.begin(sha256(content).hexdigest())
        model = Model(self.path, threads=self._threads, content=content)
        # The first inference is slower than later ones: do it here, not in the loop.
        model.predict(np.zeros((1, 28, 28), np.uint8))
        return model

    def _file_version(self) -> FileVersion | None:
        """The version of the file that is there now; None if there is none."""
        try:
            status = self.path.stat()
        except OSError:
            return None
        return FileVersion(status.st_mtime_ns, status.st_size, status.st_ino)

    def _read(self) -> bytes:
        """The file's bytes, read once. Raises ModelError."""
        try:
            status = self.path.stat()
            if stat.S_ISREG(status.st_mode) and status.st_size <= MAX_BYTES:
                return self.path.read_bytes()
        except FileNotFoundError as error:
            raise ModelError(f"{self.path}: no such file; {MAKE_ONE}") from error
        except OSError as error:
            raise ModelError(f"{self.path}: cannot be read ({error.strerror}); name a .tflite file") from error
        what = f"is larger than {MAX_BYTES // 2**20} MiB" if stat.S_ISREG(status.st_mode) else "is not a file"
        raise ModelError(f"{self.path}: {what}; make a model with edge-convert MODEL.h5")


def _notice(outcome: str, name: str, reason: str | None) -> Notice:
    return Notice("model", outcome, name, datetime.now(UTC), reason)
