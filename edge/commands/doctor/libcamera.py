"""What `edge doctor` looks at: whether libcamera and picamera2 load here, and the cameras that they have."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from edge.commands.doctor.child import answer_of, ended, slow
from edge.commands.doctor.finding import Finding, failure, ok, warning
from edge.commands.doctor.machine import TIMED_OUT, Machine

TRY_LIBCAMERA = """
import json, libcamera
from picamera2 import Picamera2
print(json.dumps(Picamera2.global_camera_info(), default=str))
"""
"""The cameras that libcamera has, as JSON; the last line, as both may say more."""


def libcamera(machine: Machine) -> Iterable[Finding]:
    """Whether picamera2 and libcamera load and, if not, why this environment lacks them; the cameras they have."""
    scheme, what = machine.source
    wanted = scheme == "picamera2"
    worst = failure if wanted and machine.pi else warning
    done = machine.child(TRY_LIBCAMERA)
    cameras = answer_of(done)
    if done.status == TIMED_OUT:
        yield slow("libcamera", done)
    elif cameras is None:
        said = ended(done)
        if "No module named" not in said:
            why = "the Pi's own camera cannot be used; apt's libcamera and picamera2 must be of one release"
            yield worst("libcamera", said, why, "sudo apt install --reinstall -y python3-picamera2 python3-libcamera")
        elif wanted or machine.pi:
            yield worst("libcamera", said, *_lacking(machine))
        else:
            yield ok("libcamera", "not here, and only picamera2: needs it")
    else:
        names = [f"{n} is {camera.get('Model', 'unknown')}" for n, camera in enumerate(cameras)]
        if wanted and what in ("", *map(str, range(99))) and int(what or 0) >= len(cameras):
            said = f"no camera {what or 0} ({', '.join(names) or 'none is connected'})"
            why = "check both ends of its cable: contacts towards the board, with the power off"
            yield worst("libcamera", said, why, "rpicam-hello --list-cameras")
        else:
            yield ok("libcamera", f"loads; camera {', '.join(names)}" if names else "loads; no camera is connected")


def _lacking(machine: Machine) -> tuple[str, str]:
    """Why this environment has no picamera2, and the command that gives it one."""
    said = (machine.prefix / "pyvenv.cfg").read_text("utf-8") if (machine.prefix / "pyvenv.cfg").is_file() else ""
    fields = {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in said.splitlines())}
    prefix, version = shlex.quote(str(machine.prefix)), ".".join(map(str, machine.python))
    apt = "sudo apt install -y python3-picamera2"
    theirs = machine.path("/usr/bin/python3")
    distribution = theirs.readlink().name.removeprefix("python") if theirs.is_symlink() else version
    if not machine.pi:
        return (
            "picamera2: is the Pi's own camera, and this is no Pi: name another source",
            "edge run --source synthetic:",
        )
    if distribution != version:
        why = f"apt's picamera2 is for Python {distribution}, this is Python {version}: make the environment anew"
        return why, f"/usr/bin/python3 -m venv --clear --system-site-packages {prefix} && {machine.pip('edge-digits')}"
    if fields.get("include-system-site-packages", "true") == "false":
        why = "picamera2 comes from apt, and this environment was made without --system-site-packages"
        return why, f"sed -i '/^include-system/s/false/true/' {prefix}/pyvenv.cfg && {apt}"
    return "picamera2 comes from apt, and is not installed", apt
