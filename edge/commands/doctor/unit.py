"""What `edge doctor` looks at: the service's state, and how tight its sandbox is."""

from __future__ import annotations

import re
from collections.abc import Iterable

from edge.commands.doctor.computer import NO_SYSTEMD
from edge.commands.doctor.finding import Finding, failure, last_line, ok, warning
from edge.commands.doctor.machine import MISSING, UNIT, Machine

LOOSE = 1.5
"""The unit as it is installed scores no more in ``systemd-analyze security`` (0 is tight, 10 is none)."""
LOG = "journalctl -u edge -n 20 --no-pager"


def service(machine: Machine) -> Iterable[Finding]:
    """Whether it runs now, and after the next start of the machine."""
    keys = ("LoadState", "ActiveState", "SubState", "UnitFileState", "NRestarts")
    done = machine.run(["systemctl", "show", UNIT, *(f"--property={key}" for key in keys)])
    if done.status == MISSING or NO_SYSTEMD.search(done.error):
        yield ok("service", "systemd does not run here")
        return
    if done.status:
        why = "whether the service runs cannot be told"
        yield warning("service", last_line(done.error) or f"status {done.status}", why, f"systemctl status {UNIT}")
        return
    fields = dict(line.split("=", 1) for line in done.out.splitlines() if "=" in line)
    active, restarts = fields.get("ActiveState", "unknown"), fields.get("NRestarts", "0")
    said = f"{active} ({fields.get('SubState', 'unknown')}), {fields.get('UnitFileState') or 'not enabled'}"
    said += f", restarted {restarts} times" if restarts not in ("", "0") else ""
    if fields.get("LoadState") == "not-found":
        yield ok("service", "not installed (make install does it)")
    elif fields.get("LoadState") == "masked":
        yield failure("service", "masked", "it cannot be started", "sudo systemctl unmask edge")
    elif active == "failed":
        yield failure("service", said, f"it gave up; its log says why: {LOG}", "sudo systemctl restart edge")
    elif active == "activating":
        yield warning("service", said, "it starts, or starts again and again; its log says why", LOG)
    elif active != "active":
        yield warning("service", said, "nothing is read", "sudo systemctl enable --now edge")
    elif fields.get("UnitFileState") != "enabled":
        why = "it does not come back when the machine is started again"
        yield warning("service", said, why, "sudo systemctl enable edge")
    else:
        yield ok("service", said)


def sandbox(machine: Machine) -> Iterable[Finding]:
    """What ``systemd-analyze security`` gives the installed unit."""
    if not machine.unit:
        yield ok("sandbox", "no service is installed")
        return
    done = machine.run(["systemd-analyze", "security", "--offline=true", "--no-pager", machine.unit])
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.out)
    if found and float(found.group(1)) <= LOOSE:
        yield ok("sandbox", f"{found.group(1)} of 10 open")
    elif found:
        why = f"as it comes it is {LOOSE} at most: what breaks in may do more than it needs; take your changes back"
        yield warning("sandbox", f"{found.group(1)} of 10 open", why, f"sudo systemctl revert {UNIT} && make install")
    elif done.status == MISSING:
        yield ok("sandbox", "systemd-analyze is not here")
    else:
        why = "systemd cannot judge it; the unit may have a mistake"
        yield warning("sandbox", last_line(done.error) or "no answer", why, f"systemd-analyze verify {machine.unit}")
