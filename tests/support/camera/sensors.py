"""The cameras of a Raspberry Pi, as libcamera lists them: modes, controls, optics, and what their tuning files say.

Modes and the limits of controls are what ``rpicam-hello --list-cameras --verbose`` prints of real ones. ``agc`` and
``af`` are from libcamera's tuning files, ``src/ipa/rpi/vc4/data/*.json``.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Mode(NamedTuple):
    """One row of the list."""

    format: str
    size: tuple[int, int]
    fps: float
    crop: tuple[int, int, int, int]


class AfTuning(NamedTuple):
    """``rpi.af``: focus in dioptres. Without frames for phase detection the lens is moved by contrast alone."""

    normal: tuple[float, float]
    macro: tuple[float, float]
    step_coarse: float
    step_fine: float
    max_slew: float
    pdaf_frames: int
    dropout_frames: int
    step_frames: int
    pdaf_squelch: float = 0.125
    contrast_ratio: float = 0.75
    skip_frames: int = 5
    fast: tuple[tuple[str, float], ...] = ()
    """What the speed Fast has otherwise."""
    quickness: float = 1.0
    """By how much its phase detection moves the lens more."""

    def range(self, name: int) -> tuple[float, float]:
        """AfRange (0 normal, 1 macro, 2 full) -> the nearest to and the farthest from infinity."""
        full = min(self.normal[0], self.macro[0]), max(self.normal[1], self.macro[1])
        return (self.normal, self.macro, full)[name]


class AgcTuning(NamedTuple):
    """Channel 0 of ``rpi.agc``, mode normal: microseconds, gains, and the least brightness of the brightest 2 %."""

    shutter: tuple[int, ...]
    gain: tuple[float, ...]
    brightest: float
    base_ev: float = 1.0
    speed: float = 0.2
    y_target: tuple[tuple[float, float], ...] = ((0, 0.16), (1000, 0.165), (10000, 0.17))


class Optics(NamedTuple):
    """Focal length and diameter of the aperture in millimetres, and the size of a pixel in micrometres."""

    focal_mm: float
    aperture_mm: float
    pixel_um: float


class Sensor(NamedTuple):
    """One camera."""

    model: str
    array: tuple[int, int]
    modes: tuple[Mode, ...]
    gains: tuple[float, float]
    longest_frame_us: int
    agc: AgcTuning
    af: AfTuning | None = None
    optics: Optics | None = None
    lens: tuple[float, float] = (0.0, 15.0)
    mono: bool = False
    usb: bool = False


def _modes(pixel_format: str, *rows: tuple[tuple[int, int], float, tuple[int, int, int, int]]) -> tuple[Mode, ...]:
    return tuple(Mode(pixel_format, *row) for row in rows)


_FIVE = (100, 10000, 30000, 60000, 66666)
_IMX219 = (
    ((640, 480), 103.33, (1000, 752, 1280, 960)),
    ((1640, 1232), 41.85, (0, 0, 3280, 2464)),
    ((1920, 1080), 47.57, (680, 692, 1920, 1080)),
    ((3280, 2464), 21.19, (0, 0, 3280, 2464)),
)
_IMX708 = _modes(
    "SRGGB10_CSI2P",
    ((1536, 864), 120.13, (768, 432, 3072, 1728)),
    ((2304, 1296), 56.03, (0, 0, 4608, 2592)),
    ((4608, 2592), 14.35, (0, 0, 4608, 2592)),
)
_FAST = (("step_fine", 0.0), ("pdaf_frames", 16), ("dropout_frames", 4), ("step_frames", 4))
_IMX708_AGC = AgcTuning((100, 15000, 30000, 60000, 66666), (1.0, 1.0, 2.0, 4.0, 16.0), 0.2, speed=0.15)

SENSORS = {
    one.model: one
    for one in (
        Sensor(
            "ov5647",
            (2592, 1944),
            _modes(
                "SGBRG10_CSI2P",
                ((640, 480), 58.92, (16, 0, 2560, 1920)),
                ((1296, 972), 46.34, (0, 0, 2592, 1944)),
                ((1920, 1080), 32.81, (348, 434, 1928, 1080)),
                ((2592, 1944), 15.63, (0, 0, 2592, 1944)),
            ),
            (1.0, 63.9375),
            4_879_289,
            AgcTuning(_FIVE, (1.0, 2.0, 4.0, 6.0, 8.0), 0.5, base_ev=1.25),
        ),
        Sensor(
            "imx219",
            (3280, 2464),
            _modes("SRGGB10_CSI2P", *_IMX219) + _modes("SRGGB8", *_IMX219),
            (1.0, 10.666667),
            1_238_841,
            AgcTuning(_FIVE, (1.0, 2.0, 4.0, 6.0, 10.0), 0.5),
        ),
        Sensor(
            "imx708",
            (4608, 2592),
            _IMX708,
            (1.122807, 16.0),
            220_535_845,
            _IMX708_AGC,
            AfTuning(
                (0.0, 12.0),
                (3.0, 15.0),
                1.0,
                0.25,
                1.5,
                20,
                6,
                5,
                fast=_FAST + (("step_coarse", 1.25), ("max_slew", 2.0), ("quickness", 1.25)),
            ),
            Optics(4.74, 2.63, 1.4),
        ),
        Sensor(
            "imx708_wide",
            (4608, 2592),
            _IMX708,
            (1.122807, 16.0),
            220_535_845,
            _IMX708_AGC,
            AfTuning(
                (0.0, 12.0),
                (4.0, 32.0),
                2.0,
                0.5,
                3.0,
                20,
                6,
                5,
                pdaf_squelch=0.2,
                fast=_FAST + (("step_coarse", 2.5), ("max_slew", 4.0), ("quickness", 1.67)),
            ),
            Optics(2.75, 1.25, 1.4),
            (0.0, 35.0),
        ),
        Sensor(
            "imx477",
            (4056, 3040),
            _modes("SRGGB10_CSI2P", ((1332, 990), 120.05, (696, 528, 2664, 1980)))
            + _modes(
                "SRGGB12_CSI2P",
                ((2028, 1080), 50.03, (0, 440, 4056, 2160)),
                ((2028, 1520), 40.01, (0, 0, 4056, 3040)),
                ((4056, 3040), 10.0, (0, 0, 4056, 3040)),
            ),
            (1.0, 22.26087),
            694_434_742,
            AgcTuning(_FIVE, (1.0, 2.0, 4.0, 6.0, 8.0), 0.5),
        ),
        Sensor(
            "imx296",
            (1456, 1088),
            _modes("SBGGR10_CSI2P", ((1456, 1088), 60.38, (0, 0, 1456, 1088))),
            (1.0, 251.188644),
            15_534_444,
            AgcTuning(_FIVE, (1.0, 2.0, 4.0, 6.0, 8.0), 0.5),
        ),
        Sensor(
            "imx296_mono",
            (1456, 1088),
            _modes("R10_CSI2P", ((1456, 1088), 60.38, (0, 0, 1456, 1088))),
            (1.0, 251.188644),
            15_534_444,
            AgcTuning(_FIVE, (1.0, 2.0, 4.0, 6.0, 8.0), 0.5),
            mono=True,
        ),
        Sensor(
            "imx500",
            (4056, 3040),
            _modes(
                "SRGGB10_CSI2P",
                ((2028, 1520), 30.02, (0, 0, 4056, 3040)),
                ((4056, 3040), 10.0, (0, 0, 4056, 3040)),
            ),
            (1.0, 22.26087),
            694_434_742,
            AgcTuning(_FIVE, (1.0, 2.0, 4.0, 6.0, 8.0), 0.5),
        ),
        Sensor(
            "imx519",
            (4656, 3496),
            _modes(
                "SRGGB10_CSI2P",
                ((1280, 720), 80.01, (1048, 1042, 2560, 1440)),
                ((1920, 1080), 60.05, (408, 674, 3840, 2160)),
                ((2328, 1748), 30.0, (0, 0, 4656, 3496)),
                ((3840, 2160), 18.0, (408, 672, 3840, 2160)),
                ((4656, 3496), 9.0, (0, 0, 4656, 3496)),
            ),
            (1.0, 16.0),
            248_572_499,
            AgcTuning(_FIVE, (1.0, 2.0, 4.0, 6.0, 8.0), 0.5),
            AfTuning((0.0, 12.0), (3.0, 15.0), 1.0, 0.25, 2.0, 0, 0, 4),
            Optics(4.28, 2.45, 1.22),
            (0.0, 32.0),
        ),
        Sensor(
            "ov64a40",
            (9248, 6944),
            _modes(
                "SBGGR10_CSI2P",
                ((1920, 1080), 70.56, (784, 1312, 7712, 4352)),
                ((2312, 1736), 32.24, (0, 0, 9280, 6976)),
                ((3840, 2160), 19.40, (784, 1312, 7712, 4352)),
                ((4624, 3472), 9.86, (0, 0, 9280, 6976)),
                ((8000, 6000), 3.18, (624, 472, 8048, 6032)),
                ((9248, 6944), 2.60, (0, 0, 9280, 6976)),
            ),
            (1.0, 15.992188),
            910_890_926,
            AgcTuning(_FIVE, (1.0, 2.0, 4.0, 6.0, 8.0), 0.5),
            AfTuning((0.0, 12.0), (3.0, 15.0), 1.0, 0.25, 2.0, 0, 0, 4),
            Optics(5.1, 2.83, 1.008),
        ),
        Sensor("UVC Camera (046d:0825)", (1280, 960), (), (1.0, 1.0), 0, AgcTuning((), (), 0.0), usb=True),
    )
}


def controls(sensor: Sensor, mode: Mode | None) -> dict[str, tuple[Any, Any, Any]]:
    """The controls of a camera as ``Picamera2.camera_controls`` gives them: name -> (least, greatest, default)."""
    if mode is None:
        return {"Brightness": (-1.0, 1.0, 0.0), "Contrast": (0.0, 2.0, 1.0), "ExposureValue": (-3.0, 3.0, 0.0)}
    shortest = round(1e6 / mode.fps)
    some_rectangle = ((0, 0, 0, 0), (65535, 65535, 65535, 65535), (0, 0, 0, 0))
    given: dict[str, tuple[Any, Any, Any]] = {
        "AeConstraintMode": (0, 3, 0),
        "AeEnable": (False, True, True),
        "AeExposureMode": (0, 3, 0),
        "AeFlickerMode": (0, 1, 0),
        "AeFlickerPeriod": (100, 1_000_000, None),
        "AeMeteringMode": (0, 3, 0),
        "AnalogueGain": (*sensor.gains, 1.0),
        "AnalogueGainMode": (0, 1, 0),
        "Brightness": (-1.0, 1.0, 0.0),
        "CnnEnableInputTensor": (False, True, False),
        "Contrast": (0.0, 32.0, 1.0),
        "ExposureTime": (26, sensor.longest_frame_us - 1000, 20_000),
        "ExposureTimeMode": (0, 1, 0),
        "ExposureValue": (-8.0, 8.0, 0.0),
        "FrameDurationLimits": (shortest, sensor.longest_frame_us, 33_333),
        "HdrMode": (0, 4, 0),
        "NoiseReductionMode": (0, 4, 0),
        "ScalerCrop": ((0, 0, 64, 64), mode.crop, mode.crop),
        "Sharpness": (0.0, 16.0, 1.0),
        "StatsOutputEnable": (False, True, False),
        "SyncFrames": (1, 1_000_000, 100),
        "SyncMode": (0, 2, 0),
    }
    if not sensor.mono:
        given |= {
            "AwbEnable": (False, True, None),
            "AwbMode": (0, 7, 0),
            "ColourGains": (0.0, 32.0, None),
            "ColourTemperature": (100, 100_000, None),
            "Saturation": (0.0, 32.0, 1.0),
        }
    if sensor.af:
        given |= {
            "AfMetering": (0, 1, 0),
            "AfMode": (0, 2, 0),
            "AfPause": (0, 2, 0),
            "AfRange": (0, 2, 0),
            "AfSpeed": (0, 1, 0),
            "AfTrigger": (0, 1, 0),
            "AfWindows": some_rectangle,
            "LensPosition": (*sensor.lens, 1.0),
        }
    return given
