"""The machine that `edge doctor` checks: its files, commands and user. Tests make other machines."""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

from edge import sources
from edge.errors import SettingsError, StateError
from edge.settings import Settings
from edge.system import raspberry, state_folder
from edge.system.command import MISSING, SECONDS, Done, python, run

AIM_SECONDS = 4
"""Seconds that the camera has to find its exposure and focus. Chosen: twice what they take."""
LOOK_SECONDS = 30.0
"""Time limit of `edge aim`: to import everything, open the camera, wait for its first frame, and AIM_SECONDS."""
PICTURE = "doctor.jpg"
"""Name in the state folder of the picture that the camera took."""
SLOW_FACTOR = 5
"""How many times as long a 32-bit machine gets. Chosen: a Pi Zero W takes 10 s for the imports of what reads digits."""
UNITS = ("etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system")
"""The folders of unit files, by falling precedence: systemd.unit(5)."""
UNIT = "edge.service"
"""The unit of the service."""


class User(NamedTuple):
    """The user who runs the doctor."""

    name: str
    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """All that a check may use. ``here()`` makes the real one."""

    settings: Settings = Settings()
    settings_error: str = ""
    """Why the settings could not be read, in which case ``settings`` has the defaults; otherwise empty."""
    config: str = ""
    """The path of the settings file; empty if none was named."""
    root: Path = Path("/")
    run: Callable[..., Done]
    """Runs a command for 4 s at most, times ``patience``, with more environment variables if given. Raises nothing."""
    user: User
    may_use: Callable[[Path], bool]
    """Whether this user may read and write a file or device."""
    free_bytes: Callable[[Path], int]
    """Free space on the disk of a file or folder. Raises OSError if that does not exist."""
    architecture: str
    """The kernel's architecture as in uname(2), such as aarch64."""
    bits: int
    """32 or 64: the word size of Python, and so of the libraries it loads."""
    python: tuple[int, int]
    """Major and minor version."""
    prefix: Path
    """The folder of the virtual environment, or of Python itself."""
    look: Callable[[], tuple[Done, str]] = lambda: (Done(MISSING), "")
    """Runs `edge aim` on the source of the settings, once; gives its result, and where it drew the picture, or nothing.
    Raises nothing."""
    process: int
    """The number of the doctor's own process, which is ignored when looking for users of a camera."""

    def path(self, name: str) -> Path:
        """The path of a file of this machine, by its absolute name."""
        return self.root / name.lstrip("/")

    def text(self, name: str) -> str:
        """The text of a file of this machine, without blanks and NULs around it; empty if it cannot be read."""
        try:
            return self.path(name).read_text("utf-8", "replace").strip("\0 \n\t")
        except OSError:
            return ""

    def child(self, program: str, *arguments: str) -> Done:
        """Run a program in a separate Python process, so that a library that crashes does not end the doctor."""
        return self.run(python(program, *arguments))

    @property
    def patience(self) -> int:
        """How many times as long as others this machine gets for a command and for a check."""
        return SLOW_FACTOR if self.bits == 32 else 1

    @property
    def pi(self) -> str:
        """Which Raspberry Pi this is; empty if it is none."""
        return raspberry.model(self.root)

    @property
    def source(self) -> tuple[str, str]:
        """Scheme and path of the source of the settings; both empty if it is not a valid URI."""
        try:
            parts = sources.split(self.settings.source)
        except SettingsError:
            return "", ""
        return parts.scheme, parts.what

    @property
    def unit(self) -> str:
        """The path of the service's unit file; empty if the service is not installed."""
        names = (f"/{folder}/{UNIT}" for folder in UNITS)
        return next((name for name in names if self.path(name).is_file()), "")

    def unit_value(self, key: str) -> str:
        """The last value of a key in the unit file, such as ``unit_value("User")``; empty if it has none."""
        values = [
            line.partition("=")[2] for line in self.text(self.unit or "/-").splitlines() if line.startswith(f"{key}=")
        ]
        return values[-1].strip() if values else ""

    @property
    def for_service(self) -> bool:
        """Whether the settings file is that of the service, so that its user, not this one, needs the permissions."""
        return bool(self.config) and self.config in self.unit_value("ExecStart").split()

    @property
    def run_check(self) -> str:
        """The command that checks these settings."""
        return f"edge run --check{f' --config {shlex.quote(self.config)}' if self.config else ''}"

    def pip(self, *packages: str) -> str:
        """The command that installs packages into this environment."""
        return shlex.join([str(self.prefix / "bin" / "pip"), "install", *packages])


def here(settings: Settings, *, config: str = "", settings_error: str = "", picture: str = "") -> Machine:
    """The machine that this program runs on; ``picture`` names the file for what the camera sees, if it is given."""
    number = os.geteuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        name = str(number)
    bits = 64 if sys.maxsize > 2**32 else 32
    return Machine(
        settings=settings,
        settings_error=settings_error,
        config=config,
        run=run if bits == 64 else partial(run, seconds=SLOW_FACTOR * SECONDS),
        user=User(name, number),
        may_use=lambda path: os.access(path, os.R_OK | os.W_OK),
        free_bytes=lambda path: shutil.disk_usage(path).free,
        architecture=os.uname().machine,
        bits=bits,
        python=sys.version_info[:2],
        prefix=Path(sys.prefix),
        process=os.getpid(),
        look=cache(partial(_look, settings, config, picture)),
    )


def _look(settings: Settings, config: str, picture: str) -> tuple[Done, str]:
    """Run `edge aim`, in a process of its own: a camera's driver may crash or hang."""
    where = picture or _usual_picture(settings)
    # Not as an argument, which every user of the machine can see: it may have a password.
    done = run(aim_command(config, where), seconds=LOOK_SECONDS, EDGE_SOURCE=settings.source)
    return done, where


def aim_command(config: str, picture: str) -> list[str]:
    """The command that looks at the source in EDGE_SOURCE for AIM_SECONDS, and draws what it saw last into ``picture``.

    Without ``config`` it has the default settings; without ``picture`` it draws nothing.
    """
    command = [sys.executable, "-P", "-m", "edge.cli", "aim", "--json", "--seconds", str(AIM_SECONDS)]
    return [*command, *(["--config", config] if config else []), *(["--picture", picture] if picture else [])]


def _usual_picture(settings: Settings) -> str:
    """The file for the picture in the state folder; empty if this user cannot write there."""
    try:
        folder = state_folder.locate(settings.state)
        # The service's own folder is made by systemd, for its user.
        if not settings.state:
            state_folder.create()
    except StateError:
        return ""
    return str(folder / PICTURE) if os.access(folder, os.W_OK | os.X_OK) else ""
