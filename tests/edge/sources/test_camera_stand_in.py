"""The stand-in of picamera2 is as the real one: ``api.json`` is what the real one said, and is asked again where it is
installed (``make test-machine`` asks it too)."""

import inspect
import json
from pathlib import Path

import pytest

from edge.sources import camera_controls, focus, picamera
from tests.support.camera import record_api, stand_in
from tests.support.camera.sensors import SENSORS, controls

REAL = json.loads((Path(record_api.__file__).parent / "api.json").read_text("utf-8"))
NEWER = {"AnalogueGainMode", "ExposureTimeMode"}
"""Controls that libcamera 0.5 has and 0.4 has not."""
RASPBERRY = {"CnnEnableInputTensor", "StatsOutputEnable", "SyncFrames", "SyncMode"}
"""Controls that only the Raspberry Pi's build of libcamera has."""


def test_the_record_is_what_the_real_picamera2_says():
    pytest.importorskip("libcamera", exc_type=ImportError)
    pytest.importorskip("picamera2", exc_type=ImportError)
    now = record_api.describe()
    assert now["signatures"] == REAL["signatures"]
    for name, control in REAL["controls"].items():
        if name in camera_controls.for_a_page({}, 30):
            assert now["controls"][name] == control, name


@pytest.mark.parametrize("name", [name for name in REAL["signatures"] if not name.endswith(("_cycle", "_stream"))])
def test_the_stand_in_has_the_parameters_of_the_real_one(name):
    kind, _, method = name.partition(".")
    given = inspect.signature(getattr(getattr(stand_in, kind), method)).parameters
    assert list(given) == REAL["signatures"][name]


def test_what_is_called_is_recorded():
    methods = {name for name, _ in inspect.getmembers(stand_in.Picamera2, inspect.isfunction) if name[0] != "_"}
    assert methods == {name.partition(".")[2] for name in REAL["signatures"] if "Picamera2." in name} - {
        "autofocus_cycle",
        "align_stream",
    }


@pytest.mark.parametrize("model", SENSORS)
def test_the_stand_in_has_no_control_that_libcamera_lacks(model):
    sensor = SENSORS[model]
    for mode in sensor.modes or (None,):
        assert set(controls(sensor, mode)) <= set(REAL["controls"]) | NEWER | RASPBERRY


def test_names_and_values_of_controls_are_those_of_libcamera():
    def values(control, *names):
        return tuple(REAL["controls"][control]["values"][name] for name in names)

    assert tuple(camera_controls.FOCUS.values()) == values("AfMode", "Manual", "Auto", "Continuous")
    assert tuple(camera_controls.RANGE.values()) == values("AfRange", "Normal", "Macro", "Full")
    assert tuple(camera_controls.METERING.values()) == values("AeMeteringMode", "CentreWeighted", "Spot", "Matrix")
    assert tuple(camera_controls.HDR.values()) == values("HdrMode", "Off", "MultiExposure", "SingleExposure", "Night")
    assert tuple(picamera.TRIGGER.values()) == values("AfMode", "Auto") + values("AfTrigger", "Start")
    flicker = camera_controls.FLICKER_OFF, camera_controls.FLICKER_MANUAL
    assert flicker == values("AeFlickerMode", "Off", "Manual")
    assert values("AfMetering", "Windows")[0] == camera_controls.WINDOWS
    assert values("AfSpeed", "Fast")[0] == camera_controls.FAST
    states = focus.IDLE, focus.SCANNING, focus.FOCUSED, focus.FAILED
    assert states == values("AfState", "Idle", "Scanning", "Focused", "Failed")
    options = {"exposure": 1, "gain": 2, "ev": 1, "metering": "spot", "hdr": "single", "flicker": "60", "lens": 1}
    sent = camera_controls.for_a_page(options, 30) | camera_controls.focus_on_all((0, 0, 2, 2)) | picamera.TRIGGER
    assert set(sent) <= set(REAL["controls"])


def test_the_stand_in_refuses_what_libcamera_refuses(monkeypatch):
    stand_in.plug_in(monkeypatch, "imx219")
    camera = stand_in.Picamera2(0)
    with pytest.raises(RuntimeError, match="Control AfMode is not advertised by libcamera"):
        camera.set_controls({"AfMode": 1})
    with pytest.raises(RuntimeError, match="Control AeMeteringMode is 0 to 3, not 9"):
        camera.set_controls({"AeMeteringMode": 9})
    with pytest.raises(ValueError, match="Bad key 'sise'"):
        camera.create_video_configuration({"sise": (640, 480)})
    configuration = camera.create_video_configuration(sensor={"size": (1640, 1232)})
    with pytest.raises(RuntimeError, match="Unexpected keys {'size'} in sensor configuration"):
        camera.configure(configuration)
    configuration = camera.create_video_configuration()
    configuration["main"]["size"] = (641, 480)
    with pytest.raises(RuntimeError, match="width and height should be even"):
        camera.configure(configuration)


@pytest.mark.parametrize(
    ("model", "share"), [("imx219", (1280 / 3280, 960 / 2464)), ("imx708", (2304 / 4608, 1728 / 2592))]
)
def test_640x480_is_a_crop_unless_a_mode_is_asked_for(monkeypatch, model, share):
    """As with the real one: what was seen of the view before a mode was chosen (its issue 1233)."""
    stand_in.plug_in(monkeypatch, model)
    camera = stand_in.Picamera2(0)
    camera.configure(camera.create_video_configuration({"size": (640, 480)}))
    assert camera.view == pytest.approx(share, abs=0.01)
