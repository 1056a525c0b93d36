"""The models that were accepted, kept in the state folder: the one that reads now, and the one before."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from edge.errors import StateError
from edge.model.card import read_card
from edge.system.files import write_atomically

INDEX = "kept.json"
_OURS = re.compile(rf"[0-9a-f]{{64}}\.tflite|\.([0-9a-f]{{64}}\.tflite|{re.escape(INDEX)})\..+")
"""Names that files of this room have; others in its folder are somebody else's."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What is kept, by its hash; empty where there is none."""

    path: str = ""
    """The file it was accepted as, absolute."""
    current: str = ""
    """sha256 of the model that reads now."""
    previous: str = ""
    """sha256 of the one before, accepted as the same file."""

    def with_model(self, path: str, digest: str) -> Accepted:
        """What is kept once a model of this hash was accepted as ``path``."""
        if path != self.path:
            # Another file's models are none to go back to.
            return Accepted(path, digest)
        return self if digest == self.current else Accepted(path, digest, self.current)


class ModelRegistry:
    """The folder ``model`` in the state folder.

    Models lie in it under their hashes; ``kept.json`` says which are meant, and is written last: after a power loss at
    any moment it names models that are there, whole.
    """

    def __init__(self, folder: Path) -> None:
        """``folder`` is the state folder; nothing is touched yet."""
        self.folder = folder / "model"

    def read_index(self) -> Accepted:
        """What is kept; nothing where there is no index. Raises StateError where it cannot be read."""
        index = self.folder / INDEX
        try:
            said = json.loads(index.read_bytes())
        except FileNotFoundError:
            return Accepted()
        except OSError as error:
            raise StateError(f"{index}: cannot be read ({error.strerror}); use sudo") from error
        except ValueError as error:
            raise StateError(f"{index}: is damaged; remove it") from error
        fits = isinstance(said, dict) and all(isinstance(said.get(name), str) for name in Accepted.__dataclass_fields__)
        if not fits or any(not _is_hash(said[name]) for name in ("current", "previous")):
            raise StateError(f"{index}: is damaged; remove it")
        return Accepted(**{name: said[name] for name in Accepted.__dataclass_fields__})

    def content(self, digest: str) -> bytes:
        """A kept model's bytes. Raises StateError where it is not there, or no longer what it was."""
        path = self._model_path(digest)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise StateError(f"{path}: cannot be read ({error.strerror})") from error
        if sha256(content).hexdigest() != digest:
            raise StateError(f"{path}: is damaged (its sha256 is another)")
        return content

    def accept(self, path: Path, content: bytes) -> None:
        """Keep this as the model that reads now, accepted as the file ``path``. Raises StateError."""
        try:
            before = self.read_index()
        except StateError:
            # What is damaged is begun anew.
            before = Accepted()
        digest = sha256(content).hexdigest()
        now = before.with_model(str(path), digest)
        try:
            self.folder.mkdir(exist_ok=True)
            if not self._is_intact(digest):
                write_atomically(self._model_path(digest), content)
            if now != before:
                write_atomically(self.folder / INDEX, json.dumps(asdict(now), indent=1).encode())
            self._remove_unused(now)
        except OSError as error:
            raise StateError(
                f"{self.folder}: the model is not kept there ({error.strerror}); mend the disk, or name another folder"
                " with --state"
            ) from error

    def _model_path(self, digest: str) -> Path:
        return self.folder / f"{digest}.tflite"

    def _is_intact(self, digest: str) -> bool:
        try:
            self.content(digest)
        except StateError:
            return False
        return True

    def _remove_unused(self, kept: Accepted) -> None:
        """Take away what is kept no longer, and what a power loss left half-written."""
        names = {INDEX, *(self._model_path(digest).name for digest in (kept.current, kept.previous))}
        for path in self.folder.iterdir():
            if _OURS.fullmatch(path.name) and path.name not in names:
                with contextlib.suppress(OSError):
                    path.unlink()


def rollback(folder: Path, setting: str) -> tuple[Path, str]:
    """Put the model before back at the file that the setting ``model`` names: which file, and what is there now.

    Where the file is not the model that reads now (it was refused, or is gone), that one is put back; else the one
    before it. ``folder`` is the state folder. Raises StateError, which says why nothing was done.
    """
    registry = ModelRegistry(folder)
    kept = registry.read_index()
    if not setting:
        raise StateError("the setting model is empty: the package's own model reads, and nothing else to go back to")
    # A service's relative paths begin in its state folder; only these two places, as its index is its user's to write.
    path = next((place for place in (Path(setting).absolute(), folder / setting) if str(place) == kept.path), None)
    if path is None:
        raise StateError(
            f"{registry.folder}: no model was accepted as {setting} yet; for the service's models name its"
            " settings with --config"
        )
    try:
        there = path.is_file() and sha256(path.read_bytes()).hexdigest() == kept.current
    except OSError:
        there = False
    if there and not kept.previous:
        raise StateError(f"{path}: no other model was accepted before this one; nothing to go back to")
    digest = kept.previous if there else kept.current
    content = registry.content(digest)
    try:
        write_atomically(path, content, readable=True)
    except OSError as error:
        raise StateError(f"{path}: cannot be written ({error.strerror}); use sudo") from error
    card = read_card(content, str(path))
    return path, f"{card.name if card else path.stem} sha256:{digest[:12]}"


def _is_hash(text: str) -> bool:
    return not text or re.fullmatch("[0-9a-f]{64}", text) is not None
