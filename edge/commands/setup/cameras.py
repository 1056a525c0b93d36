"""The camera of ``edge setup``: what there is, a picture of each, and which one is read."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from edge import sources, uri
from edge.commands.doctor import cameras, libcamera, permissions, report
from edge.commands.doctor.examine import Check, examine
from edge.commands.doctor.machine import Machine
from edge.commands.setup import snapshot
from edge.commands.setup.dialogue import Dialogue
from edge.errors import SettingsError, SourceError
from edge.sources import open_source
from edge.sources.cameras_found import FoundCamera, device_of, find_cameras

CHECKS: dict[str, Check] = {
    "libcamera": libcamera.libcamera,
    "cameras": cameras.cameras,
    "in use": cameras.in_use,
    "groups": permissions.groups,
}
"""What ``edge doctor`` checks of cameras."""
CHECK_SECONDS = 60.0
"""Time limit of each. Chosen: nobody waits for the others, and a Pi Zero imports picamera2 for 20 s."""
DEVICES = ("picamera2", "v4l2")
"""The schemes of sources that can be found. Others, such as a network camera, are taken as they are."""


class Candidate(NamedTuple):
    """A source that may be chosen."""

    uri: str
    name: str
    """What it is, for people."""


def choose_source(dialogue: Dialogue, machine: Machine, given: str | None) -> str:
    """The URI of the camera to read: ``given``, the only one that there is, or the one that is chosen.

    The camera of the settings keeps its options. Raises SettingsError or SourceError if there is none.
    """
    if given is not None:
        source = _checked(given)
        _show(dialogue, machine, Candidate(source, "as given"), _picture_folder(), "camera.jpg")
        return source
    dialogue.say("Looking for cameras, and taking a picture with each ...")
    found = _candidates(machine.settings.source, find_cameras(machine.root, machine.run), machine)
    if not found:
        return _ask_for_another(dialogue, machine)
    folder = _picture_folder()
    for number, camera in enumerate(found, 1):
        _show(dialogue, machine, camera, folder, f"camera-{number}.jpg")
    if len(found) == 1:
        return found[0].uri
    for number, camera in enumerate(found, 1):
        dialogue.say(f"  {number}  {camera.name} ({uri.public(camera.uri)})")
    current = next((n for n, camera in enumerate(found, 1) if camera.uri == machine.settings.source), 1)

    def parse(answer: str) -> str:
        if not answer.isdecimal():
            return _checked(answer)
        if not 1 <= int(answer) <= len(found):
            raise SettingsError(f"answer 1 to {len(found)}, or a source such as {found[0].uri}")
        return found[int(answer) - 1].uri

    source = dialogue.ask("Which camera?", parse, default=str(current))
    if source not in (camera.uri for camera in found):
        _show(dialogue, machine, Candidate(source, "as typed"), folder, "camera.jpg")
    return source


def explain(dialogue: Dialogue, machine: Machine) -> None:
    """Print what ``edge doctor`` finds wrong with the cameras of this machine."""
    for finding in examine(machine, CHECKS, seconds=CHECK_SECONDS):
        if finding.level != "ok":
            dialogue.say(report.lines(finding))


def _checked(text: str) -> str:
    """The URI, if a source can be made of it. Raises SettingsError, also for files that are not there."""
    try:
        with open_source(text):
            return text
    except SourceError as error:
        raise SettingsError(str(error)) from error


def _candidates(configured: str, found: Sequence[FoundCamera], machine: Machine) -> list[Candidate]:
    """The cameras to choose from: those that are here, and a configured source that is no device."""
    here = _device(machine, configured)
    if here[0] not in DEVICES and configured not in (camera.uri for camera in found):
        return [Candidate(configured, "as in the settings"), *(Candidate(*camera[:2]) for camera in found)]
    return [
        Candidate(configured if _device(machine, camera.uri) == here else camera.uri, camera.name) for camera in found
    ]


def _device(machine: Machine, source: str) -> tuple[str, str]:
    """What a source reads: two URIs of one camera have the same."""
    scheme, what = sources.split(source)[1:3]
    if scheme == "v4l2" or (not scheme and what.startswith("/dev/")):
        return "v4l2", machine.path(device_of(what)).resolve().name
    return scheme, (what or "0") if scheme == "picamera2" else source


def _show(dialogue: Dialogue, machine: Machine, camera: Candidate, folder: Path | None, file_name: str) -> None:
    """Take a picture; say what is read on it and where it is, or why there is none."""
    name = f"{camera.name} ({uri.public(camera.uri)})"
    file = folder / file_name if folder else None
    taken = snapshot.take(camera.uri, file, machine.config, machine.run)
    if taken.problem:
        dialogue.part("camera", f"{name}: no picture: {taken.problem}")
        explain(dialogue, replace(machine, settings=replace(machine.settings, source=camera.uri)))
        return
    dialogue.part("camera", f"{name}: {taken.said}")
    if file:
        dialogue.part("", f"its picture: {file}")


def _picture_folder() -> Path | None:
    """A new folder that only the person who types may read, also one who has used sudo; None if there is no room."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="edge-setup-"))
    except OSError:
        return None
    owner = [os.environ.get(name, "") for name in ("SUDO_UID", "SUDO_GID")]
    if os.geteuid() == 0 and all(one.isdecimal() for one in owner):
        with contextlib.suppress(OSError):
            os.chown(folder, int(owner[0]), int(owner[1]))
    return folder


def _ask_for_another(dialogue: Dialogue, machine: Machine) -> str:
    """Say why there is no camera, and take another source. Raises SourceError if there is none either."""
    dialogue.say("No camera was found.")
    explain(dialogue, machine)
    answer = dialogue.ask(
        "Another source, such as /dev/video0, rtsp://HOST/PATH or synthetic: (empty: end here):",
        lambda text: _checked(text) if text else "",
    )
    if not answer:
        raise SourceError("no camera was found; connect one, then run edge setup again; nothing was changed")
    _show(dialogue, machine, Candidate(answer, "as typed"), _picture_folder(), "camera.jpg")
    return answer
