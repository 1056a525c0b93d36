"""Home Assistant's MQTT discovery: one retained message that says what entities a device has, and where they are.

Device discovery and its fields: https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload and
``homeassistant/components/mqtt/`` of https://github.com/home-assistant/core; the tests hold both lists against this.
"""

from __future__ import annotations

import re
from typing import Any

from edge.system.version import __version__

EXPIRE_SECONDS = 180
"""What comes once a minute and has not come for so long is unknown."""
STATE_LENGTH = 255
"""A state of Home Assistant has no more characters: homeassistant/const.py, MAX_LENGTH_STATE_STATE."""


def slug(device: str) -> str:
    """A device's name as ids may have it: letters, digits, _ and -."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", device)


def _object_id(name: str) -> str:
    """As entity ids have it: small letters, digits and single _ between them."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def topic(prefix: str, device: str) -> str:
    """Where the device announces itself."""
    return f"{prefix}/device/edge-digits-{slug(device)}/config"


def discovery(device: str, base: str) -> dict[str, Any]:
    """The message, for a device whose topics begin with ``base``."""
    name = slug(device)
    return {
        "device": {
            "identifiers": [f"edge-digits-{name}"],
            "name": device,
            "manufacturer": "edge-digits",
            "model": "Reader of handwritten digits",
            "sw_version": __version__,
        },
        "origin": {"name": "edge-digits", "sw_version": __version__},
        "components": {
            key: {
                **fields,
                "qos": 1,
                "unique_id": f"edge-digits-{name}-{key}",
                "default_entity_id": f"{fields['platform']}.{_object_id(f'{device}_{key}')}",
            }
            for key, fields in _entities(base).items()
        },
    }


def _entities(base: str) -> dict[str, dict[str, Any]]:
    program = {"topic": f"{base}availability"}
    here = {"availability": [program], "availability_mode": "all"}
    sees = {"availability": [program, {"topic": f"{base}camera"}], "availability_mode": "all"}
    reading = {"platform": "sensor", "state_topic": f"{base}state", **sees}
    stats = {
        "platform": "sensor",
        "state_topic": f"{base}stats",
        "entity_category": "diagnostic",
        "expire_after": EXPIRE_SECONDS,
        **here,
    }
    return {
        "reading": {
            **reading,
            "name": "Reading",
            "icon": "mdi:draw-pen",
            # Several lines become one; an empty state would be shown as unknown.
            "value_template": f"{{{{ (value_json.text | replace('\n', ' / ') or '-')[:{STATE_LENGTH}] }}}}",
            "json_attributes_topic": f"{base}state",
            "json_attributes_template": "{{ {'event': value_json.event, 'before': value_json.before,"
            " 'at': value_json.at, 'held_seconds': value_json.held_seconds} | tojson }}",
        },
        "confidence": {
            **reading,
            "name": "Confidence",
            "unit_of_measurement": "%",
            "state_class": "measurement",
            "suggested_display_precision": 1,
            "value_template": "{{ value_json.confidence * 100 }}",
        },
        "image": {
            "platform": "image",
            "name": "Last read",
            "image_topic": f"{base}image",
            "content_type": "image/jpeg",
            **here,
        },
        "problem": {
            "platform": "binary_sensor",
            "name": "Camera",
            "device_class": "problem",
            "state_topic": f"{base}camera",
            "payload_on": "offline",
            "payload_off": "online",
            "json_attributes_topic": f"{base}camera/attributes",
            **here,
        },
        "read": {
            "platform": "button",
            "name": "Read now",
            "icon": "mdi:eye",
            "command_topic": f"{base}set/read",
            "payload_press": "now",
            **sees,
        },
        "pause": {
            "platform": "switch",
            "name": "Pause",
            "icon": "mdi:pause",
            "command_topic": f"{base}set/pause",
            "state_topic": f"{base}paused",
            # It outlasts a restart of the device.
            "retain": True,
            **here,
        },
        "threshold": {
            "platform": "number",
            "name": "Least confidence",
            "icon": "mdi:tune",
            "command_topic": f"{base}set/threshold",
            "state_topic": f"{base}threshold",
            "retain": True,
            "min": 0,
            "max": 1,
            "step": 0.01,
            "mode": "box",
            "entity_category": "config",
            **here,
        },
        "fps": {
            **stats,
            "name": "Frames",
            "icon": "mdi:speedometer",
            "unit_of_measurement": "fps",
            "state_class": "measurement",
            "suggested_display_precision": 1,
            "value_template": "{{ value_json.fps }}",
        },
        "temperature": {
            **stats,
            "name": "Temperature",
            "device_class": "temperature",
            "unit_of_measurement": "°C",
            "state_class": "measurement",
            "suggested_display_precision": 0,
            "value_template": "{{ value_json.temperature_celsius }}",
        },
        "backlog": {
            **stats,
            "name": "Waiting events",
            "icon": "mdi:tray-full",
            "state_class": "measurement",
            "value_template": "{{ value_json.backlog }}",
        },
    }
