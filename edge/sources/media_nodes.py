"""The media and video devices of this machine: what changes there when a camera comes, goes, or is taken."""

from __future__ import annotations

import os
from collections.abc import Hashable
from pathlib import Path

DEVICES = Path("/dev")
"""The folder of the device nodes."""


def media_nodes() -> Hashable:
    """The nodes, and which are locked: libcamera's cameras are made of them, and it locks those that it uses."""
    with os.scandir(DEVICES) as entries:
        nodes = {e.name: e.stat() for e in entries if e.name.startswith(("media", "video"))}
    # A line of proc_locks(5): "1: POSIX  ADVISORY  WRITE 708 00:06:346 0 EOF", with the device in hexadecimal, and
    # the inode.
    locks = set(Path("/proc/locks").read_text("ascii").split())
    return frozenset(
        (name, node.st_ino, f"{os.major(node.st_dev):02x}:{os.minor(node.st_dev):02x}:{node.st_ino}" in locks)
        for name, node in nodes.items()
    )
