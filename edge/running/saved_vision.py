"""The cleaning settings that the live page saved: a TOML file in the state folder, and the one saved before it."""

from __future__ import annotations

import dataclasses
import errno
import json
import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge.errors import SettingsError, StateError
from edge.settings import checked_vision
from edge.system.files import read_small, write_atomically
from edge.system.state_folder import create, locate
from edge.system.text import one_line
from edge.types import timestamp
from edge.vision.settings import VisionSettings

SAVED_FILE, PREVIOUS_FILE = "vision.toml", "vision.before.toml"
"""Names in the state folder: the settings that were saved last, and those saved before them."""
ASIDE_FILE = "vision.aside.toml"
"""Name in the state folder: a copy of SAVED_FILE while that is replaced. A power loss may leave it behind."""
HEADER = (
    "# Saved on the live page, {}. Used in place of [vision] in the settings;\n# remove this file to use those again.\n"
)
"""The comment at the top of SAVED_FILE; {} is the time."""


class SavedVision:
    """The cleaning settings in use: each from its flag or environment variable, else as saved, else as configured."""

    def __init__(self, setting: str, configured: VisionSettings, pinned: Iterable[str] = ()) -> None:
        """``setting`` is the setting ``state``; ``configured`` is ``[vision]`` of the settings.

        The fields named in ``pinned`` always have the configured value, whatever was saved.
        """
        self._setting = setting
        self.configured = configured
        """``[vision]`` of the settings."""
        self.pinned = frozenset(pinned)
        """The fields that a flag or the environment sets; a saved value does not change them."""

    @property
    def path(self) -> Path:
        """The file that ``save`` writes. Raises StateError if there is no state folder."""
        return locate(self._setting) / SAVED_FILE

    def vision(self) -> VisionSettings:
        """The settings to use. Raises StateError if the saved ones cannot be read."""
        return self._checked(self._read(self.path)) if self.is_saved() else self.configured

    def is_saved(self) -> bool:
        """Whether settings were saved."""
        return self._exists(SAVED_FILE)

    def has_previous(self) -> bool:
        """Whether ``restore_previous`` has something to restore."""
        return any(self._exists(name) for name in (SAVED_FILE, PREVIOUS_FILE, ASIDE_FILE))

    def with_values(self, values: Mapping[str, Any], base: VisionSettings) -> VisionSettings:
        """``base`` with these ``values`` (as in the TOML). Raises SettingsError if one is wrong."""
        return self._checked({**dataclasses.asdict(base), **values})

    def save(self, vision: VisionSettings) -> None:
        """Save these settings; those saved before become the previous ones. Raises StateError."""
        fields = dataclasses.asdict(vision)
        # Numbers, strings and booleans are written in TOML as in JSON.
        text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in fields.items())
        self._replace(f"{HEADER.format(timestamp(datetime.now(UTC)))}\n[vision]\n{text}".encode())

    def restore_previous(self) -> VisionSettings:
        """Swap the saved settings with the previous ones, and give those; a second call swaps them back.

        If nothing was saved before, the previous settings are those of the settings file. Raises StateError, also if
        the previous ones are damaged: then nothing has changed.
        """
        before = self.path.with_name(PREVIOUS_FILE)
        self._finish_interrupted_save()
        vision = self._checked(self._read(before))
        self._replace(_bytes(before))
        return vision

    def _replace(self, content: bytes | None) -> None:
        path = create(self._setting) / SAVED_FILE
        aside = path.with_name(ASIDE_FILE)
        self._finish_interrupted_save()
        try:
            # The previous settings are replaced last, when both other files are on the disk.
            _put(aside, _bytes(path))
            _put(path, content)
            _move(aside, path.with_name(PREVIOUS_FILE))
        except OSError as error:
            raise StateError(f"{path}: cannot be written ({error.strerror})") from error

    def _finish_interrupted_save(self) -> None:
        """Finish a save that a power loss interrupted: if SAVED_FILE was replaced, ASIDE_FILE is the previous one."""
        path = self.path
        aside = path.with_name(ASIDE_FILE)
        try:
            if (content := _bytes(aside)) is not None and content != _bytes(path):
                _move(aside, path.with_name(PREVIOUS_FILE))
        except OSError as error:
            raise StateError(f"{path}: cannot be written ({error.strerror})") from error

    def _exists(self, name: str) -> bool:
        try:
            return (locate(self._setting) / name).exists()
        # There is no state folder, or this user has no permission to read it.
        except (StateError, OSError):
            return False

    def _checked(self, values: Mapping[str, Any]) -> VisionSettings:
        fixed = {name: getattr(self.configured, name) for name in self.pinned}
        return checked_vision({**dataclasses.asdict(self.configured), **values, **fixed})

    def _read(self, path: Path) -> Mapping[str, Any]:
        try:
            content = _bytes(path)
            values = tomllib.loads(content.decode()).get("vision") if content is not None else {}
            if not isinstance(values, dict):
                raise ValueError("it has no table [vision]")
            checked_vision(values)
            return values
        except OSError as error:
            raise StateError(f"{path}: cannot be read ({error.strerror})") from error
        except (ValueError, RecursionError, SettingsError) as error:
            why = one_line(error)
            raise StateError(f"{path}: is damaged ({why}); remove it, or save on the live page again") from error


def _bytes(path: Path) -> bytes | None:
    try:
        return read_small(path)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise OSError(errno.EINVAL, str(error)) from error


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
