"""Who may see the page from elsewhere, and who may change something: two tokens in the state folder."""

from __future__ import annotations

import contextlib
import json
import secrets
from dataclasses import asdict, dataclass
from hmac import compare_digest
from pathlib import Path
from typing import Literal

from edge.errors import StateError
from edge.system.files import write_atomically

FILE = "web-tokens.json"
"""The file's name in the state folder."""
BYTES = 24
"""Of chance in a token: nobody guesses 192 bits."""

Rights = Literal["none", "view", "change"]
"""What somebody may do: nothing, look (and have a picture read), or change what is kept and set."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What is shown at the door."""

    change: str
    """Gives all rights."""
    view: str
    """Gives the right to look."""

    def rights(self, given: str) -> Rights:
        """What this token gives; as long for a wrong one as for a right one."""
        # Both are always compared: how long it takes tells nothing.
        changes = compare_digest(given.encode(), self.change.encode())
        views = compare_digest(given.encode(), self.view.encode())
        return "change" if changes else "view" if views else "none"


def tokens(folder: Path) -> Tokens:
    """Those of the state folder, made where there are none yet. Raises StateError."""
    path = folder / FILE
    try:
        content = path.read_bytes()
        said = json.loads(content)
    except FileNotFoundError:
        return _made(path)
    except OSError as error:
        raise StateError(f"{path}: cannot be read ({error.strerror}); try with sudo") from error
    except ValueError as error:
        raise StateError(f"{path}: is damaged; remove it, and new tokens are made") from error
    kinds = {name: said.get(name) for name in ("change", "view")} if isinstance(said, dict) else {}
    if not all(isinstance(token, str) and len(token) >= BYTES for token in kinds.values()) or len(kinds) != 2:
        raise StateError(f"{path}: is damaged; remove it, and new tokens are made")
    if path.stat().st_mode & 0o077:
        # Made by hand, or put back by a program that keeps no modes.
        with contextlib.suppress(OSError):
            write_atomically(path, content, secret=True)
    return Tokens(**{name: str(token) for name, token in kinds.items()})


def _made(path: Path) -> Tokens:
    made = Tokens(secrets.token_urlsafe(BYTES), secrets.token_urlsafe(BYTES))
    try:
        write_atomically(path, json.dumps(asdict(made), indent=1).encode() + b"\n", secret=True)
    except OSError as error:
        raise StateError(f"{path}: cannot be written ({error.strerror}); name another folder with --state") from error
    return made
