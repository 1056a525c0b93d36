"""How the checks ask: systemd, the journal, what was published, and the machine itself. Python's own library only."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PAGE, OTHER = "2357", "41"
"""What is written on the pages that the camera shows, first and later; run.py draws them."""
HERE = Path(__file__).resolve().parent
FRAMES = Path("/opt/frames")
"""The virtual camera shows these .jpg files in turn, as they are when it is opened."""
LUGGAGE = Path("/opt/machine")
"""What run.py brings: the census from before, and ``next``, a newer program."""
UNIT = "edge.service"
EDGE = "/opt/edge-digits/bin/edge"
CONFIG = Path("/etc/edge-digits/edge.toml")
STATE = Path("/var/lib/edge-digits")
READINGS = STATE / "readings.jsonl"
DROP_IN = Path(f"/etc/systemd/system/{UNIT}.d/machine.conf")
VIVID = Path("/sys/bus/platform/drivers/vivid")
PATIENCE = 240.0
"""Seconds after which a check gives up. A Pi takes a fraction; a machine without hardware's help imports for 20 s."""


class Failed(Exception):
    """Why a check fails, in one line."""


def check(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Failed(otherwise)


def run(*command: str | Path, seconds: float = 2 * PATIENCE) -> str:
    """What a command says on stdout; Failed where it fails or takes too long."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{' '.join(words)}: no end within {seconds:g} s") from error
    said = one_line(done.stderr or done.stdout)[-300:]
    check(done.returncode == 0, f"{' '.join(words)}: status {done.returncode}: {said}")
    return done.stdout


def one_line(text: str) -> str:
    return " | ".join(text.split("\n")).strip(" |")


def until(holds: Callable[[], Any], otherwise: str, seconds: float = PATIENCE) -> Any:
    """What ``holds()`` gives once that is true; Failed where it is not in time."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        check(time.monotonic() < end, f"{otherwise} within {seconds:g} s")
        time.sleep(0.5)
    return found


def show(name: str) -> str:
    """A property of the service, as systemd has it."""
    return run("systemctl", "show", UNIT, "-P", name).strip()


def process() -> int:
    """The service's main process; 0 where there is none."""
    return int(show("MainPID"))


def here() -> int:
    """Where the published file ends now: what comes after it is new."""
    return READINGS.stat().st_size if READINGS.exists() else 0


def published(after: int) -> list[dict]:
    """The readings and notices published since."""
    if not READINGS.exists():
        return []
    with READINGS.open("rb") as file:
        file.seek(after)
        return [json.loads(line) for line in file.read().split(b"\n")[:-1] if line]


def reading(after: int, text: str, *, model: str = "", seconds: float = PATIENCE) -> dict:
    """The first reading since that says ``text``, by that model."""

    def found() -> dict | None:
        fits = (m for m in published(after) if m.get("text") == text and model in m["model"])
        return next(fits, None)

    return until(found, f"{text!r} was not read{' with ' + model if model else ''}", seconds)


def notice(after: int, about: str, *states: str, seconds: float = PATIENCE) -> dict:
    """The first notice since that says so."""

    def found() -> dict | None:
        fits = (m for m in published(after) if m.get("notice") == about and m["state"] in states)
        return next(fits, None)

    return until(found, f"no notice of the {about} said {' or '.join(states)}", seconds)


def journal(cursor: str = "") -> list[str]:
    """What the journal has of the service and of systemd about it, since."""
    after = [f"--after-cursor={cursor}"] if cursor else []
    return run("journalctl", "--no-pager", "-o", "cat", "-u", UNIT, *after).splitlines()


def now() -> str:
    """The journal's cursor."""
    said = run("journalctl", "--no-pager", "-n", "1", "-o", "cat", "--show-cursor")
    return said.rsplit("-- cursor: ", 1)[1].strip()


def display(page: str, count: int | None = None) -> None:
    """Lay these pages before the virtual camera, which sees them when it is opened next; ``count`` of them."""
    for old in FRAMES.glob("*.jpg"):
        old.unlink()
    for new in sorted((HERE / "pages" / page).glob("*.jpg"))[:count]:
        shutil.copy(new, FRAMES)


def source(uri: str | None) -> None:
    """Let the service read this instead of what its config says."""
    if uri:
        DROP_IN.parent.mkdir(exist_ok=True)
        DROP_IN.write_text(f"[Service]\nEnvironment=EDGE_SOURCE={uri}\n")
    else:
        DROP_IN.unlink(missing_ok=True)
    run("systemctl", "daemon-reload")
    run("systemctl", "restart", UNIT)


def census() -> list[str]:
    """Every path that an installation may touch, and who there is."""
    paths = []
    for top in ("/etc", "/opt", "/usr", "/var/lib"):
        for folder, names, files in os.walk(top):
            paths += [f"{folder}/{name}" for name in [*names, *files]]
    people = [
        f"{file}: {line}" for file in ("/etc/passwd", "/etc/group") for line in Path(file).read_text().splitlines()
    ]
    return sorted(path for path in paths if not NOT_OURS.search(path)) + sorted(people)


NOT_OURS = re.compile(
    r"__pycache__"
    # apt's and dpkg's own lists; what systemd and the tools for accounts keep for themselves.
    r"|^/var/lib/(apt|dpkg|systemd|private|dbus)(/|$)|^/etc/(passwd|group|shadow|gshadow|subuid|subgid)-$"
    r"|^/etc/(\.updated|\.pwd\.lock|machine-id|resolv\.conf|ld\.so\.cache)$"
    # What the broker of the checks keeps.
    r"|^/var/lib/mosquitto/mosquitto\.db$"
    # What was brought for the checks themselves.
    r"|^/opt/(machine|frames|lab\.sh)"
)


def fingerprint(content: bytes) -> str:
    """As it stands in a model's name."""
    return f"sha256:{hashlib.sha256(content).hexdigest()[:12]}"
