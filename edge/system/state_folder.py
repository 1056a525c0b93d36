"""The state folder: where the program keeps what it has to remember; and files in it that are whole or not there."""

from __future__ import annotations

import contextlib
import os
import tempfile
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


def write_whole(path: Path, content: bytes, *, readable: bool = False, secret: bool = False) -> None:
    """Write a file so that after a crash or power loss at any moment it is the old one or the new one, and on the disk.

    Owner and mode of a file that is there are kept, where this user may; a new one gets its folder's owner. With
    ``readable`` whoever gets into its folder may read it, with ``secret`` its owner alone. Raises OSError.
    """
    there = path.is_file() and not path.is_symlink()
    like = (path if there else path.parent).stat()
    mode = like.st_mode & (0o777 if there else 0o666) | (0o444 if readable else 0)
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    half = Path(name)
    try:
        with os.fdopen(number, "wb") as out:
            out.write(content)
            out.flush()
            os.fchmod(number, 0o600 if secret else mode)
            with contextlib.suppress(PermissionError):
                os.fchown(number, like.st_uid, like.st_gid)
            os.fsync(number)
        half.replace(path)
    except BaseException:
        half.unlink(missing_ok=True)
        raise
    # The new name itself is on the disk only with its folder.
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
