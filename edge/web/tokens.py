"""The two tokens of the live page: one to view it from other machines, one to change things."""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
from dataclasses import asdict, dataclass
from hmac import compare_digest
from pathlib import Path
from typing import Literal

from edge.errors import StateError
from edge.system.files import read_json, write_atomically

log = logging.getLogger(__name__)

FILE = "web-tokens.json"
"""Name of the tokens' file in the state folder."""
TOKEN_BYTES = 24
"""Random bytes in a token: 192 bits, which nobody can guess."""

Rights = Literal["none", "view", "change"]
"""What a request may do: nothing; view, and have a picture read; or also change settings and corrections."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The two tokens of a device."""

    change: str
    """Gives all rights."""
    view: str
    """Gives the right to view."""

    def rights(self, token: str) -> Rights:
        """What this token gives. A wrong one takes as long to check as a right one."""
        # Both are always compared, so that the time tells nothing about them.
        changes = compare_digest(token.encode(), self.change.encode())
        views = compare_digest(token.encode(), self.view.encode())
        return "change" if changes else "view" if views else "none"


class CurrentTokens:
    """The tokens of a running device: those in the file, also after it was replaced."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is the state folder. If no tokens can be had there, that is logged, and no token works."""
        self._path = folder / FILE
        self._tokens = Tokens(secrets.token_urlsafe(), secrets.token_urlsafe())
        self._seen: tuple[int, int] | None = None
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._tokens = load_tokens(folder)
        except (StateError, OSError) as error:
            # The program goes on reading digits without the page's tokens.
            log.warning("web: %s (no token works until then)", error)

    def __call__(self) -> Tokens:
        """The present tokens. If the file cannot be read just now, they stay as they were."""
        with contextlib.suppress(StateError, OSError):
            mark = self._mark()
            if mark != self._seen:
                self._tokens = load_tokens(self._path.parent)
                self._seen = mark
        return self._tokens

    def _mark(self) -> tuple[int, int]:
        status = self._path.stat()
        return status.st_ino, status.st_mtime_ns


def renew_tokens(folder: Path) -> Tokens:
    """Replace the tokens in the state folder by new ones, which ends all sessions. Raises StateError."""
    return _make_tokens(folder / FILE)


def load_tokens(folder: Path) -> Tokens:
    """The tokens in the state folder; new ones are made if there are none. Raises StateError."""
    path = folder / FILE
    damaged = f"{path}: is damaged; remove it, and new tokens are made"
    try:
        stored = read_json(path)
    except FileNotFoundError:
        return _make_tokens(path)
    except OSError as error:
        raise StateError(f"{path}: cannot be read ({error.strerror}); try with sudo") from error
    except ValueError as error:
        raise StateError(damaged) from error
    fields = stored if isinstance(stored, dict) else {}
    found = {name: fields.get(name) for name in ("change", "view")}
    if not all(isinstance(one, str) and one.isascii() and len(one) >= TOKEN_BYTES for one in found.values()):
        raise StateError(damaged)
    tokens = Tokens(**{name: str(token) for name, token in found.items()})
    if path.stat().st_mode & 0o077:
        # Others may read it, such as after it was restored from a backup: write it again for this user only.
        with contextlib.suppress(OSError):
            _write(path, tokens)
    return tokens


def _make_tokens(path: Path) -> Tokens:
    made = Tokens(secrets.token_urlsafe(TOKEN_BYTES), secrets.token_urlsafe(TOKEN_BYTES))
    try:
        _write(path, made)
    except OSError as error:
        raise StateError(f"{path}: cannot be written ({error.strerror}); name another folder with --state") from error
    return made


def _write(path: Path, tokens: Tokens) -> None:
    write_atomically(path, json.dumps(asdict(tokens), indent=1).encode() + b"\n", secret=True)
