"""Finds the cameras of this machine without starting one: those of libcamera, and those that are /dev/video*."""

from __future__ import annotations

import fcntl
import json
import os
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from edge.system import command
from edge.system.command import Done

LIST_LIBCAMERA = """
import json, libcamera
from picamera2 import Picamera2
print(json.dumps(Picamera2.global_camera_info(), default=str))
"""
"""Prints the cameras of libcamera as JSON on its last line; the libraries may print more before."""
LIST_SECONDS = 60.0
"""Time limit for that. Chosen: on a Pi Zero picamera2 is imported for some 20 s."""
USB_ID = re.compile(r"/usb@|-[0-9a-f]{4}:[0-9a-f]{4}$")
"""What the libcamera ids of USB cameras have: its UVC pipeline handler ends an id with the vendor and product
(PipelineHandlerUVC::generateId in libcamera's uvcvideo.cpp). They are /dev/video* too, and better read there."""
NOT_CAMERAS = ("bcm2835-codec", "bcm2835-isp", "pispbe", "rpi-hevc", "rpivid")
"""How the driver names of a Pi's codecs and image processors begin: /dev/video* devices that are not cameras."""
RECEIVERS = ("unicam", "rp1-cfe")
"""How the driver names of camera connectors begin. Their raw pictures are for libcamera; v4l2: cannot use them."""
QUERYCAP = 0x80685600
"""The ioctl VIDIOC_QUERYCAP (query capabilities) of <linux/videodev2.h>."""
CAPABILITY = struct.Struct("16s32s32s3I12x")
"""A struct v4l2_capability: driver, card, bus_info, version, capabilities, device_caps, reserved."""
CAPTURES = 0x0000_0001 | 0x0000_1000
"""V4L2_CAP_VIDEO_CAPTURE and V4L2_CAP_VIDEO_CAPTURE_MPLANE."""
Kind = Literal["libcamera", "v4l2"]


class FoundCamera(NamedTuple):
    """A camera that this machine has now."""

    uri: str
    """The source that reads it, without options: ``picamera2:0``, ``v4l2:/dev/video0``."""
    name: str
    """What it is, for people: ``imx708``, ``HD Pro Webcam C920``."""
    kind: Kind
    """libcamera: on the ribbon cable of a Raspberry Pi; v4l2: any other, such as one on USB."""


def device_of(what: str) -> str:
    """The device that ``v4l2:`` with this behind it reads: a path, or the number of a /dev/video*; nothing is 0."""
    return f"/dev/video{int(what or 0)}" if what.isdecimal() or not what else what


def _run(words: list[str]) -> Done:
    return command.run(words, seconds=LIST_SECONDS)


def find_cameras(root: Path = Path("/"), run: Callable[[list[str]], Done] = _run) -> list[FoundCamera]:
    """The cameras, those on a ribbon cable first. ``root`` and ``run`` are other ones in tests.

    libcamera is asked in a process of its own: it may crash or hang, and while it is loaded other programs cannot have
    all of its cameras. Where it is not installed, none of its cameras is found; ``edge doctor`` says so.
    """
    return [*_libcamera_cameras(run), *_v4l2_cameras(root)]


def _libcamera_cameras(run: Callable[[list[str]], Done]) -> Iterator[FoundCamera]:
    for number, camera in enumerate(libcamera_list(run(command.python(LIST_LIBCAMERA))) or ()):
        if not USB_ID.search(str(camera.get("Id", ""))):
            yield FoundCamera(f"picamera2:{number}", str(camera.get("Model", "unknown")), "libcamera")


def libcamera_list(done: Done) -> list[dict[str, Any]] | None:
    """What LIST_LIBCAMERA printed: the camera with number n is the n-th. None if it failed."""
    try:
        listed = json.loads(done.out.strip().splitlines()[-1]) if done.status == 0 else None
    except (ValueError, IndexError):
        return None
    return listed if isinstance(listed, list) and all(isinstance(one, dict) for one in listed) else None


def _v4l2_cameras(root: Path) -> Iterator[FoundCamera]:
    for device, name in video_devices(root):
        path = root / device.lstrip("/")
        if name.startswith((*NOT_CAMERAS, *RECEIVERS)) or not _captures(root, path):
            continue
        yield FoundCamera(f"v4l2:{_lasting_name(root, device)}", name.partition(": ")[0], "v4l2")


def video_devices(root: Path) -> Iterator[tuple[str, str]]:
    """Each /dev/video* by number, and the name that its driver gives it."""
    for device in sorted((root / "dev").glob("video[0-9]*"), key=lambda path: int(path.name[5:])):
        yield f"/dev/{device.name}", _driver_text(root, device.name, "name") or "unknown"


def _captures(root: Path, path: Path) -> bool:
    """Whether a device gives pictures: its other nodes take pictures, or give data about them."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            answer = fcntl.ioctl(descriptor, QUERYCAP, bytes(CAPABILITY.size))
        finally:
            os.close(descriptor)
    except OSError:
        # This user may not use it, so that it cannot be asked. The first node of a camera is the one with pictures.
        return _driver_text(root, path.name, "index") in ("0", "")
    return bool(CAPABILITY.unpack(answer)[-1] & CAPTURES)


def _lasting_name(root: Path, device: str) -> str:
    """The link of udev that has the camera's model and serial number; without one, the device itself.

    A camera that is unplugged and plugged in again may get another number.
    """
    for link in sorted((root / "dev/v4l/by-id").glob("*")):
        # udev makes other characters than these of a file name to _, so that none of them can begin an option.
        if re.fullmatch(r"[\w.:+@-]+", link.name) and link.is_symlink() and link.resolve().name == Path(device).name:
            return f"/dev/v4l/by-id/{link.name}"
    return device


def _driver_text(root: Path, device: str, name: str) -> str:
    try:
        return (root / "sys/class/video4linux" / device / name).read_text("utf-8", "replace").strip("\0 \n\t")
    except OSError:
        return ""
