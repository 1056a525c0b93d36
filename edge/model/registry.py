"""The registry of accepted models in the state folder: the current one, and the one before."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from edge.errors import StateError
from edge.model.card import read_card
from edge.system.files import read_json, read_small, write_atomically

INDEX = "kept.json"
"""The file that says which models are current and previous."""
MAX_BYTES = 64 * 2**20
"""A larger file is refused unread, in bytes: it is no model of digits (the packaged one has about 95 kB), and reading
it could use up the memory. Chosen."""
_OUR_FILES = re.compile(rf"[0-9a-f]{{64}}\.tflite|\.([0-9a-f]{{64}}\.tflite|{re.escape(INDEX)})\..+")
"""Names of files that the registry writes, temporary ones too; other files in its folder are left alone."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Which models were accepted, by their hashes; an empty string means none."""

    path: str = ""
    """The file that they were accepted from, an absolute path."""
    current: str = ""
    """sha256 of the model in use."""
    previous: str = ""
    """sha256 of the model before it, from the same path; or of ``given_up``, which was there after it."""
    given_up: str = ""
    """sha256 of a model from the same path that crashed the program again and again, until another one is accepted."""

    def with_model(self, path: str, digest: str) -> Accepted:
        """The same after a model with this hash was accepted from ``path``."""
        if path != self.path:
            # Never go back to a model of another path.
            return Accepted(path, digest)
        return self if digest == self.current else Accepted(path, digest, self.current)


class ModelRegistry:
    """The folder ``model`` in the state folder.

    A model's file name is its hash. ``kept.json`` says which models are current and previous. It is written last, so
    after a power loss at any time the models that it names are there and complete.
    """

    def __init__(self, folder: Path) -> None:
        """``folder`` is the state folder. Nothing is read or written yet."""
        self.folder = folder / "model"

    def read_index(self) -> Accepted:
        """The accepted models; none if there is no index. Raises StateError if the index cannot be read."""
        index = self.folder / INDEX
        try:
            fields = read_json(index)
        except FileNotFoundError:
            return Accepted()
        except OSError as error:
            raise StateError(f"{index}: cannot be read ({error.strerror}); use sudo") from error
        except ValueError as error:
            raise StateError(f"{index}: is damaged; remove it") from error
        names = Accepted.__dataclass_fields__
        # An index without ``given_up`` is from an earlier version.
        fields = {"given_up": "", **fields} if isinstance(fields, dict) else {}
        is_valid = all(isinstance(fields.get(name), str) for name in names)
        if not is_valid or any(not _is_hash(fields[name]) for name in names if name != "path"):
            raise StateError(f"{index}: is damaged; remove it")
        return Accepted(**{name: fields[name] for name in names})

    def content(self, digest: str) -> bytes:
        """The bytes of a stored model. Raises StateError if it is missing or damaged."""
        path = self._model_path(digest)
        try:
            content = read_small(path, MAX_BYTES)
        except OSError as error:
            raise StateError(f"{path}: cannot be read ({error.strerror})") from error
        except ValueError as error:
            raise StateError(f"{path}: is damaged ({error})") from error
        if sha256(content).hexdigest() != digest:
            raise StateError(f"{path}: is damaged (its sha256 is wrong)")
        return content

    def accept(self, path: Path, content: bytes) -> None:
        """Store this model as the current one, accepted from the file ``path``. Raises StateError."""
        try:
            before = self.read_index()
        except StateError:
            # A damaged index is replaced.
            before = Accepted()
        digest = sha256(content).hexdigest()
        now = before.with_model(str(path), digest)
        try:
            self.folder.mkdir(exist_ok=True)
            if not self._is_intact(digest):
                write_atomically(self._model_path(digest), content)
            if now != before:
                self._write_index(now)
            self._remove_unused(now)
        except OSError as error:
            raise StateError(
                f"{self.folder}: the model cannot be stored there ({error.strerror}); repair the disk, or name another"
                " folder with --state"
            ) from error

    def give_up(self, path: Path, content: bytes) -> bool:
        """Make the model before the current one, which crashes the program. Raises StateError.

        ``content`` is the model from the file ``path`` that crashes, which may not have been accepted yet. It is kept,
        so that ``rollback`` can put it back. False if there is no other model to use, and nothing was changed.
        """
        index, digest = self.read_index(), sha256(content).hexdigest()
        other = index.previous if digest == index.current else index.current
        if index.path != str(path) or other in ("", index.given_up) or not self._is_intact(other):
            return False
        try:
            if not self._is_intact(digest):
                write_atomically(self._model_path(digest), content)
            self._write_index(Accepted(index.path, other, digest, given_up=digest))
        except OSError as error:
            raise StateError(f"{self.folder / INDEX}: cannot be written ({error.strerror})") from error
        return True

    def _write_index(self, index: Accepted) -> None:
        write_atomically(self.folder / INDEX, json.dumps(asdict(index), indent=1).encode())

    def _model_path(self, digest: str) -> Path:
        return self.folder / f"{digest}.tflite"

    def _is_intact(self, digest: str) -> bool:
        try:
            self.content(digest)
        except StateError:
            return False
        return True

    def _remove_unused(self, index: Accepted) -> None:
        """Remove models that are neither current nor previous, and files that a power loss left half-written."""
        names = {INDEX, *(self._model_path(digest).name for digest in (index.current, index.previous))}
        for path in self.folder.iterdir():
            if _OUR_FILES.fullmatch(path.name) and path.name not in names:
                with contextlib.suppress(OSError):
                    path.unlink()


def rollback(folder: Path, setting: str) -> tuple[Path, str]:
    """Put an accepted model back at the path in the setting ``model``; gives the path, and the name of that model.

    If the file there is not the current model (it was refused, or is missing), the current model is put back; otherwise
    the previous one. ``folder`` is the state folder. Raises StateError, which says why nothing was done.
    """
    registry = ModelRegistry(folder)
    index = registry.read_index()
    if not setting:
        raise StateError(
            "the setting model is empty: the packaged model is in use, and there is no other to go back to"
        )
    # A service's relative path starts in its state folder. No other path of the index is used: the service's user can
    # write the index, and this may run as root.
    path = next((place for place in (Path(setting).absolute(), folder / setting) if str(place) == index.path), None)
    if path is None:
        raise StateError(
            f"{registry.folder}: no model was accepted as {setting} yet; for the service's models name its"
            " settings with --config"
        )
    try:
        is_current = path.is_file() and sha256(path.read_bytes()).hexdigest() == index.current
    except OSError:
        is_current = False
    if is_current and not index.previous:
        raise StateError(f"{path}: no other model was accepted before this one; nothing to go back to")
    digest = index.previous if is_current else index.current
    content = registry.content(digest)
    try:
        write_atomically(path, content, readable=True)
    except OSError as error:
        raise StateError(f"{path}: cannot be written ({error.strerror}); use sudo") from error
    card = read_card(content, str(path))
    return path, f"{card.name if card else path.stem} sha256:{digest[:12]}"


def _is_hash(text: str) -> bool:
    return not text or re.fullmatch("[0-9a-f]{64}", text) is not None
