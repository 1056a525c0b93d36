"""Finds the file of a secret: the one in the settings, or a systemd credential."""

from __future__ import annotations

import os
from pathlib import Path

from edge.system.files import expanded


def secret_file(configured: str, credential: str) -> Path | None:
    """The file of a secret: the configured one, else the systemd credential (systemd.exec(5)) if there is one."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    systemd_file = Path(folder) / credential if folder else None
    path = expanded(configured) if configured else systemd_file
    return None if path == systemd_file and not (path and path.exists()) else path
