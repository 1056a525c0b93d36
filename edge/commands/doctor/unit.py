"""Checks of `edge doctor`: the state of the service, and its sandbox."""

from __future__ import annotations

import re
from collections.abc import Iterable

from edge.commands.doctor.computer import NO_SYSTEMD
from edge.commands.doctor.finding import Finding, failure, last_line, ok, warning
from edge.commands.doctor.machine import UNIT, Machine
from edge.system.command import MISSING

MAX_EXPOSURE = 1.5
"""Highest exposure level by ``systemd-analyze security``, from 0 (safe) to 10 (open); the installed unit has less."""
LOG = "journalctl -u edge -n 20 --no-pager"
"""The command that shows the end of the service's log."""


def service(machine: Machine) -> Iterable[Finding]:
    """Whether the service runs now, and will start with the machine."""
    keys = ("LoadState", "ActiveState", "SubState", "UnitFileState", "NRestarts")
    done = machine.run(["systemctl", "show", UNIT, *(f"--property={key}" for key in keys)])
    if done.status == MISSING or NO_SYSTEMD.search(done.error):
        yield ok("service", "systemd does not run on this machine")
        return
    if done.status:
        why = "whether the service runs is unknown"
        yield warning("service", last_line(done.error) or f"status {done.status}", why, f"systemctl status {UNIT}")
        return
    fields = dict(line.split("=", 1) for line in done.out.splitlines() if "=" in line)
    active, restarts = fields.get("ActiveState", "unknown"), fields.get("NRestarts", "0")
    said = f"{active} ({fields.get('SubState', 'unknown')}), {fields.get('UnitFileState') or 'not enabled'}"
    said += f", restarted {restarts} times" if restarts not in ("", "0") else ""
    if fields.get("LoadState") == "not-found":
        yield ok("service", "not installed; make install does that")
    elif fields.get("LoadState") == "masked":
        yield failure("service", "masked", "a masked service cannot be started", "sudo systemctl unmask edge")
    elif active == "failed":
        yield failure(
            "service", said, f"systemd no longer restarts it; its log says why: {LOG}", "sudo systemctl restart edge"
        )
    elif active == "activating":
        yield warning(
            "service", said, "it is starting, or it fails and is restarted again and again; its log says why", LOG
        )
    elif active != "active":
        yield warning(
            "service", said, "the service does not run, so nothing is read", "sudo systemctl enable --now edge"
        )
    elif fields.get("UnitFileState") != "enabled":
        why = "it will not start when the machine starts"
        yield warning("service", said, why, "sudo systemctl enable edge")
    else:
        yield ok("service", said)


def sandbox(machine: Machine) -> Iterable[Finding]:
    """The exposure level of the installed unit by ``systemd-analyze security``."""
    if not machine.unit:
        yield ok("sandbox", "the service is not installed")
        return
    done = machine.run(["systemd-analyze", "security", "--offline=true", "--no-pager", machine.unit])
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.out)
    if found and float(found.group(1)) <= MAX_EXPOSURE:
        yield ok("sandbox", f"exposure {found.group(1)} of 10")
    elif found:
        why = f"the unit was changed and has more rights than it needs (originally at most {MAX_EXPOSURE}): undo that"
        yield warning(
            "sandbox", f"exposure {found.group(1)} of 10", why, f"sudo systemctl revert {UNIT} && make install"
        )
    elif done.status == MISSING:
        yield ok("sandbox", "not checked: systemd-analyze is not installed")
    else:
        why = "systemd cannot rate the unit, which may have a mistake"
        yield warning("sandbox", last_line(done.error) or "no answer", why, f"systemd-analyze verify {machine.unit}")
