"""Cameras are found on machines that are laid out here, as drivers, udev and libcamera show them."""

import fcntl
import json
from pathlib import Path
from typing import Any

import pytest

from edge.sources import cameras_found, open_source
from edge.sources.cameras_found import CAPABILITY, FoundCamera, device_of, find_cameras
from edge.system.command import MISSING, TIMED_OUT, Done

RIBBON = {"Model": "imx708", "Id": "/base/soc/i2c0mux/i2c@1/imx708@1a", "Num": 1}
USB = {"Model": "HD Webcam", "Id": "/base/scb/pcie@7d500000/pci@0,0/usb@0,0-1.3:1.0-046d:0825", "Num": 0}
USB_OF_A_PC = {"Model": "HD Webcam", "Id": r"\_SB_.PCI0.XHC_.RHUB.HS06-6:1.0-04f2:b6d9", "Num": 0}


def lay(root: Path, **names: str) -> None:
    """Devices /dev/NAME of drivers that say so; ``video1="Webcam #1"`` has index 1 in its camera."""
    for device, name in names.items():
        name, _, index = name.partition(" #")
        folder = root / "sys/class/video4linux" / device
        folder.mkdir(parents=True)
        (folder / "name").write_text(f"{name}\n")
        (folder / "index").write_text(f"{index or 0}\n")
        (root / "dev").mkdir(exist_ok=True)
        (root / "dev" / device).touch()


def found(root: Path, *libcamera: dict[str, Any], done: Done | None = None) -> list[FoundCamera]:
    return find_cameras(root, lambda words: done or Done(0, f"noise\n{json.dumps(libcamera)}\n"))


@pytest.mark.parametrize(
    ("what", "device"),
    [("", "/dev/video0"), ("2", "/dev/video2"), ("/dev/v4l/by-id/usb-c920", "/dev/v4l/by-id/usb-c920")],
)
def test_a_device_is_named_by_path_or_number(what: str, device: str) -> None:
    assert device_of(what) == device
    with open_source(f"v4l2:{what}") as source:
        assert source.name == f"v4l2:{device}"


def test_a_machine_without_cameras_has_none(tmp_path: Path) -> None:
    assert found(tmp_path) == []
    lay(tmp_path, video10="bcm2835-codec-decode", video20="pispbe-input", video0="unicam", video1="rp1-cfe-csi2_ch0")
    assert found(tmp_path) == []


def test_ribbon_cables_come_first_and_usb_cameras_are_read_as_devices(tmp_path: Path) -> None:
    lay(tmp_path, video0="HD Webcam: HD Webcam", video1="HD Webcam: HD Webcam #1", video10="Other")
    assert found(tmp_path, RIBBON, USB) == [
        FoundCamera("picamera2:0", "imx708", "libcamera"),
        FoundCamera("v4l2:/dev/video0", "HD Webcam", "v4l2"),
        FoundCamera("v4l2:/dev/video10", "Other", "v4l2"),
    ]
    assert [camera.uri for camera in found(tmp_path, USB_OF_A_PC, RIBBON)][0] == "picamera2:1"


@pytest.mark.parametrize(
    "done",
    [
        Done(MISSING),
        Done(1, "", "ModuleNotFoundError: No module named 'libcamera'"),
        Done(-11),
        Done(TIMED_OUT),
        Done(0, ""),
        Done(0, "nonsense\n"),
        Done(0, '{"Model": 3}\n'),
        Done(0, "[3]\n"),
    ],
)
def test_without_libcamera_only_devices_are_found(tmp_path: Path, done: Done) -> None:
    lay(tmp_path, video0="Webcam")
    assert [camera.uri for camera in found(tmp_path, done=done)] == ["v4l2:/dev/video0"]


@pytest.mark.parametrize("capabilities", [0x04200001, 0x00801000])
def test_a_device_that_can_be_asked_says_whether_it_gives_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capabilities: int
) -> None:
    """Such as vivid: its output, its metadata and its radio are /dev/video* of index 0 too."""
    lay(tmp_path, video0="vivid-000-vid-cap", video1="vivid-000-vid-out", video2="vivid-000-meta-cap")
    answers = {"video0": capabilities, "video1": 0x00200002, "video2": 0x05A00000}

    def answer(descriptor: int, request: int, argument: bytes) -> bytes:
        assert (request, len(argument)) == (cameras_found.QUERYCAP, 104)
        device = Path(f"/proc/self/fd/{descriptor}").readlink().name
        return CAPABILITY.pack(b"vivid", b"vivid", b"platform:vivid", 6, 0x85A00003, answers[device])

    monkeypatch.setattr(fcntl, "ioctl", answer)
    assert [camera.uri for camera in found(tmp_path)] == ["v4l2:/dev/video0"]


def test_a_camera_has_the_name_that_it_keeps(tmp_path: Path) -> None:
    lay(tmp_path, video0="Webcam", video2="Webcam", video4="Third")
    links = tmp_path / "dev/v4l/by-id"
    links.mkdir(parents=True)
    (links / "usb-046d_C920_1234-video-index0").symlink_to("../../video2")
    (links / "usb-odd?size=1x1-video-index0").symlink_to("../../video4")
    assert [camera.uri for camera in found(tmp_path)] == [
        "v4l2:/dev/video0",
        "v4l2:/dev/v4l/by-id/usb-046d_C920_1234-video-index0",
        "v4l2:/dev/video4",
    ]
