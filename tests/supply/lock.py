"""The files that `make lock` writes: what the service installs, each package with one version and its hashes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.supply.declared import ROOT

LOCK = ROOT / "systemd" / "requirements.txt"
LOCK_32 = ROOT / "systemd" / "requirements-32bit.txt"
"""For 32 bits and Python 3.11. NumPy and OpenCV come from apt there."""
BUILD_LOCK = ROOT / "systemd" / "requirements-build.txt"


@dataclass(frozen=True, slots=True)
class Locked:
    """One version of a package."""

    name: str
    version: str
    requirement: Requirement
    """With the marker that says where it is installed."""
    hashes: tuple[str, ...]
    """Of each of its files: ``sha256:`` and 64 hex digits."""


def read(path: Path = LOCK) -> list[Locked]:
    """All versions in a lock, in its order. Raises ValueError for a line that is no ``NAME==VERSION`` with hashes."""
    text = re.sub(r"^#.*\n", "", path.read_text("utf-8"), flags=re.MULTILINE)
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        requirement, *hashes = re.split(r"\s+--hash=", line.strip())
        parsed = Requirement(requirement)
        exact = re.fullmatch(r"==([^=*,]+)", str(parsed.specifier))
        if not exact or not hashes or not all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in hashes):
            raise ValueError(f"{path}: {requirement}: is not one version with hashes")
        found.append(Locked(canonicalize_name(parsed.name), exact[1], parsed, tuple(hashes)))
    return found
