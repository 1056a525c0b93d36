"""Runs the checks of ``edge doctor``, each with a time limit."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator

from edge.commands.doctor import cameras, computer, libcamera, output, permissions, software, unit, view
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
    "model": software.model,
    "numpy": software.numpy,
    "libcamera": libcamera.libcamera,
    "cameras": cameras.cameras,
    "in use": cameras.in_use,
    "picture": view.picture,
    "focus": view.focus,
    "view": view.field_of_view,
    "exposure": view.exposure,
    "flicker": view.flicker,
    "digit height": view.digit_height,
    "groups": permissions.groups,
    "publisher": output.publishers,
    "disk": output.disk,
    "service": unit.service,
    "sandbox": unit.sandbox,
}
"""Name -> check, in the order of the output."""
SECONDS = 5.0
"""Time limit of one check, times the machine's patience, as that of the one command that it waits for (4 s)."""
LONGER = {"picture": 40.0}
"""Time limits of checks that need more: this one waits for the camera, up to LOOK_SECONDS."""


def examine(machine: Machine, checks: dict[str, Check] = CHECKS, *, seconds: float = SECONDS) -> Iterator[Finding]:
    """The findings of all checks, in order. A check that fails or hangs gives a warning, and the next one runs."""
    for name, check in checks.items():
        yield from _findings(name, check, machine, max(seconds, LONGER.get(name, 0.0)) * machine.patience)


def _findings(name: str, check: Check, machine: Machine, seconds: float) -> list[Finding]:
    found: list[Finding] = []
    problems: list[str] = []

    def work() -> None:
        try:
            for finding in check(machine):
                found.append(finding)
        except Exception as error:
            log.debug("%s", name, exc_info=True)
            problems.append(f"{type(error).__name__}: {one_line(error, 200)}")

    # A disk or driver may block it for ever. As a daemon thread it does not keep the process from ending.
    worker = threading.Thread(target=work, name=f"doctor: {name}", daemon=True)
    worker.start()
    worker.join(seconds)
    if worker.is_alive():
        problems.append(f"no answer within {seconds:g} s")
    why = "this could not be checked, so whether it works is unknown; the other checks are not affected"
    return [*found, *(warning(name, said, why, "edge doctor --debug") for said in problems)]
