"""What the live page saved in place of ``[vision]``: a TOML file in the state folder, and the one before it."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge.errors import SettingsError, StateError
from edge.settings import checked_vision
from edge.system.files import write_atomically
from edge.system.state_folder import folder, place
from edge.types import timestamp
from edge.vision.settings import VisionSettings

SAVED_FILE, PREVIOUS_FILE = "vision.toml", "vision.before.toml"
"""Their names in the state folder."""
ASIDE_FILE = "vision.aside.toml"
"""While another one takes its place, what was in SAVED_FILE: a power cut may leave it."""
HEAD = (
    "# Saved on the live page, {}. It stands in place of [vision] in the settings;\n# remove this file to have those.\n"
)


class SavedVision:
    """The vision to read by: what a flag or the environment says, or else what was saved, or else the settings."""

    def __init__(self, setting: str, configured: VisionSettings, pinned: Iterable[str] = ()) -> None:
        """``setting`` is the setting ``state``, ``configured`` what the settings say of the vision.

        Fields named in ``pinned`` are as configured whatever was saved.
        """
        self._setting = setting
        self.configured = configured
        """What the settings say."""
        self.pinned = frozenset(pinned)
        """What a flag or the environment says: nothing that is saved changes it."""

    @property
    def path(self) -> Path:
        """The file that is saved to. Raises StateError where there is no place for it."""
        return place(self._setting) / SAVED_FILE

    def vision(self) -> VisionSettings:
        """What to read by. Raises StateError where what was saved cannot be read."""
        return self._checked(self._read(self.path)) if self.is_saved() else self.configured

    def is_saved(self) -> bool:
        """Whether anything is."""
        return self._exists(SAVED_FILE)

    def has_previous(self) -> bool:
        """Whether there is anything to go back to."""
        return any(self._exists(name) for name in (SAVED_FILE, PREVIOUS_FILE, ASIDE_FILE))

    def with_values(self, values: Mapping[str, Any], base: VisionSettings) -> VisionSettings:
        """``base`` with other ``values``, names and values as in the TOML, checked. Raises SettingsError."""
        return self._checked({**dataclasses.asdict(base), **values})

    def save(self, vision: VisionSettings) -> None:
        """Keep it, and what was there as the one before. Raises StateError."""
        fields = dataclasses.asdict(vision)
        # JSON's numbers, words and truth are TOML's too.
        text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in fields.items())
        self._replace(f"{HEAD.format(timestamp(datetime.now(UTC)))}\n[vision]\n{text}".encode())

    def restore_previous(self) -> VisionSettings:
        """The one before is put back; again: the newer one. Where none was saved before, that is the settings' own.

        Raises StateError, also where what was before is damaged: then nothing has changed.
        """
        before = self.path.with_name(PREVIOUS_FILE)
        self._finish_interrupted_save()
        vision = self._checked(self._read(before))
        self._replace(_bytes(before))
        return vision

    def _replace(self, content: bytes | None) -> None:
        path = folder(self._setting) / SAVED_FILE
        aside = path.with_name(ASIDE_FILE)
        self._finish_interrupted_save()
        try:
            # The one before is given up last, when both others are on the disk.
            _put(aside, _bytes(path))
            _put(path, content)
            _move(aside, path.with_name(PREVIOUS_FILE))
        except OSError as error:
            raise StateError(f"{path}: cannot be written ({error.strerror})") from error

    def _finish_interrupted_save(self) -> None:
        """End what a power cut ended too early: what lies aside is the one before, once another took its place."""
        path = self.path
        aside = path.with_name(ASIDE_FILE)
        try:
            if (content := _bytes(aside)) is not None and content != _bytes(path):
                _move(aside, path.with_name(PREVIOUS_FILE))
        except OSError as error:
            raise StateError(f"{path}: cannot be written ({error.strerror})") from error

    def _exists(self, name: str) -> bool:
        try:
            return (place(self._setting) / name).exists()
        # No place, or one where this user may not look.
        except (StateError, OSError):
            return False

    def _checked(self, values: Mapping[str, Any]) -> VisionSettings:
        fixed = {name: getattr(self.configured, name) for name in self.pinned}
        return checked_vision({**dataclasses.asdict(self.configured), **values, **fixed})

    def _read(self, path: Path) -> Mapping[str, Any]:
        try:
            content = _bytes(path)
            said = tomllib.loads(content.decode()).get("vision") if content is not None else {}
            if not isinstance(said, dict):
                raise ValueError("no table [vision] is in it")
            checked_vision(said)
            return said
        except OSError as error:
            raise StateError(f"{path}: cannot be read ({error.strerror})") from error
        except (ValueError, SettingsError) as error:
            raise StateError(f"{path}: is damaged ({error}); remove it, or save on the live page again") from error


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _move(path: Path, to: Path) -> None:
    if path.exists():
        path.replace(to)
    else:
        to.unlink(missing_ok=True)


def _put(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
    else:
        write_atomically(path, content)
