"""The options of ``v4l2:`` that set controls of the camera's driver: focus, exposure, gain, power line frequency."""

from __future__ import annotations

import logging
from typing import Annotated, NamedTuple

from edge.errors import SourceError
from edge.sources.video_device import Control, VideoDevice
from edge.system.mains import mains_hertz
from edge.uri import OptionType, whole_number

log = logging.getLogger(__name__)

# <linux/v4l2-controls.h>; after each, the names that v4l2-ctl -L has for it, by the kernel's age.
AUTOGAIN = 0x00980912
"""V4L2_CID_AUTOGAIN: gain_automatic, autogain."""
GAIN = 0x00980913
"""V4L2_CID_GAIN: gain."""
POWER_LINE_FREQUENCY = 0x00980918
"""V4L2_CID_POWER_LINE_FREQUENCY: power_line_frequency."""
EXPOSURE_AUTO = 0x009A0901
"""V4L2_CID_EXPOSURE_AUTO: auto_exposure, exposure_auto."""
EXPOSURE_ABSOLUTE = 0x009A0902
"""V4L2_CID_EXPOSURE_ABSOLUTE: exposure_time_absolute, exposure_absolute; in units of 100 microseconds."""
FOCUS_ABSOLUTE = 0x009A090A
"""V4L2_CID_FOCUS_ABSOLUTE: focus_absolute."""
FOCUS_AUTO = 0x009A090C
"""V4L2_CID_FOCUS_AUTO: focus_automatic_continuous, focus_auto."""
AUTO_FOCUS_START = 0x009A091C
"""V4L2_CID_AUTO_FOCUS_START: auto_focus_start, a button."""

EXPOSURE_UNIT_US = 100
"""Microseconds of one unit of EXPOSURE_ABSOLUTE."""
EXPOSURE_MANUAL = 1
"""V4L2_EXPOSURE_MANUAL."""
POWER_LINE = {"off": 0, "50": 1, "60": 2, "auto": 3}
"""Values of POWER_LINE_FREQUENCY, enum v4l2_power_line_frequency."""


def _focus(text: str) -> str:
    if text not in ("auto", "continuous"):
        int(text)
    return text


def _power_line(text: str) -> str:
    return {name: name for name in POWER_LINE}[text]


Focus = Annotated[str | None, OptionType("auto, continuous or a whole number", _focus)]
"""``auto``: once, then locked. ``continuous``. A number: the driver's focus_absolute."""
Exposure = Annotated[int | None, whole_number(1, 200_000_000)]
"""Microseconds."""
Gain = Annotated[int | None, whole_number(0, 2**31 - 1)]
"""The driver's own number."""
PowerLine = Annotated[str | None, OptionType(f"one of {', '.join(POWER_LINE)}", _power_line)]
"""The frequency of the mains, in hertz."""


class V4l2Options(NamedTuple):
    """What to set; None leaves the control as it is."""

    focus: str | None = None
    exposure: int | None = None
    gain: int | None = None
    power_line_frequency: str | None = None


def apply(options: V4l2Options, device: VideoDevice, name: str) -> bool:
    """Set the controls. True if the driver now focuses, and its focus is to be locked in a moment: see ``lock_focus``.

    Without an option, the power line frequency is that of the time zone's country, if the driver has it.
    Raises SourceError, which calls the camera ``name``, if the driver lacks an option or refuses a value.
    """
    setter = _Setter(device, name)
    if options.power_line_frequency is not None:
        setter.choose(POWER_LINE_FREQUENCY, "power_line_frequency", options.power_line_frequency)
    else:
        setter.guess_power_line_frequency()
    if options.exposure is not None:
        setter.off(EXPOSURE_AUTO, EXPOSURE_MANUAL)
        setter.number(EXPOSURE_ABSOLUTE, "exposure", options.exposure, EXPOSURE_UNIT_US, " microseconds")
    if options.gain is not None:
        setter.off(AUTOGAIN, 0)
        setter.number(GAIN, "gain", options.gain)
    if options.focus is None:
        return False
    if options.focus not in ("auto", "continuous"):
        setter.off(FOCUS_AUTO, 0)
        setter.number(FOCUS_ABSOLUTE, "focus", int(options.focus))
        return False
    if options.focus == "auto" and device.control(AUTO_FOCUS_START):
        # The driver locks its focus itself.
        setter.off(FOCUS_AUTO, 0)
        setter.set(AUTO_FOCUS_START, "focus", 1)
        return False
    setter.known(FOCUS_AUTO, "autofocus", "focus")
    setter.set(FOCUS_AUTO, "focus", 1)
    return options.focus == "auto"


def lock_focus(device: VideoDevice, name: str) -> None:
    """End the autofocus: the lens stays where it is. Raises SourceError."""
    _Setter(device, name).set(FOCUS_AUTO, "focus", 0)


class _Setter:
    """Sets controls of a device; errors are those of ``name``."""

    def __init__(self, device: VideoDevice, name: str) -> None:
        self._device, self._name = device, name

    def known(self, number: int, what: str, option: str) -> Control:
        """The control. Raises SourceError if the driver has none."""
        if control := self._device.control(number):
            return control
        raise SourceError(f"{self._name}: this camera's driver has no {what}; leave the option {option} out")

    def number(self, number: int, option: str, value: int, unit: int = 1, of: str = "") -> None:
        """Set a control to a value in units of 1 / ``unit``."""
        control = self.known(number, option, option)
        low, high = control.low * unit, control.high * unit
        if not low <= value <= high:
            raise SourceError(f"{self._name}: {option} of this camera is {low} to {high}{of}, not {value}")
        self.set(number, option, min(max(round(value / unit), control.low), control.high))

    def choose(self, number: int, option: str, choice: str) -> None:
        """Set a menu."""
        self.known(number, option, option)
        if not self._device.has_choice(number, POWER_LINE[choice]):
            there = [name for name, value in POWER_LINE.items() if self._device.has_choice(number, value)]
            raise SourceError(f"{self._name}: {option} of this camera is {' or '.join(there)}, not {choice}")
        self.set(number, option, POWER_LINE[choice])

    def off(self, number: int, value: int) -> None:
        """Take an automatic away, where the driver has it."""
        if self._device.control(number):
            self.set(number, "manual control", value)

    def set(self, number: int, option: str, value: int) -> None:
        """Set a control. Raises SourceError if the driver refuses."""
        try:
            self._device.set(number, value)
        except OSError as error:
            raise SourceError(
                f"{self._name}: the driver refuses {option} ({error.strerror}); leave that option out"
            ) from error

    def guess_power_line_frequency(self) -> None:
        """That of the machine's country; where that is not known, the driver's own automatic."""
        hertz = mains_hertz()
        value = POWER_LINE[str(hertz) if hertz else "auto"]
        if self._device.has_choice(POWER_LINE_FREQUENCY, value):
            try:
                self._device.set(POWER_LINE_FREQUENCY, value)
            except OSError as error:
                # Nobody has asked for it.
                log.debug("%s: power_line_frequency cannot be set (%s)", self._name, error.strerror)
