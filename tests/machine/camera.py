"""Checks of the camera behind picamera2, while the service does not hold it. Each gives what is worth telling."""

from __future__ import annotations

import json
from pathlib import Path

from ask import OTHER, check, run

PYTHON = Path("/opt/edge-digits/bin/python")
STAND_IN = Path(__file__).resolve().parent.parent / "support" / "camera"
"""What the tests elsewhere have in the place of picamera2."""
LOOK = """
import json
from edge.errors import SourceError
from edge.reading.reader import Reader
from edge.sources.picamera import Picamera
from edge.types import Frame

camera = Picamera("0", fps=15.0, flicker=None)
camera.open()
try:
    pictures = [camera.read()[0] for _ in range(3)]
    device = camera._camera
    known = sorted(device.camera_controls)
    colours = str(device.camera_configuration()["colour_space"])
finally:
    camera.close()
refused = ""
try:
    Picamera("0", af="auto").open()
except SourceError as error:
    refused = str(error)
read = Reader().read(Frame(pictures[-1], "camera")).text
print(json.dumps({"shape": pictures[-1].shape, "known": known, "colours": colours, "read": read, "refused": refused}))
"""
"""Opens the camera as ``edge run`` does, and asks it for what it has not."""


def is_as_recorded() -> str:
    """picamera2 and libcamera have the methods, controls and values that the stand-in of the tests has"""
    recorded = json.loads((STAND_IN / "api.json").read_text("utf-8"))
    now = json.loads(run("/usr/bin/python3", STAND_IN / "record_api.py").splitlines()[-1])
    for name, parameters in recorded["signatures"].items():
        check(now["signatures"].get(name) == parameters, f"{name}{now['signatures'].get(name)} was {parameters}")
    for name, control in recorded["controls"].items():
        known = now["controls"].get(name, {"type": None, "values": {}})
        check(known["type"] == control["type"], f"{name} is {known['type']}, and was {control['type']}")
        check(control["values"].items() <= known["values"].items(), f"{name} has {known['values']}")
    return f"picamera2 {now['picamera2']}, {len(recorded['controls'])} controls"


def shows_all_of_its_view() -> str:
    """picamera2: gives all of what the camera sees, reads it, and refuses a focus that the camera has not"""
    # The frames have the size of the virtual camera's only mode, whatever is asked for.
    found = json.loads(run(PYTHON, "-c", LOOK).splitlines()[-1])
    check(found["shape"] == [768, 1024], f"the picture has {found['shape']}")
    check(found["read"] == OTHER, f"it reads {found['read']!r}")
    if "AfMode" not in found["known"]:
        check("this camera has no AfMode; leave that option out" in found["refused"], f"af=auto: {found['refused']!r}")
    return f"{found['colours']}, controls: {', '.join(found['known']) or 'none'}"
