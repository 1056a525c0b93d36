"""The machine that is looked at: its files, its commands, its user. Tests lay out another one."""

from __future__ import annotations

import contextlib
import os
import pwd
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from edge import uri
from edge.errors import SettingsError
from edge.settings import Settings

COMMAND_SECONDS = 4.0
"""A command that takes longer is ended: a driver holds it up, or the machine is too busy to be judged."""
UNITS = ("etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system")
"""Where unit files are, the first that counts first: systemd.unit(5)."""
UNIT = "edge.service"
MISSING, TIMED_OUT = 127, 124
"""Exit statuses as the shell and timeout(1) give them: no such command; it was ended."""


class Done(NamedTuple):
    """How a command ended."""

    status: int
    """0 it went well, MISSING, TIMED_OUT, below 0 a signal's number: it crashed."""
    out: str = ""
    error: str = ""


class User(NamedTuple):
    """Who runs this."""

    name: str
    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """All that a check may ask. ``here()`` makes the real one."""

    settings: Settings = Settings()
    misread: str = ""
    """What is wrong with the settings, where they could not be read; then these are the defaults."""
    config: str = ""
    """The settings' file, where one was named."""
    root: Path = Path("/")
    run: Callable[[Sequence[str]], Done]
    """Runs a command, for COMMAND_SECONDS at most, and raises nothing."""
    user: User
    may_use: Callable[[Path], bool]
    """Whether this user may read and write a file or device."""
    free_bytes: Callable[[Path], int]
    """Free space on the disk of a file or folder; OSError where it is not there."""
    architecture: str
    """Of the kernel, as uname(2) has it: aarch64."""
    bits: int
    """32 or 64: of Python, and so of all that it loads."""
    python: tuple[int, int]
    prefix: Path
    """The virtual environment, or where Python itself is installed."""
    process: int
    """The process that looks, which is none of those that hold a camera."""

    def path(self, name: str) -> Path:
        """A file of this machine, by its absolute name."""
        return self.root / name.lstrip("/")

    def text(self, name: str) -> str:
        """What a file of this machine says, without blanks and NULs around it; empty where it cannot be read."""
        try:
            return self.path(name).read_text("utf-8", "replace").strip("\0 \n\t")
        except OSError:
            return ""

    def child(self, program: str, *arguments: str) -> Done:
        """Run a program in a Python of its own, so that a crash in a library is survived."""
        return self.run([sys.executable, "-P", "-c", program, *arguments])

    @property
    def pi(self) -> str:
        """Which Raspberry Pi this is; empty where it is none."""
        model = self.text("/proc/device-tree/model")
        return model if model.startswith("Raspberry Pi") else ""

    @property
    def source(self) -> tuple[str, str]:
        """Scheme and what follows of the settings' source; empty where it is none."""
        try:
            parts = uri.split(self.settings.source)
        except SettingsError:
            return "", ""
        return parts.scheme, parts.what

    @property
    def unit(self) -> str:
        """The name of the service's unit file; empty where it is not installed."""
        names = (f"/{folder}/{UNIT}" for folder in UNITS)
        return next((name for name in names if self.path(name).is_file()), "")

    def unit_says(self, key: str) -> str:
        """The last value of a key in the unit file: ``unit_says("User")``; empty where it has none."""
        values = [
            line.partition("=")[2] for line in self.text(self.unit or "/-").splitlines() if line.startswith(f"{key}=")
        ]
        return values[-1].strip() if values else ""

    @property
    def for_service(self) -> bool:
        """Whether the settings are the service's, so that its user, not this one, has to be able to follow them."""
        return bool(self.config) and self.config in self.unit_says("ExecStart").split()

    @property
    def run_check(self) -> str:
        """The command that checks these settings."""
        return f"edge run --check{f' --config {shlex.quote(self.config)}' if self.config else ''}"

    def pip(self, *packages: str) -> str:
        """The command that installs packages into this environment."""
        return shlex.join([str(self.prefix / "bin" / "pip"), "install", *packages])


def here(settings: Settings, *, config: str = "", misread: str = "") -> Machine:
    """The machine this runs on."""
    number = os.geteuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        name = str(number)
    return Machine(
        settings=settings,
        misread=misread,
        config=config,
        run=run,
        user=User(name, number),
        may_use=lambda path: os.access(path, os.R_OK | os.W_OK),
        free_bytes=lambda path: shutil.disk_usage(path).free,
        architecture=os.uname().machine,
        bits=64 if sys.maxsize > 2**32 else 32,
        python=sys.version_info[:2],
        prefix=Path(sys.prefix),
        process=os.getpid(),
    )


def run(command: Sequence[str], *, seconds: float = COMMAND_SECONDS) -> Done:
    """Run a command without input, in English; raises nothing."""
    try:
        started = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=_environment(os.environ),
            start_new_session=True,
        )
    except OSError as error:
        return Done(MISSING, "", error.strerror or str(error))
    try:
        out, said = started.communicate(timeout=seconds)
        return Done(started.returncode, out, said)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        # What hangs within a driver cannot even be killed, and is left behind.
        with contextlib.suppress(subprocess.TimeoutExpired):
            started.communicate(timeout=0.5)
        return Done(TIMED_OUT, "", f"no answer within {seconds:g} s")


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    """Ours, in which a Python finds the same edge, and libcamera keeps to errors."""
    places = [str(Path(__file__).parents[3]), ours.get("PYTHONPATH", "")]
    quiet = {"LC_ALL": "C.UTF-8", "LIBCAMERA_LOG_LEVELS": "*:ERROR"}
    return {**ours, **quiet, "PYTHONPATH": os.pathsep.join(filter(None, places))}
