"""The state folder: where the program keeps what must survive a restart."""

from __future__ import annotations

import os
from pathlib import Path

from edge.errors import StateError

NAME = "edge-digits"
"""Name of the folder in the user's own state folder."""
SERVICE_FOLDER = Path("/var/lib/edge-digits")
"""The service's state folder: ``StateDirectory`` in edge.service."""


def locate(setting: str = "") -> Path:
    """The absolute path of the state folder, whether it exists or not.

    It is the first of: ``setting``; the folder from systemd (STATE_DIRECTORY, see systemd.exec(5)); the user's own (XDG
    Base Directory Specification 0.8, which ignores a relative XDG_STATE_HOME). Raises StateError if the user has no
    home folder either.
    """
    # systemd separates several folders with colons.
    configured = setting or os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    xdg_folder = os.environ.get("XDG_STATE_HOME", "")
    try:
        if configured:
            return Path(configured).expanduser().absolute()
        if Path(xdg_folder).is_absolute():
            return Path(xdg_folder) / NAME
        return Path.home() / ".local" / "state" / NAME
    except RuntimeError as error:
        raise StateError("state: this user has no home folder; choose a folder with --state") from error


def create(setting: str = "") -> Path:
    """The state folder; if it does not exist, it is created so that only this user can access it.

    Raises StateError if it cannot be created or written.
    """
    path = locate(setting)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StateError(
            f"{path}: the folder cannot be created ({error.strerror}); choose another one with --state"
        ) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise StateError(f"{path}: cannot be written; choose another folder with --state")
    return path


def check_unambiguous(setting: str, command: str, config: str | None) -> None:
    """Raise StateError if the service's state folder exists, and nothing says whether it or the user's own is meant.

    ``setting`` is the setting ``state``, ``command`` what the user typed after ``edge``, ``config`` the settings file.
    """
    if setting or os.environ.get("STATE_DIRECTORY") or not SERVICE_FOLDER.is_dir():
        return
    # A settings file was given, but it names no state folder.
    option = f"--state {SERVICE_FOLDER}" if config else "--config /etc/edge-digits/edge.toml"
    raise StateError(
        f"there are two state folders, the service's {SERVICE_FOLDER} and your own {locate()}; choose one:"
        f" sudo /opt/edge-digits/bin/edge {command} {option}"
        f" or edge {command} --state {locate()}"
    )
