"""Asks a V4L2 driver which formats, sizes, rates and controls its camera has, and sets controls.

Numbers and structs are those of <linux/videodev2.h>. They are the same in programs of 32 and 64 bits, except for struct
v4l2_format, where parts that are not used here have pointers.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from edge.system.closing import Closing

ENUM_FMT = 0xC0405602
"""The ioctl VIDIOC_ENUM_FMT, with a struct v4l2_fmtdesc of 64 bytes."""
ENUM_FRAMESIZES = 0xC02C564A
"""VIDIOC_ENUM_FRAMESIZES, with a struct v4l2_frmsizeenum of 44 bytes."""
ENUM_FRAMEINTERVALS = 0xC034564B
"""VIDIOC_ENUM_FRAMEINTERVALS, with a struct v4l2_frmivalenum of 52 bytes."""
G_FMT = 0xC0D05604 if struct.calcsize("P") == 8 else 0xC0CC5604
"""VIDIOC_G_FMT, with a struct v4l2_format of 208 bytes, or 204 in a program of 32 bits."""
QUERYCTRL = 0xC0445624
"""VIDIOC_QUERYCTRL, with a struct v4l2_queryctrl of 68 bytes."""
QUERYMENU = 0xC02C5625
"""VIDIOC_QUERYMENU, with a packed struct v4l2_querymenu of 44 bytes."""
G_CTRL, S_CTRL = 0xC008561B, 0xC008561C
"""VIDIOC_G_CTRL and VIDIOC_S_CTRL, with a struct v4l2_control of 8 bytes."""

FORMAT = struct.Struct("=3I32s2I12x")
"""index, type, flags, description, pixelformat, mbus_code."""
PICTURE = struct.Struct("=I4x5I180x" if struct.calcsize("P") == 8 else "=I5I180x")
"""type, and of its struct v4l2_pix_format width, height, pixelformat, field, bytesperline."""
SIZE = struct.Struct("=9I8x")
"""index, pixel_format, type, and a discrete (width, height) or (min, max, step) of width and of height."""
INTERVAL = struct.Struct("=11I8x")
"""index, pixel_format, width, height, type, and a discrete (numerator, denominator) or those of min, max and step."""
CONTROL = struct.Struct("=2I32s4iI8x")
"""id, type, name, minimum, maximum, step, default_value, flags."""
MENU = struct.Struct("=2I32s4x")
"""id, index, name."""
VALUE = struct.Struct("=Ii")
"""id, value."""

CAPTURE = 1
"""V4L2_BUF_TYPE_VIDEO_CAPTURE."""
DISCRETE = 1
"""V4L2_FRMSIZE_TYPE_DISCRETE and V4L2_FRMIVAL_TYPE_DISCRETE; other types are ranges."""
UNUSABLE = 0x0001 | 0x0004
"""V4L2_CTRL_FLAG_DISABLED and V4L2_CTRL_FLAG_READ_ONLY."""
NO_SUCH = (errno.EINVAL, errno.ENOTTY, errno.ENODATA, errno.ENOSYS)
"""What drivers answer if there is no such index or control, or if they do not know the question."""
MOST = 1000
"""Most formats, sizes or rates that are asked for, each. Chosen: cameras have at most some 30."""


class Mode(NamedTuple):
    """A pixel format and size that a camera has, and how fast it is there."""

    fourcc: str
    """The four letters of the pixel format, such as ``YUYV``."""
    width: int
    height: int
    fps: float
    """The most frames per second; 0 if the driver does not say."""


class Layout(NamedTuple):
    """How the frames lie in memory that the camera gives now."""

    fourcc: str
    width: int
    height: int
    bytes_per_line: int
    """With any padding on the right; 0 for a compressed format."""


class Control(NamedTuple):
    """A control that a driver has, such as gain."""

    number: int
    """V4L2_CID_…"""
    name: str
    """What the driver calls it."""
    low: int
    high: int


class VideoDevice(Closing):
    """An open /dev/video*, to be asked and set; another descriptor may capture from it at the same time."""

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self._descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def close(self) -> None:
        """Close it; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def modes(self, size: tuple[int, int]) -> list[Mode]:
        """Each pixel format with each of its sizes; of a range of sizes, the one next to ``size``. Raises OSError."""
        return [mode for format_ in self._each(ENUM_FMT, FORMAT, CAPTURE) for mode in self._sizes(format_[4], size)]

    def _sizes(self, pixel_format: int, size: tuple[int, int]) -> Iterator[Mode]:
        fourcc = _letters(pixel_format)
        for _, _, kind, *sides in self._each(ENUM_FRAMESIZES, SIZE, pixel_format):
            width, height = sides[:2]
            if kind != DISCRETE:
                width, height = within(size[0], *sides[:3]), within(size[1], *sides[3:6])
            # Of a range of intervals, the shortest comes first, too.
            intervals = [
                fields[5:7] for fields in self._each(ENUM_FRAMEINTERVALS, INTERVAL, pixel_format, width, height)
            ]
            yield Mode(fourcc, width, height, max((below / above for above, below in intervals if above), default=0.0))

    def layout(self) -> Layout | None:
        """How the frames lie in memory; None if the driver does not say. Raises OSError."""
        answer = self._ask(G_FMT, PICTURE, CAPTURE)
        return Layout(_letters(answer[3]), answer[1], answer[2], answer[5]) if answer else None

    def control(self, number: int) -> Control | None:
        """The control with this V4L2_CID_…; None if the driver has none that can be set."""
        answer = self._ask(QUERYCTRL, CONTROL, number)
        if answer is None or answer[7] & UNUSABLE:
            return None
        return Control(number, answer[2].partition(b"\0")[0].decode("latin-1"), answer[3], answer[4])

    def has_choice(self, number: int, value: int) -> bool:
        """Whether a control that is a menu has this choice; not every one between its least and greatest."""
        control = self.control(number)
        return (
            control is not None
            and control.low <= value <= control.high
            and self._ask(QUERYMENU, MENU, number, value) is not None
        )

    def set(self, number: int, value: int) -> None:
        """Set a control. Raises OSError if the driver refuses."""
        fcntl.ioctl(self._descriptor, S_CTRL, VALUE.pack(number, value))

    def get(self, number: int) -> int:
        """The value of a control. Raises OSError."""
        return int(VALUE.unpack(fcntl.ioctl(self._descriptor, G_CTRL, VALUE.pack(number, 0)))[1])

    def _each(self, request: int, layout: struct.Struct, *asked: int) -> Iterator[tuple[Any, ...]]:
        """The driver's answers for the indices 0, 1, 2 …, until it has no more."""
        for index in range(MOST):
            answer = self._ask(request, layout, index, *asked)
            if answer is None:
                return
            yield answer

    def _ask(self, request: int, layout: struct.Struct, *asked: int) -> tuple[Any, ...] | None:
        """The driver's answer to a struct that begins with these numbers; None if it has no such thing."""
        question = struct.pack(f"={len(asked)}I", *asked)
        try:
            return layout.unpack(fcntl.ioctl(self._descriptor, request, question.ljust(layout.size, b"\0")))
        except OSError as error:
            if error.errno in NO_SUCH:
                return None
            raise


def within(wanted: int, low: int, high: int, step: int) -> int:
    """The value of a range that is next to the wanted one."""
    return low + round((min(max(wanted, low), high) - low) / max(step, 1)) * max(step, 1)


def _letters(pixel_format: int) -> str:
    return pixel_format.to_bytes(4, "little").decode("latin-1")
