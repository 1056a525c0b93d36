"""A stand-in of a V4L2 driver: answers the ioctls of <linux/videodev2.h>, with its structs as C has them."""

from __future__ import annotations

import ctypes
import errno
from dataclasses import dataclass, field

U32, S32, U8 = ctypes.c_uint32, ctypes.c_int32, ctypes.c_uint8


class FmtDesc(ctypes.Structure):
    """struct v4l2_fmtdesc"""

    _fields_ = (
        ("index", U32), ("type", U32), ("flags", U32), ("description", U8 * 32), ("pixelformat", U32),
        ("mbus_code", U32), ("reserved", U32 * 3),
    )  # fmt: skip


class FrmSizeEnum(ctypes.Structure):
    """struct v4l2_frmsizeenum; ``sides`` is its union."""

    _fields_ = (("index", U32), ("pixel_format", U32), ("type", U32), ("sides", U32 * 6), ("reserved", U32 * 2))


class FrmIvalEnum(ctypes.Structure):
    """struct v4l2_frmivalenum; ``fractions`` is its union."""

    _fields_ = (
        ("index", U32), ("pixel_format", U32), ("width", U32), ("height", U32), ("type", U32), ("fractions", U32 * 6),
        ("reserved", U32 * 2),
    )  # fmt: skip


class QueryCtrl(ctypes.Structure):
    """struct v4l2_queryctrl"""

    _fields_ = (
        ("id", U32), ("type", U32), ("name", U8 * 32), ("minimum", S32), ("maximum", S32), ("step", S32),
        ("default_value", S32), ("flags", U32), ("reserved", U32 * 2),
    )  # fmt: skip


class QueryMenu(ctypes.Structure):
    """struct v4l2_querymenu"""

    _pack_ = 1
    _fields_ = (("id", U32), ("index", U32), ("name", U8 * 32), ("reserved", U32))


class Ctrl(ctypes.Structure):
    """struct v4l2_control"""

    _fields_ = (("id", U32), ("value", S32))


class PixFormat(ctypes.Structure):
    """struct v4l2_pix_format"""

    _fields_ = (
        ("width", U32), ("height", U32), ("pixelformat", U32), ("field", U32), ("bytesperline", U32),
        ("sizeimage", U32), ("colorspace", U32), ("priv", U32), ("flags", U32), ("enc", U32), ("quantization", U32),
        ("xfer_func", U32),
    )  # fmt: skip


class FormatUnion(ctypes.Union):
    """The union of struct v4l2_format; struct v4l2_window has the pointer that aligns it."""

    _fields_ = (("pix", PixFormat), ("raw", U8 * 200), ("pointer", ctypes.c_void_p))


class Format(ctypes.Structure):
    """struct v4l2_format"""

    _fields_ = (("type", U32), ("fmt", FormatUnion))


STRUCTS = {
    "v4l2_fmtdesc": (2, FmtDesc, "VIDIOC_ENUM_FMT"),
    "v4l2_format": (4, Format, "VIDIOC_G_FMT"),
    "v4l2_control": (27, Ctrl, "VIDIOC_G_CTRL"),
    "v4l2_control ": (28, Ctrl, "VIDIOC_S_CTRL"),
    "v4l2_queryctrl": (36, QueryCtrl, "VIDIOC_QUERYCTRL"),
    "v4l2_querymenu": (37, QueryMenu, "VIDIOC_QUERYMENU"),
    "v4l2_frmsizeenum": (74, FrmSizeEnum, "VIDIOC_ENUM_FRAMESIZES"),
    "v4l2_frmivalenum": (75, FrmIvalEnum, "VIDIOC_ENUM_FRAMEINTERVALS"),
}
"""Name in C -> number of the ioctl, struct, name of the ioctl."""


def request(number: int, size: int) -> int:
    """_IOWR('V', number, size): <asm-generic/ioctl.h>."""
    return 3 << 30 | size << 16 | ord("V") << 8 | number


def code(fourcc: str) -> int:
    """v4l2_fourcc"""
    return int.from_bytes(fourcc.encode(), "little")


def refuse(number: int) -> OSError:
    """The error of an ioctl."""
    return OSError(number, "refused by the stand-in")


@dataclass
class Knob:
    """A control of the stand-in."""

    name: str
    low: int
    high: int
    value: int = 0
    menu: tuple[int, ...] | None = None
    flags: int = 0


@dataclass
class Driver:
    """Formats: fourcc -> (width, height) -> rates; a range of sizes is (min, max, step) of both sides."""

    formats: dict[str, dict[tuple[int, ...], list[float]]] = field(default_factory=dict)
    knobs: dict[int, Knob] = field(default_factory=dict)
    layout: tuple[str, int, int, int] | None = None
    gone: bool = False
    refused: set[int] = field(default_factory=set)
    log: list[tuple[int, int]] = field(default_factory=list)

    def ioctl(self, descriptor: int, number: int, data: bytes) -> bytes:
        """As fcntl.ioctl."""
        assert descriptor >= 0
        if self.gone:
            raise refuse(errno.ENODEV)
        for nr, kind, _ in STRUCTS.values():
            if number == request(nr, ctypes.sizeof(kind)):
                asked = kind.from_buffer_copy(data)
                getattr(self, f"_{nr}")(asked)
                return bytes(asked)
        raise refuse(errno.ENOTTY)

    def _2(self, asked: FmtDesc) -> None:
        if asked.type != 1 or asked.index >= len(self.formats):
            raise refuse(errno.EINVAL)
        asked.pixelformat = code(list(self.formats)[asked.index])

    def _sizes(self, pixel_format: int) -> dict[tuple[int, ...], list[float]]:
        for fourcc, sizes in self.formats.items():
            if code(fourcc) == pixel_format:
                return sizes
        raise refuse(errno.EINVAL)

    def _74(self, asked: FrmSizeEnum) -> None:
        sizes = list(self._sizes(asked.pixel_format))
        if asked.index >= len(sizes):
            raise refuse(errno.EINVAL)
        size = sizes[asked.index]
        asked.type = 1 if len(size) == 2 else 3
        for at, side in enumerate(size):
            asked.sides[at] = side

    def _75(self, asked: FrmIvalEnum) -> None:
        sizes = self._sizes(asked.pixel_format)
        size = next(
            (
                one
                for one in sizes
                if one == (asked.width, asked.height)
                or (len(one) == 6 and (asked.width - one[0]) % one[2] == 0 and one[0] <= asked.width <= one[1])
            ),
            None,
        )
        if size is None or asked.index >= len(sizes[size]):
            raise refuse(errno.EINVAL)
        asked.type = 1
        asked.fractions[0], asked.fractions[1] = 1000, round(1000 * sizes[size][asked.index])

    def _knob(self, number: int) -> Knob:
        if number not in self.knobs:
            raise refuse(errno.EINVAL)
        return self.knobs[number]

    def _36(self, asked: QueryCtrl) -> None:
        knob = self._knob(asked.id)
        asked.minimum, asked.maximum, asked.step, asked.flags = knob.low, knob.high, 1, knob.flags
        for at, letter in enumerate(knob.name.encode()[:31]):
            asked.name[at] = letter

    def _37(self, asked: QueryMenu) -> None:
        knob = self._knob(asked.id)
        if knob.menu is None or asked.index not in knob.menu:
            raise refuse(errno.EINVAL)

    def _28(self, asked: Ctrl) -> None:
        knob = self._knob(asked.id)
        if asked.id in self.refused:
            raise refuse(errno.EIO)
        if not knob.low <= asked.value <= knob.high:
            raise refuse(errno.ERANGE)
        knob.value = asked.value
        self.log.append((asked.id, asked.value))

    def _27(self, asked: Ctrl) -> None:
        asked.value = self._knob(asked.id).value

    def _4(self, asked: Format) -> None:
        if asked.type != 1 or self.layout is None:
            raise refuse(errno.EINVAL)
        fourcc, width, height, line = self.layout
        pix = asked.fmt.pix
        pix.pixelformat, pix.width, pix.height, pix.bytesperline = code(fourcc), width, height, line
        pix.field, pix.sizeimage = 1, 2 * width * height
