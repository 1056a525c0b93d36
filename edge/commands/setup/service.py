"""The systemd service of ``edge setup``: paused while its camera is looked at, then started with the new settings."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from edge.commands.doctor import report, unit
from edge.commands.doctor.finding import last_line
from edge.commands.doctor.machine import UNIT, Machine
from edge.commands.setup.dialogue import Dialogue

CONFIG = "/etc/edge-digits/edge.toml"
"""The settings file of the service."""
CREDENTIAL_LINE = "LoadCredential=mqtt-password:"
"""How the line of a unit begins that hands the password to the service; the file's path follows."""
RUNNING = ("active", "activating", "reloading")
"""The values of ActiveState with which it runs, or will soon."""
LOG_LINES = 40
"""How much of the service's log is looked at for its last problem."""


class Service:
    """The service ``edge``, if it is installed here."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        words = machine.unit_value("ExecStart").split()
        place = words.index("--config") + 1 if "--config" in words[:-1] else 0
        self.config = words[place] if place else CONFIG
        """The settings file that it reads."""
        self.program = words[0] if words else str(machine.prefix / "bin/edge")
        """The program that it runs."""

    @property
    def installed(self) -> bool:
        """Whether systemd has its unit."""
        return bool(self._machine.unit)

    @property
    def can_run(self) -> bool:
        """Whether systemd runs on this machine. It does not in a container, or while the image of a card is made."""
        return self._machine.path("/run/systemd/system").is_dir()

    def password_file(self) -> tuple[Path, Path | None]:
        """The file of the password, and the drop-in of the unit that must name it; None if one names it already."""
        folder = self._machine.path(f"/etc/systemd/system/{UNIT}.d")
        units = [self._machine.path(self._machine.unit), *sorted(folder.glob("*.conf"))] if self.installed else []
        for path in units:
            with contextlib.suppress(OSError):
                for line in path.read_text("utf-8", "replace").splitlines():
                    if line.strip().startswith(CREDENTIAL_LINE):
                        return self._machine.path(line.strip().removeprefix(CREDENTIAL_LINE)), None
        secret = self._machine.path(str(Path(self.config).with_name("mqtt-password")))
        return secret, folder / "mqtt-password.conf"

    def drop_in(self, secret: Path) -> bytes:
        """The content of that drop-in."""
        return f"[Service]\n{CREDENTIAL_LINE}/{secret.relative_to(self._machine.root)}\n".encode()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Stop it if it runs, so that its camera is free; start it again at the end, whatever happens."""
        if not self.can_run or self.show("ActiveState") not in RUNNING:
            yield
            return
        try:
            self._systemctl("stop", UNIT)
            yield
        finally:
            try:
                self._go_on()
            except KeyboardInterrupt:
                # A terminal that is closed ends the input first, and sends its signal only now.
                self._go_on()
                raise

    def _go_on(self) -> None:
        # Also while it is still being stopped, or where systemctl did not answer.
        if self.show("ActiveState") not in RUNNING:
            self._systemctl("--no-block", "start", UNIT)

    def start(self) -> bool:
        """Start it now, with what its files say now, and at every boot. False if it does not start."""
        self._systemctl("daemon-reload")
        self._systemctl("reset-failed", UNIT)
        self._systemctl("--quiet", "enable", UNIT)
        return self._systemctl("restart", UNIT)

    def show(self, name: str) -> str:
        """A property of it, as systemd has it."""
        return self._machine.run(["systemctl", "show", UNIT, "-P", name]).out.strip()

    def explain(self, dialogue: Dialogue, since: float) -> None:
        """Print its state as ``edge doctor`` has it, and the last problem that it logged since then (seconds, UTC)."""
        for finding in unit.service(self._machine):
            dialogue.say(report.lines(finding))
        if problem := self.last_problem(since):
            dialogue.say(f"The service logged: {problem}")

    def last_problem(self, since: float) -> str:
        """The last line that it logged as ``edge: …`` since then; empty if there is none."""
        words = ["journalctl", "-u", UNIT, "-o", "cat", "--no-pager", "-n", str(LOG_LINES), f"--since=@{int(since)}"]
        lines = self._machine.run(words).out.splitlines()
        return last_line("\n".join(line for line in lines if line.startswith("edge: ")), 300).removeprefix("edge: ")

    def _systemctl(self, *words: str) -> bool:
        return self._machine.run(["systemctl", *words]).status == 0


def now() -> float:
    """Seconds since 1970, as ``journalctl --since=@`` takes them."""
    return time.time()
