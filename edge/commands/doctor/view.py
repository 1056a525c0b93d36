"""Checks of `edge doctor`: what the camera of the settings sees, by `edge aim` for a few seconds."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Any

from edge import uri
from edge.commands.doctor.cameras import camera_users
from edge.commands.doctor.child import answer_of, problem_of
from edge.commands.doctor.finding import Finding, ok, warning
from edge.commands.doctor.machine import UNIT, Machine
from edge.sources.cameras_found import device_of
from edge.vision.flicker import STRONG

FULL_VIEW = 0.95
"""A picture has all that the camera can see from this share of its width and height on. Chosen: sensors round."""
DEVICES = ("picamera2", "v4l2")
"""The schemes of cameras that only one program at a time can use."""
CAMERAS = (*DEVICES, "rtsp", "http", "https")


def picture(machine: Machine) -> Iterable[Finding]:
    """Takes a picture with the camera of the settings, if that is free, and keeps it with what was read in it."""
    if why := _reason_to_skip(machine):
        yield ok("picture", f"skipped: {why}")
        return
    done, where = machine.look()
    answer = answer_of(done)
    if not isinstance(answer, dict):
        # Whether this is a fault is said by the checks of the camera.
        yield ok("picture", f"skipped: {problem_of(done).removeprefix('edge: ')}")
        return
    kept = f", drawn in {where}" if where else "; --picture FILE keeps it"
    yield ok("picture", f"{answer['size'][0]}x{answer['size'][1]} pixels{kept}")


def focus(machine: Machine) -> Iterable[Finding]:
    """Whether the page is in focus."""
    aim = _aim(machine)
    if not aim or aim["is_sharp"] is None:
        yield _skipped("focus", aim, "nothing in the view has an edge")
    elif aim["is_sharp"]:
        yield ok("focus", f"sharp; edges are blurred by {aim['blur_pixels']} pixels")
    else:
        yield _step(machine, "focus", f"edges are blurred by {aim['blur_pixels']} pixels", _said(aim, "blurred"))


def field_of_view(machine: Machine) -> Iterable[Finding]:
    """Whether the picture has all that the camera can see."""
    aim = _aim(machine)
    if not aim or aim["seen_share"] is None:
        yield _skipped("view", aim, "this camera does not tell it")
    elif aim["seen_share"] >= FULL_VIEW:
        yield ok("view", "all that the camera can see")
    else:
        said = f"the picture has {aim['seen_share']:.0%} of what the camera can see"
        yield _step(machine, "view", said, "the page may be cut off: leave out the option size of the source")


def exposure(machine: Machine) -> Iterable[Finding]:
    """Whether the paper is neither dark nor white, and no lamp glares."""
    aim = _aim(machine)
    if not aim:
        yield _skipped("exposure", aim, "")
        return
    said = f"paper {aim['paper']} of 255, {aim['white_share']:.1%} of the view is clipped at white"
    if aim["light"] != "enough":
        yield _step(machine, "exposure", said, _said(aim, "dark", "bright", "noisy"))
    elif aim["glare"]:
        yield _step(machine, "exposure", f"{said}, with glare at the {aim['glare']}", _said(aim, "glare"))
    else:
        yield ok("exposure", said)


def flicker(machine: Machine) -> Iterable[Finding]:
    """Whether lamps that flicker make bands."""
    aim = _aim(machine)
    if not aim or aim["bands_share"] is None:
        yield _skipped("flicker", aim, "only one frame came")
    elif aim["bands_share"] < STRONG:
        yield ok("flicker", "no bands that move")
    else:
        said = f"bands of {aim['bands_share']:.0%} of the light move over the picture"
        option = "power_line_frequency" if machine.source[0] == "v4l2" else "flicker"
        why = f"a lamp flickers with the mains: set the source's option {option} to 50 or 60, whichever the mains have"
        yield _step(machine, "flicker", said, why)


def digit_height(machine: Machine) -> Iterable[Finding]:
    """Whether digits are tall enough."""
    aim = _aim(machine)
    if not aim or aim["digit_pixels"] is None:
        yield _skipped("digit height", aim, "no digit was read")
        return
    said = f"{int(aim['digit_pixels'])} pixels, {aim['needed_pixels']} are needed"
    if aim["digit_pixels"] >= aim["needed_pixels"]:
        yield ok("digit height", said)
    else:
        yield _step(machine, "digit height", said, _said(aim, "small"))


def _reason_to_skip(machine: Machine) -> str:
    """Why no frame may be taken; empty if it may."""
    scheme, what = machine.source
    if machine.settings_error:
        return "the settings are wrong"
    if scheme not in CAMERAS:
        return f"{uri.public(machine.settings.source)} is no camera"
    if scheme not in DEVICES:
        return ""
    if scheme == "v4l2" and not machine.path(device_of(what)).exists():
        return f"there is no {device_of(what)}"
    active = machine.run(["systemctl", "is-active", UNIT])
    if active.out.strip() == "active":
        return "the service may use the camera; its live page shows the aim too"
    for user in camera_users(machine)[0]:
        if scheme == "picamera2" or user.device == device_of(what):
            return f"{user.device} is used by process {user.process}, {user.command}"
    return ""


def _aim(machine: Machine) -> dict[str, Any] | None:
    """What `edge aim` found by the last frame; None if there is none."""
    answer = None if _reason_to_skip(machine) else answer_of(machine.look()[0])
    return answer if isinstance(answer, dict) else None


def _said(aim: dict[str, Any], *kinds: str) -> str:
    """The next step, if it is about this; another one comes first otherwise."""
    return str(aim["next_step"]) if aim["about"] in kinds else f"but first: {aim['next_step']}"


def _skipped(check: str, aim: dict[str, Any] | None, why: str) -> Finding:
    return ok(check, f"skipped: {why if aim else 'no picture was taken'}")


def _step(machine: Machine, check: str, said: str, why: str) -> Finding:
    """A warning; whether the step has helped is seen at once with `edge aim`."""
    command = ["edge", "aim", *(["--config", machine.config] if machine.config else [])]
    if not machine.config and (source := machine.settings.source) == uri.public(source):
        command += ["--source", source]
    return warning(check, said, why, shlex.join(command))
