"""A check of `edge doctor`: whether the user and the service may use the devices that a camera needs."""

from __future__ import annotations

import shlex
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from edge.commands.doctor.finding import Finding, failure, ok, warning
from edge.commands.doctor.machine import Machine

GROUPS = {"video": "video", "media": "video", "dma_heap/": "video", "dri/renderD": "render"}
"""Start of a device's name below /dev -> the group that may use it on Raspberry Pi OS."""
MakeFinding = Callable[[str, str, str, str], Finding]
"""``failure`` if the camera of the settings needs the devices, otherwise ``warning``."""


def groups(machine: Machine) -> Iterable[Finding]:
    """Whether this user, and that of the service, may use the devices that a camera needs."""
    devices = dict(_devices(machine))
    if not devices:
        yield ok("groups", "no device of a camera found")
        return
    needed = machine.source[0] == "v4l2" or (machine.source[0] == "picamera2" and bool(machine.pi))
    if not machine.for_service:
        yield _own_groups(machine, devices, failure if needed else warning)
    yield from _service_groups(machine, devices, failure if needed else warning)


def _devices(machine: Machine) -> Iterator[tuple[Path, str]]:
    """The devices that a camera needs, and the group that may use each; except on a Pi, only the cameras themselves."""
    patterns = GROUPS if machine.pi and machine.source[0] != "v4l2" else ("video", "media")
    found = {path: GROUPS[pattern] for pattern in patterns for path in machine.path("/dev").glob(f"{pattern}*")}
    # A graphics card without a camera does not matter.
    if any(path.name.startswith(("video", "media")) for path in found):
        yield from found.items()


def _own_groups(machine: Machine, devices: dict[Path, str], level: MakeFinding) -> Finding:
    """Whether this user may use the devices; if not, whether it joined their groups after logging in."""
    denied = {path: group for path, group in devices.items() if not machine.may_use(path)}
    name = machine.user.name
    if not denied:
        return ok("groups", f"{name} may use all devices of cameras ({len(devices)})")
    missing = sorted(set(denied.values()))
    first = min(denied).relative_to(machine.root)
    said = f"{name} may not use /{first}" + (f" and {len(denied) - 1} more" if len(denied) > 1 else "")
    if all(name in _members(machine, group) for group in missing):
        why = (
            f"{name} joined the group {' and '.join(missing)} after logging in: log in again, or start a new shell with"
        )
        return level("groups", said, why, f"newgrp {missing[0]}")
    why = "the camera cannot be opened without this permission: join the group, then log in again"
    return level("groups", said, why, f"sudo usermod -aG {','.join(missing)} {shlex.quote(name)}")


def _service_groups(machine: Machine, devices: dict[Path, str], level: MakeFinding) -> Iterator[Finding]:
    """Whether the user of the service may use the devices. Root may use all."""
    user = machine.unit_value("User")
    if not user or user == "root":
        return
    extra = machine.unit_value("SupplementaryGroups").split()
    has = {group for group in set(devices.values()) if group in extra or user in _members(machine, group)}
    missing = {group for path, group in devices.items() if group not in has and not _is_for_all(path)}
    if missing:
        said = f"the service's user {user} is not in the group {' or '.join(sorted(missing))}"
        why = "the service cannot open the camera, even if edge run works by hand"
        mend = f"sudo usermod -aG {','.join(sorted(missing))} {shlex.quote(user)} && sudo systemctl restart edge"
        yield level("groups", said, why, mend)
    else:
        yield ok("groups", f"the service's user {user} may use all devices of cameras")


def _is_for_all(path: Path) -> bool:
    return stat.S_IMODE(path.stat().st_mode) & 0o006 == 0o006


def _members(machine: Machine, group: str) -> list[str]:
    """The members of a group by /etc/group: group(5)."""
    for line in machine.text("/etc/group").splitlines():
        fields = line.split(":")
        if len(fields) == 4 and fields[0] == group:
            return fields[3].split(",")
    return []
