"""The controls of libcamera that a camera gets: from the options of its URI, and from defaults that suit a page.

Names and values are those of libcamera's ``control_ids_core.yaml``; picamera2 takes them as plain numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge.errors import SourceError
from edge.system.mains import mains_hertz

FOCUS = {"off": 0, "auto": 1, "continuous": 2}
"""The option ``af`` -> AfMode: Manual, Auto, Continuous."""
RANGE = {"normal": 0, "macro": 1, "full": 2}
"""The option ``af_range`` -> AfRange."""
METERING = {"centre": 0, "spot": 1, "matrix": 2}
"""The option ``metering`` -> AeMeteringMode."""
HDR = {"off": 0, "multi": 2, "single": 3, "night": 4}
"""The option ``hdr`` -> HdrMode: Off, MultiExposure, SingleExposure, Night."""
FLICKER = {"50": 50, "60": 60, "off": 0, "auto": None}
"""The option ``flicker`` -> the frequency of the mains in Hz; None: that of the place."""
MANUAL, START, FAST, WINDOWS, FLICKER_OFF, FLICKER_MANUAL = 0, 0, 1, 1, 0, 1
"""AfModeManual, AfTriggerStart, AfSpeedFast, AfMeteringWindows, FlickerOff, FlickerManual."""
NEAR = 4.0
"""Where the lens stands before the first scan, dioptres: 25 cm. The ``default`` of the macro range in the tuning file
``imx708.json``. libcamera's own is 1 m, from where a page at 10 cm may be too blurred for the sensor's phase detection;
then libcamera tries all positions in turn, which takes 3 s."""
LONGEST_FRAME_US = 120_000
"""How long a frame may take in the dark, microseconds. No exposure of libcamera's tuning files is longer. Its automatic
exposure lengthens one to 66.7 ms at most (``exposure_modes``, "normal"); picamera2 by itself allows 33.3 ms."""
LONGEST_SCAN_FRAME_US = 20_000
"""The same while the lens is moved, a step every few frames: a scan then takes a third of the time in a
dim room. Chosen: 30 lux are enough for it, with a greater gain."""
READOUT_US = 5_000
"""How much longer than its exposure a frame lasts at most, microseconds. Chosen: libcamera's ``frameIntegrationDiff``
is 48 lines at most, and a line takes less than 100 microseconds."""

Range = tuple[Any, Any, Any]
"""Least and greatest value and default of a control, as in ``Picamera2.camera_controls``."""


def asked_for(options: Mapping[str, Any]) -> dict[str, Any]:
    """The controls that options ask for: name -> value. Without one of these the camera is refused."""
    lens, hertz = options.get("lens"), FLICKER[options.get("flicker") or "auto"]
    controls = {
        "ExposureTime": options.get("exposure"),
        "AnalogueGain": options.get("gain"),
        "ExposureValue": options.get("ev"),
        "AeMeteringMode": METERING.get(options.get("metering") or ""),
        "HdrMode": HDR.get(options.get("hdr") or ""),
        "AfMode": MANUAL if lens is not None else FOCUS.get(options.get("af") or ""),
        "AfRange": RANGE.get(options.get("af_range") or ""),
        "LensPosition": lens,
        "AeFlickerMode": None if hertz is None else FLICKER_MANUAL if hertz else FLICKER_OFF,
    }
    return {name: value for name, value in controls.items() if value is not None}


def for_a_page(options: Mapping[str, Any], fps: float) -> dict[str, Any]:
    """The controls that suit a page, and those of the options: name -> value. A camera may lack some of the first."""
    period = round(1_000_000 / fps)
    asked = asked_for(options)
    mode = asked.get("AfMode", FOCUS["auto"])
    hertz = FLICKER[options.get("flicker") or "auto"]
    hertz = mains_hertz() or 0 if hertz is None else hertz
    longest = max(period, LONGEST_FRAME_US, asked.get("ExposureTime", 0) + READOUT_US)
    return {
        "FrameDurationLimits": (period, longest),
        # 100 or 120 times a second: lamps flicker in each half of a wave.
        **({"AeFlickerMode": FLICKER_MANUAL, "AeFlickerPeriod": round(500_000 / hertz)} if hertz else {}),
        # All that the lens can do: libcamera's normal range ends at 8 cm, its macro range begins at 33 cm.
        "AfRange": RANGE["full"],
        # A scan takes half as long; that it does not look smooth in a film matters to nobody here.
        "AfSpeed": FAST,
        "AfMode": MANUAL if mode == FOCUS["auto"] else mode,
        **({"LensPosition": NEAR} if mode == FOCUS["auto"] else {}),
        **{name: value for name, value in asked.items() if name != "AfMode"},
    }


def frames_of_a_scan(limits: tuple[int, int], known: Mapping[str, Range], exposure_us: int) -> tuple[int, int]:
    """FrameDurationLimits while the lens is moved, microseconds: as short as the sensor's mode and the light allow.

    ``limits``: those of all other frames; ``known``: the controls of the camera in that mode; ``exposure_us``: the
    exposure that was asked for, 0 if it is automatic.
    """
    shortest = max(known["FrameDurationLimits"][0], exposure_us and exposure_us + READOUT_US)
    return min(shortest, limits[0]), min(max(shortest, LONGEST_SCAN_FRAME_US), limits[1])


def refuse_missing(name: str, asked: Mapping[str, Any], known: Mapping[str, Range]) -> None:
    """Raise SourceError if a control that was asked for is not among those of the camera, or its value is not."""
    for control, value in asked.items():
        if control not in known:
            raise SourceError(f"{name}: this camera has no {control}; leave that option out")
        least, most, _ = known[control]
        if not least <= value <= most:
            raise SourceError(f"{name}: {control} is {least:g} to {most:g} for this camera, not {value:g}")


def accepted(controls: Mapping[str, Any], known: Mapping[str, Range]) -> dict[str, Any]:
    """Those of the controls that a camera has, each with the nearest value that it takes."""
    return {
        name: value if isinstance(value, tuple | list) else min(max(value, known[name][0]), known[name][1])
        for name, value in controls.items()
        if name in known
    }


def focus_on_all(view: tuple[int, int, int, int]) -> dict[str, Any]:
    """The controls that focus on all of the view (x, y, width, height in pixels of the sensor, ScalerCropMaximum).

    Otherwise libcamera looks at the middle half of the width and third of the height only (``Af::computeWeights``),
    where a page may be blank.
    """
    return {"AfMetering": WINDOWS, "AfWindows": [view]}
