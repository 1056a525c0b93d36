"""1,000 viewers of the live page come and go, most without a word: what is left of them.

    python -m tests.hostile.viewers               1,000 of them, 40 at a time: about a minute
    python -m tests.hostile.viewers 200

A viewer opens /api/live, reads some of it or nothing, and hangs up, resets or just stays away. Meanwhile /healthz is
asked. The exit status is 1 if readings stop, if fewer than 99 of 100 answers to /healthz come, or if descriptors or
threads are left behind.
"""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import sys
import tempfile
import time
from pathlib import Path

from tests.support.web import Device, device

AT_ONCE = 40
"""Viewers that are connected at the same time, below the page's limit of 64 connections."""


def left(process: int) -> tuple[int, int]:
    """Open descriptors and threads of a process."""
    folder = Path(f"/proc/{process}")
    return len(list((folder / "fd").iterdir())), len(list((folder / "task").iterdir()))


def visit(port: int, chance: random.Random) -> socket.socket:
    """Begin to watch; one in three reads nothing at all."""
    viewer = socket.create_connection(("127.0.0.1", port), 10)
    viewer.sendall(f"GET /api/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    if chance.random() < 0.66:
        with contextlib.suppress(OSError):
            viewer.recv(chance.choice((1, 1000, 100_000)))
    return viewer


def leave(viewer: socket.socket, chance: random.Random) -> None:
    """Hang up: politely, or with a reset."""
    if chance.random() < 0.5:
        viewer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    viewer.close()


def healthy(running: Device) -> bool:
    """Whether /healthz answers."""
    try:
        return running.ask("/healthz").status == 200
    except OSError:
        return False


def endure(viewers: int) -> bool:
    """Let so many viewers come and go; whether nothing is left of them."""
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder, device(Path(folder), publish=f"jsonl:{folder}/out.jsonl") as running:
        out = Path(folder) / "out.jsonl"
        time.sleep(2)
        before, asked, answered = left(running.process.pid), 0, 0
        watching: list[socket.socket] = []
        for number in range(1, viewers + 1):
            try:
                watching.append(visit(running.port, chance))
            except OSError as error:
                print(f"viewer {number}: {error}")
            if len(watching) >= AT_ONCE:
                leave(watching.pop(chance.randrange(len(watching))), chance)
            if number % 10 == 0:
                asked, answered = asked + 1, answered + healthy(running)
            if number % (viewers // 5) == 0:
                print(f"{number:5d} viewers: descriptors, threads {left(running.process.pid)}", flush=True)
        for viewer in watching:
            leave(viewer, chance)
        time.sleep(8)
        after, readings = left(running.process.pid), out.read_bytes().count(b"\n")
        time.sleep(2)
        goes_on = out.read_bytes().count(b"\n") > readings
        print(f"before {before}, after {after}; /healthz {answered} of {asked}; readings go on: {goes_on}")
        return goes_on and answered >= 0.99 * asked and after[0] <= before[0] + 2 and after[1] <= before[1] + 2


if __name__ == "__main__":
    sys.exit(0 if endure(int(sys.argv[1]) if len(sys.argv) > 1 else 1000) else 1)
