"""What the real picamera2 and libcamera look like: ``python record_api.py | python -m json.tool``, where they are.

It needs nothing else, so that it runs in the virtual machine of tests/machine too.
"""

from __future__ import annotations

import importlib.metadata
import inspect
import json
from typing import Any

METHODS = {
    "Picamera2": [
        *("global_camera_info", "create_video_configuration", "configure", "camera_configuration", "set_controls"),
        *("start", "capture_request", "cancel_all_and_flush", "stop", "close", "autofocus_cycle", "align_stream"),
    ],
    "CompletedRequest": ["make_buffer", "get_metadata", "release"],
    "SensorFormat": ["__init__"],
}
"""What is called of each class, or copied."""
PROPERTIES = ("camera_properties", "camera_controls", "sensor_modes")


def describe() -> dict[str, Any]:
    """The parameters of the methods, and libcamera's controls with their types and values."""
    import libcamera
    import picamera2

    signatures = {
        f"{kind}.{name}": list(inspect.signature(getattr(getattr(picamera2, kind), name)).parameters)
        for kind, names in METHODS.items()
        for name in names
    }
    assert all(isinstance(getattr(picamera2.Picamera2, name), property) for name in PROPERTIES)
    controls: dict[str, Any] = {}
    # Debian's libcamera is built without the Raspberry Pi's own controls.
    spaces = (libcamera.controls, libcamera.controls.draft, getattr(libcamera.controls, "rpi", None))
    for space in filter(None, spaces):
        for name in dir(space):
            control = getattr(space, name)
            if type(control).__name__ != "ControlId":
                continue
            values = getattr(space, f"{name}Enum", None)
            controls[name] = {
                "type": str(control.type).rpartition(".")[2],
                "values": {key: int(value) for key, value in values.__members__.items()} if values else {},
            }
    return {
        "picamera2": importlib.metadata.version("picamera2"),
        "signatures": signatures,
        "properties": list(PROPERTIES),
        "controls": dict(sorted(controls.items())),
        "spaces": [name for name in ("Sycc", "Smpte170m", "Rec709") if hasattr(libcamera.ColorSpace, name)],
        "roles": sorted(libcamera.StreamRole.__members__),
    }


if __name__ == "__main__":
    print(json.dumps(describe()))  # noqa: T201
