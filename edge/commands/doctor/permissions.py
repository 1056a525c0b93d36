"""What `edge doctor` looks at: who may use the devices that a camera needs."""

from __future__ import annotations

import shlex
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from edge.commands.doctor.finding import Finding, failure, ok, warning
from edge.commands.doctor.machine import Machine

GROUPS = {"video": "video", "media": "video", "dma_heap/": "video", "dri/renderD": "render"}
"""How a device's name below /dev begins -> the group that may use it on Raspberry Pi OS."""
Judge = Callable[[str, str, str, str], Finding]
"""``failure`` where the settings' camera needs it, ``warning`` where none does."""


def groups(machine: Machine) -> Iterable[Finding]:
    """Whether this user, and the service's, may use the devices that a camera needs."""
    devices = dict(_devices(machine))
    if not devices:
        yield ok("groups", "no camera's device to be allowed to use")
        return
    needed = machine.source[0] == "v4l2" or (machine.source[0] == "picamera2" and bool(machine.pi))
    if not machine.for_service:
        yield _own_groups(machine, devices, failure if needed else warning)
    yield from _service_groups(machine, devices, failure if needed else warning)


def _devices(machine: Machine) -> Iterator[tuple[Path, str]]:
    """What a camera needs, and the group that may use it; on a machine that is no Pi, only the cameras themselves."""
    patterns = GROUPS if machine.pi and machine.source[0] != "v4l2" else ("video", "media")
    found = {path: GROUPS[pattern] for pattern in patterns for path in machine.path("/dev").glob(f"{pattern}*")}
    # A machine without a camera has a graphics card, maybe, and that is no concern of ours.
    if any(path.name.startswith(("video", "media")) for path in found):
        yield from found.items()


def _own_groups(machine: Machine, devices: dict[Path, str], level: Judge) -> Finding:
    """Whether this user may use them and, if not, whether it has joined a group since it logged in."""
    barred = {path: group for path, group in devices.items() if not machine.may_use(path)}
    name = machine.user.name
    if not barred:
        return ok("groups", f"{name} may use all that a camera needs ({len(devices)} devices)")
    lacking = sorted(set(barred.values()))
    first = min(barred).relative_to(machine.root)
    said = f"{name} may not use /{first}" + (f" and {len(barred) - 1} more" if len(barred) > 1 else "")
    if all(name in _members(machine, group) for group in lacking):
        why = f"{name} joined {' and '.join(lacking)} after logging in: log in again, or"
        return level("groups", said, why, f"newgrp {lacking[0]}")
    why = "without it the camera cannot be opened; log in again afterwards"
    return level("groups", said, why, f"sudo usermod -aG {','.join(lacking)} {shlex.quote(name)}")


def _service_groups(machine: Machine, devices: dict[Path, str], level: Judge) -> Iterator[Finding]:
    """The same for the user that the unit names; root may use all."""
    user = machine.unit_says("User")
    if not user or user == "root":
        return
    given = machine.unit_says("SupplementaryGroups").split()
    has = {group for group in set(devices.values()) if group in given or user in _members(machine, group)}
    barred = {group for path, group in devices.items() if group not in has and not _for_all(path)}
    if barred:
        said = f"the service's user {user} is not in {' or '.join(sorted(barred))}"
        why = "it runs by hand and fails as a service"
        mend = f"sudo usermod -aG {','.join(sorted(barred))} {shlex.quote(user)} && sudo systemctl restart edge"
        yield level("groups", said, why, mend)
    else:
        yield ok("groups", f"the service's user {user} may use what a camera needs")


def _for_all(path: Path) -> bool:
    return stat.S_IMODE(path.stat().st_mode) & 0o006 == 0o006


def _members(machine: Machine, group: str) -> list[str]:
    """Who is in a group by /etc/group: group(5)."""
    for line in machine.text("/etc/group").splitlines():
        fields = line.split(":")
        if len(fields) == 4 and fields[0] == group:
            return fields[3].split(",")
    return []
