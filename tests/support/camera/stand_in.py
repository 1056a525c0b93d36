"""The stand-in of picamera2: what ``edge`` calls of it, with its checks, in front of simulated cameras.

As picamera2 0.3.38. ``api.json`` beside this has the signatures of the real one and the controls of libcamera; tests
compare them.
"""

from __future__ import annotations

import sys
import types
from collections import deque
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pytest

from tests.support.camera import exposure as agc
from tests.support.camera import lens as af
from tests.support.camera import scene as scenes
from tests.support.camera.sensors import SENSORS, Mode, Sensor, controls

LIST_KEYS = {"format", "size", "stride", "preserve_ar"}
STARTUP_FRAMES = 8
"""Frames that libcamera keeps back at a start: those in which the exposure is found, and those that it mistrusts."""


class Transform:
    def __init__(self, hflip: int = 0, vflip: int = 0, transpose: int = 0) -> None:
        self.hflip, self.vflip, self.transpose = hflip, vflip, transpose


class ColorSpace:
    def __init__(self, name: str = "") -> None:
        self.name = name

    Sycc = classmethod(lambda cls: cls("sYCC"))
    Smpte170m = classmethod(lambda cls: cls("SMPTE170M"))
    Rec709 = classmethod(lambda cls: cls("REC709"))


class SensorFormat:
    def __init__(self, fmt_string: str) -> None:
        self.bit_depth = int("".join(filter(str.isdigit, fmt_string.split("_")[0])))


@dataclass
class World:
    """The cameras that are plugged in, and what they look at. Tests change it."""

    sensors: list[Sensor]
    scene: scenes.Scene
    pdaf_reach: float = 100.0
    noise: float = 1.5
    """Standard deviation of the noise at gain 1, grey levels."""
    pixel_format: str | None = None
    """The format that a picture comes in, whatever was asked for."""
    size: tuple[int, int] | None = None
    """The same of its size."""
    sent: int | None = None
    """How many bytes of each frame come."""
    error: Exception | None = None
    """What configure() and capture_request() raise."""
    now: float = 1000.0
    """Seconds since the machine started."""
    grain: list[Any] = field(default_factory=list)
    opened: list[Any] = field(default_factory=list)
    """The Picamera2 objects that were made."""


class CompletedRequest:
    """One frame."""

    def __init__(self, camera: Picamera2, picture: Any, metadata: dict[str, Any]) -> None:
        self._camera, self._picture, self._metadata = camera, picture, metadata
        self.released = False

    def make_buffer(self, name: str) -> Any:
        assert name == "main" and not self.released
        (height, width), stride = self._picture.shape, self._camera.camera_config["main"]["stride"]
        buffer = np.full((height * 3 // 2, stride), 128, np.uint8)
        buffer[:height, :width], buffer[:height, width:] = self._picture, 0
        return buffer.reshape(-1)[: self._camera.world.sent]

    def get_metadata(self) -> dict[str, Any]:
        assert not self.released
        return dict(self._metadata)

    def release(self) -> None:
        assert not self.released
        self.released = True
        self._camera.released += 1


class Picamera2:
    """One camera, opened."""

    world: ClassVar[World]

    def __init__(
        self, camera_num: int = 0, verbose_console: Any = None, tuning: Any = None, allocator: Any = None
    ) -> None:
        self.sensor = self.world.sensors[camera_num]
        self.camera = types.SimpleNamespace(generate_configuration=self._generate)
        self.world.opened.append(self)
        self.started = False
        self.closed = self.released = self.flushed = self.buffer_bytes = 0
        self._mode: Mode | None = max(self.sensor.modes, key=lambda one: one.size, default=None)
        self.camera_config: dict[str, Any] = {}
        self.controls: dict[str, Any] = {}
        self.sent: list[dict[str, Any]] = []
        self._pending: deque[dict[str, Any]] = deque([{}, {}])
        self.exposure = agc.Exposure(self.sensor)
        self.lens = af.Lens(self.sensor.af, pdaf_reach=self.world.pdaf_reach) if self.sensor.af else None
        self._rng = np.random.default_rng(1)
        self._clean: tuple[Any, ...] = (None,)

    @staticmethod
    def global_camera_info() -> list[dict[str, Any]]:
        return [{"Model": one.model, "Num": n} for n, one in enumerate(Picamera2.world.sensors)]

    @property
    def camera_properties(self) -> dict[str, Any]:
        if self.sensor.usb:
            return {"Model": self.sensor.model, "PixelArraySize": self.sensor.array}
        assert self._mode is not None
        return {
            "Model": self.sensor.model.partition("_mono")[0],
            "ColorFilterArrangement": 0,
            "PixelArraySize": self.sensor.array,
            "PixelArrayActiveAreas": [(0, 0, *self.sensor.array)],
            # Known once a mode is configured.
            "ScalerCropMaximum": self._mode.crop if self.camera_config else (0, 0, 0, 0),
        }

    @property
    def camera_controls(self) -> dict[str, tuple[Any, Any, Any]]:
        return controls(self.sensor, self._mode)

    def _generate(self, roles: list[str]) -> Any:
        assert roles == ["raw"] and not self.sensor.usb, "a USB camera has no raw stream"
        depth = {one.format: [] for one in self.sensor.modes}  # type: dict[str, list[Any]]
        for one in self.sensor.modes:
            depth[one.format].append(types.SimpleNamespace(width=one.size[0], height=one.size[1]))
        formats = types.SimpleNamespace(pixel_formats=list(depth), sizes=depth.__getitem__)
        return types.SimpleNamespace(at=lambda _: types.SimpleNamespace(formats=formats))

    def create_video_configuration(
        self,
        main: Any = {},  # noqa: B006
        lores: Any = None,
        raw: Any = {},  # noqa: B006
        transform: Any = Transform(),  # noqa: B008
        colour_space: Any = None,
        buffer_count: int = 6,
        controls: Any = {},  # noqa: B006
        display: str = "main",
        encode: str = "main",
        queue: bool = True,
        sensor: Any = {},  # noqa: B006
        use_case: str = "video",
    ) -> dict[str, Any]:
        assert not self.closed
        wrong = set(main) - LIST_KEYS
        if wrong:
            raise ValueError(f"Bad key {wrong.pop()!r}: valid stream configuration keys are {LIST_KEYS}")
        main = {"format": "XBGR8888", "size": (1280, 720), "preserve_ar": True} | main
        main["size"] = tuple(side - side % 2 for side in main["size"])
        if self.sensor.usb:
            raw = sensor = None
        if "FrameDurationLimits" in self.camera_controls:
            controls = {"NoiseReductionMode": 1, "FrameDurationLimits": (33333, 33333)} | controls
        colour_space = colour_space or ColorSpace.Rec709()
        return {
            **{"main": main, "lores": lores, "raw": raw, "transform": transform, "colour_space": colour_space},
            **{"buffer_count": buffer_count, "controls": controls, "queue": queue, "sensor": sensor},
            **{"display": display, "encode": encode, "use_case": use_case},
        }

    def configure(self, camera_config: Any = None) -> None:
        if self.world.error:
            raise self.world.error
        if self.started:
            raise RuntimeError("Camera must be stopped before configuring")
        _check(camera_config)
        self._mode = self._chosen(camera_config)
        width, height = self.world.size or camera_config["main"]["size"]
        stride = -(-width // 64) * 64
        given = {"format": self.world.pixel_format or camera_config["main"]["format"], "size": (width, height)}
        self.camera_config = {**camera_config, "main": {**camera_config["main"], **given, "stride": stride}}
        frames = [stride * height * 3 // 2]
        if camera_config["raw"] is not None and self._mode:
            frames.append(self._mode.size[0] * self._mode.size[1] * 5 // 4)
        self.buffer_bytes = max(self.buffer_bytes, camera_config["buffer_count"] * sum(frames))
        self.controls = {}
        self.set_controls(camera_config["controls"])

    def _chosen(self, configuration: dict[str, Any]) -> Mode | None:
        """The mode for a configuration: picamera2's ``score_mode``."""
        if not self.sensor.modes:
            return None
        wanted = configuration["sensor"] or {}
        native = max(self.sensor.modes, key=lambda one: one.size[0] * one.size[1])
        depth = wanted.get("bit_depth") or SensorFormat(native.format).bit_depth
        size = wanted.get("output_size") or configuration["main"]["size"]

        def off(desired: float, actual: float) -> float:
            score = desired - actual
            return -score / 4 if score < 0 else score * 2

        def score(one: Mode) -> float:
            aspect = 1500 * off(size[0] / size[1], one.size[0] / one.size[1])
            bits = 500 * abs(depth - SensorFormat(one.format).bit_depth)
            return off(size[0], one.size[0]) + off(size[1], one.size[1]) + aspect + bits

        return min(self.sensor.modes, key=score)

    def camera_configuration(self) -> dict[str, Any]:
        return self.camera_config

    @property
    def view(self) -> tuple[float, float]:
        """The share of the sensor's width and height that is in the picture."""
        width, height = self.camera_config["main"]["size"]
        assert self._mode is not None
        _, _, seen_width, seen_height = self._mode.crop
        wide = min(seen_width, seen_height * width / height)
        tall = min(seen_height, seen_width * height / width)
        return wide / self.sensor.array[0], tall / self.sensor.array[1]

    def set_controls(self, controls: dict[str, Any]) -> None:
        for name, value in controls.items():
            if name not in self.camera_controls:
                raise RuntimeError(f"Control {name} is not advertised by libcamera")
            least, most, _ = self.camera_controls[name]
            # libcamera logs such a value and drops it, or takes the nearest; nobody should send one.
            if isinstance(value, int | float) and not least <= value <= most:
                raise RuntimeError(f"Control {name} is {least} to {most}, not {value}")
        self.controls |= controls

    def start(self, config: Any = None, show_preview: Any = False) -> None:
        self.started = True
        self._pending = deque([{}, {}])
        self._apply(self.controls)
        self.controls = {}
        for _ in range(STARTUP_FRAMES):
            self._expose()

    def _apply(self, controls: dict[str, Any]) -> None:
        if controls:
            self.sent.append(dict(controls))
        self.exposure.apply(controls)
        if self.lens:
            self.lens.apply(controls)

    def _expose(self) -> dict[str, Any]:
        """One frame goes by; its metadata."""
        world = self.world
        self._pending.append(self.controls)
        self.controls = {}
        self._apply(self._pending.popleft())
        exposure_us, analogue, digital = self.exposure.shown
        world.now += self.exposure.frame_us / 1e6
        metadata: dict[str, Any] = {"SensorTimestamp": int(world.now * 1e9)}
        if not self.sensor.usb:
            metadata |= {"ExposureTime": int(exposure_us), "AnalogueGain": analogue, "DigitalGain": digital}
            small = world.scene.light(world.now, scenes.SMALL, 0) * np.float32(world.scene.lux(world.now))
            self.exposure.step(small, world.scene.lux(world.now))
        if self.lens:
            metadata |= {"AfState": self.lens.reported, "LensPosition": self.lens.shown}
            optics, array = self.sensor.optics, self.sensor.array
            assert optics is not None
            scale = array[0] / scenes.CONTRAST_WIDTH

            def contrast(defocus: float) -> float:
                return world.scene.contrast(world.now, af.blur_pixels(optics, defocus, scale))

            self.lens.step(1 / world.scene.metres(world.now), contrast)
        return metadata

    def capture_request(self, wait: Any = None, signal_function: Any = None, flush: Any = None) -> CompletedRequest:
        assert 0 < wait <= 14 and self.started
        if self.world.error:
            raise self.world.error
        shown = self.exposure.shown, self.lens.shown if self.lens else None
        metadata = self._expose()
        return CompletedRequest(self, self._picture(*shown), metadata)

    def _picture(self, exposure: tuple[float, float, float], position: float | None) -> Any:
        world, size = self.world, self.camera_config["main"]["size"]
        blur = scenes.SHARPEST
        if position is not None and self.sensor.optics:
            defocus = 1 / world.scene.metres(world.now) - position
            blur = float(np.hypot(blur, af.blur_pixels(self.sensor.optics, defocus, self.sensor.array[0] / size[0])))
        light = world.scene.light(world.now, size, blur)
        exposure_us, analogue, digital = exposure
        brightness = agc.BRIGHTNESS * exposure_us * analogue * world.scene.lux(world.now)
        key = id(light), round(brightness, 6), round(digital, 3)
        if self._clean[0] != key:
            seen = np.minimum(light * np.float32(brightness), 1.0) * np.float32(digital)
            # With the light, so that no other array gets its id.
            self._clean = key, agc.levels(seen), light
        grey = self._clean[1]
        if not world.grain:
            rows = np.random.default_rng(5).standard_normal((3, size[1], size[0])) * world.noise
            world.grain = list(np.rint(rows * max(1.0, analogue**0.5)).astype(np.int16))
        return scenes.noisy(grey, self._rng, world.grain)

    def cancel_all_and_flush(self) -> None:
        self.flushed += 1

    def stop(self) -> None:
        self.started = False

    def close(self) -> None:
        self.closed += 1


def _check(configuration: dict[str, Any]) -> None:
    """picamera2's ``check_camera_config``."""
    assert isinstance(configuration["colour_space"], ColorSpace), "Colour space has incorrect type"
    assert isinstance(configuration["transform"], Transform), "Transform has incorrect type"
    wrong = set(configuration["sensor"] or {}) - {"bit_depth", "output_size"}
    if wrong:
        raise RuntimeError(f"Unexpected keys {wrong} in sensor configuration")
    size = configuration["main"]["size"]
    if type(size) is not tuple or len(size) != 2:
        raise RuntimeError("size in main stream should be (width, height)")
    if size[0] % 2 or size[1] % 2:
        raise RuntimeError("width and height should be even")


def plug_in(monkeypatch: pytest.MonkeyPatch, *models: str, scene: scenes.Scene | None = None, **settings: Any) -> World:
    """Install the stand-in with these cameras, in this order; the world that they see."""
    world = World(
        [SENSORS[model] for model in models], scene or scenes.Scene(scenes.page(["123"], (640, 480))), **settings
    )
    monkeypatch.setattr(Picamera2, "world", world, raising=False)
    picamera2, libcamera = types.ModuleType("picamera2"), types.ModuleType("libcamera")
    picamera2.Picamera2, picamera2.SensorFormat = Picamera2, SensorFormat  # type: ignore[attr-defined]
    libcamera.ColorSpace, libcamera.Transform = ColorSpace, Transform  # type: ignore[attr-defined]
    libcamera.StreamRole = types.SimpleNamespace(Raw="raw")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "picamera2", picamera2)
    monkeypatch.setitem(sys.modules, "libcamera", libcamera)
    return world
