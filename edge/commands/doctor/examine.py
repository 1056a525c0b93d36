"""Runs the checks of ``edge doctor``, each with a time limit."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator

from edge.commands.doctor import cameras, computer, libcamera, output, permissions, software, unit
from edge.commands.doctor.finding import Finding, warning
from edge.commands.doctor.machine import Machine
from edge.system.text import one_line

log = logging.getLogger(__name__)

Check = Callable[[Machine], Iterable[Finding]]
CHECKS: dict[str, Check] = {
    "computer": computer.computer,
    "system": computer.system,
    "python": computer.python,
    "temperature": computer.temperature,
    "power": computer.power,
    "clock": computer.clock,
    "settings": software.settings,
    "runtime": software.runtimes,
    "numpy": software.numpy,
    "libcamera": libcamera.libcamera,
    "cameras": cameras.cameras,
    "in use": cameras.holders,
    "groups": permissions.groups,
    "publisher": output.publishers,
    "disk": output.disk,
    "service": unit.service,
    "sandbox": unit.sandbox,
}
"""What is looked at, in this order."""
SECONDS = 5.0
"""So long may one check take; a little more than the one command that it waits for."""


def examine(machine: Machine, checks: dict[str, Check] = CHECKS, *, seconds: float = SECONDS) -> Iterator[Finding]:
    """The findings of each check in turn; one that breaks or hangs is a finding, too, and the others go on."""
    for name, check in checks.items():
        yield from _bounded(name, check, machine, seconds)


def _bounded(name: str, check: Check, machine: Machine, seconds: float) -> list[Finding]:
    found: list[Finding] = []
    broken: list[str] = []

    def look() -> None:
        try:
            for finding in check(machine):
                found.append(finding)
        except Exception as error:
            log.debug("%s", name, exc_info=True)
            broken.append(f"{type(error).__name__}: {one_line(error, 200)}")

    # A disk or a driver may hold it for ever: then it is left behind, and does not keep the process.
    worker = threading.Thread(target=look, name=f"doctor: {name}", daemon=True)
    worker.start()
    worker.join(seconds)
    hangs = [f"no answer within {seconds:g} s"] if worker.is_alive() else []
    why = "this could not be looked at, so it may be right or wrong; what follows is not touched by it"
    return [*found, *(warning(name, said, why, "edge doctor --debug") for said in (*broken, *hangs))]
