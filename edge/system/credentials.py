"""Where a secret is: in a file of its own, or in systemd's keeping."""

from __future__ import annotations

import os
from pathlib import Path


def secret_file(named: str, credential: str) -> Path | None:
    """Where a secret is: the file that is named, else systemd's credential (systemd.exec(5)), else nowhere."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    given = Path(folder) / credential if folder else None
    path = Path(named).expanduser() if named else given
    return None if path == given and not (path and path.exists()) else path
