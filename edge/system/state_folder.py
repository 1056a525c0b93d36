"""The state folder: where the program keeps what it has to remember."""

from __future__ import annotations

import os
from pathlib import Path

from edge.errors import StateError

NAME = "edge-digits"
SERVICE = Path("/var/lib/edge-digits")
"""The service's state folder: ``StateDirectory`` in edge.service."""


def place(setting: str = "") -> Path:
    """Where the state folder is, absolute, whether it is there or not.

    ``setting``, or else the folder that systemd gives (STATE_DIRECTORY, see systemd.exec(5)), or else the user's own
    (XDG Base Directory Specification 0.8: a relative XDG_STATE_HOME counts as none). Raises StateError where there is
    no home either.
    """
    # systemd names several with colons between.
    given = setting or os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    homes = os.environ.get("XDG_STATE_HOME", "")
    try:
        if given:
            return Path(given).expanduser().absolute()
        if Path(homes).is_absolute():
            return Path(homes) / NAME
        return Path.home() / ".local" / "state" / NAME
    except RuntimeError as error:
        raise StateError("state: this user has no home; name a folder with --state") from error


def folder(setting: str = "") -> Path:
    """The state folder, made for this user alone where it is not there yet.

    Raises StateError where it cannot be made or written.
    """
    path = place(setting)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StateError(
            f"{path}: cannot be made a folder ({error.strerror}); name another one with --state"
        ) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise StateError(f"{path}: cannot be written; name another folder with --state")
    return path


def unmistaken(setting: str, order: str, config: str | None) -> None:
    """Whether it is clear which folder is meant, the service's or this user's own, where a machine has both.

    Raises StateError where nobody said it: ``order`` is the command that was given, ``config`` its settings file.
    """
    if setting or os.environ.get("STATE_DIRECTORY") or not SERVICE.is_dir():
        return
    # That file names no folder, and the other one might.
    named = f"--state {SERVICE}" if config else "--config /etc/edge-digits/edge.toml"
    raise StateError(
        f"{SERVICE}: is the service's, and {place()} your own; say which:"
        f" sudo /opt/edge-digits/bin/edge {order} {named}"
        f" or edge {order} --state {place()}"
    )
