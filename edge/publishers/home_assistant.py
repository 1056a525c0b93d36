"""Home Assistant's MQTT discovery: one retained message that lists the entities of a device and their topics.

Sources: https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload and
``homeassistant/components/mqtt/`` of https://github.com/home-assistant/core.
The tests compare the fields used here with the fields allowed there.
"""

from __future__ import annotations

import re
from typing import Any

from edge.system.version import __version__

EXPIRE_SECONDS = 180
"""Age at which Home Assistant shows a statistic as unknown: three times the minute between two of them."""
STATE_LENGTH = 255
"""Most characters of a state in Home Assistant: MAX_LENGTH_STATE_STATE of homeassistant/const.py."""


def safe_id(device: str) -> str:
    """A device's name with only the characters allowed in discovery ids: letters, digits, _ and -."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", device)


def _object_id(name: str) -> str:
    """A name with only the characters allowed in entity ids: lower-case letters, digits, single _ between them."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def topic(prefix: str, device: str) -> str:
    """The topic on which the device announces itself."""
    return f"{prefix}/device/edge-digits-{safe_id(device)}/config"


def discovery(device: str, base: str) -> dict[str, Any]:
    """The discovery message of a device whose topics begin with ``base``."""
    name = safe_id(device)
    return {
        "device": {
            "identifiers": [f"edge-digits-{name}"],
            "name": device,
            "manufacturer": "edge-digits",
            "model": "Handwritten digit reader",
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
    online = {"availability": [program], "availability_mode": "all"}
    camera = {"availability": [program, {"topic": f"{base}camera"}], "availability_mode": "all"}
    reading = {"platform": "sensor", "state_topic": f"{base}state", **camera}
    stats = {
        "platform": "sensor",
        "state_topic": f"{base}stats",
        "entity_category": "diagnostic",
        "expire_after": EXPIRE_SECONDS,
        **online,
    }
    return {
        "reading": {
            **reading,
            "name": "Reading",
            "icon": "mdi:draw-pen",
            # Join lines, because a state has one line. Never empty, because that would be shown as unknown.
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
            "name": "Last image",
            "image_topic": f"{base}image",
            "content_type": "image/jpeg",
            **online,
        },
        "problem": {
            "platform": "binary_sensor",
            "name": "Camera",
            "device_class": "problem",
            "state_topic": f"{base}camera",
            "payload_on": "offline",
            "payload_off": "online",
            "json_attributes_topic": f"{base}camera/attributes",
            **online,
        },
        "read": {
            "platform": "button",
            "name": "Read now",
            "icon": "mdi:eye",
            "command_topic": f"{base}set/read",
            "payload_press": "now",
            **camera,
        },
        "pause": {
            "platform": "switch",
            "name": "Pause",
            "icon": "mdi:pause",
            "command_topic": f"{base}set/pause",
            "state_topic": f"{base}paused",
            **online,
        },
        "threshold": {
            "platform": "number",
            "name": "Minimum confidence",
            "icon": "mdi:tune",
            "command_topic": f"{base}set/threshold",
            "state_topic": f"{base}threshold",
            "min": 0,
            "max": 1,
            "step": 0.01,
            "mode": "box",
            "entity_category": "config",
            **online,
        },
        "fps": {
            **stats,
            "name": "Frame rate",
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
            "name": "Unsent events",
            "icon": "mdi:tray-full",
            "state_class": "measurement",
            "value_template": "{{ value_json.backlog }}",
        },
    }
