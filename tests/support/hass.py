"""Imitates what Home Assistant does with a discovery message and the payloads on the broker.

It follows ``homeassistant/components/mqtt/`` (models.py, entity.py and one file for each platform) and
helpers/template.py of https://github.com/home-assistant/core. The Jinja environment is the same, except that undefined
names, which Home Assistant only logs, are errors here.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
UNITS: dict[str | None, set[str | None]] = {"temperature": {"°C", "°F", "K"}, None: {None, "%", "fps"}}
"""Allowed units of a sensor's device class: DEVICE_CLASS_UNITS of components/sensor/const.py. Without a device class
Home Assistant allows any; here, those that are used."""
STATE_LENGTH = 255
"""MAX_LENGTH_STATE_STATE of homeassistant/const.py."""
DECODED = {"image/jpeg": b"\xff\xd8\xff"}
"""Content type of a picture -> its first bytes."""


def rendered(template: str | None, payload: bytes) -> str:
    """Render a payload with a template: async_render_with_possible_json_value, without its parsing of results."""
    text = payload.decode()
    if template is None:
        return text
    values: dict[str, Any] = {"value": text}
    with contextlib.suppress(ValueError):
        values["value_json"] = json.loads(text)
    return ENVIRONMENT.from_string(template.strip()).render(values).strip()


class Entity:
    """One component of a discovery message, with the payloads of all topics."""

    def __init__(self, fields: Mapping[str, Any], topics: Mapping[str, bytes]) -> None:
        self.fields, self._topics = fields, topics

    def available(self) -> bool:
        """Whether all of its availability topics say online: availability_mode all."""
        return all(
            self._topics.get(item["topic"]) == item.get("payload_available", "online").encode()
            for item in self.fields["availability"]
        )

    def attributes(self) -> dict[str, Any]:
        """Its attributes, as MqttAttributesMixin reads them: they must be a JSON object."""
        payload = self._topics[self.fields["json_attributes_topic"]]
        found = json.loads(rendered(self.fields.get("json_attributes_template"), payload))
        assert isinstance(found, dict)
        return found

    def state(self) -> Any:
        """Its state, as its platform parses it; AssertionError where Home Assistant would log an error."""
        return getattr(self, f"_{self.fields['platform']}")()

    def _text(self) -> str:
        return rendered(self.fields.get("value_template"), self._topics[self.fields["state_topic"]])

    def _sensor(self) -> float | str | None:
        text, fields = self._text(), self.fields
        unit, of = fields.get("unit_of_measurement"), fields.get("device_class")
        assert unit in UNITS[of], (unit, of)
        assert text, "ignored: the state stays what it was"
        if unit or of or fields.get("state_class"):
            return None if text == "None" else float(text)
        assert len(text) <= STATE_LENGTH
        return text

    def _binary_sensor(self) -> bool:
        return {self.fields.get("payload_on", "ON"): True, self.fields.get("payload_off", "OFF"): False}[self._text()]

    def _switch(self) -> bool:
        return {"ON": True, "OFF": False}[self._text()]

    def _number(self) -> float:
        value = float(self._text())
        assert self.fields["min"] <= value <= self.fields["max"]
        return value

    def _image(self) -> bytes:
        picture = self._topics[self.fields["image_topic"]]
        assert picture.startswith(DECODED[self.fields["content_type"]])
        return picture

    def command(self, value: Any) -> tuple[str, str, bool]:
        """What Home Assistant publishes when somebody uses the entity: topic, payload, whether it is retained."""
        platform, fields = self.fields["platform"], self.fields
        if platform == "number":
            # As async_set_native_value does.
            value = int(value) if float(value).is_integer() else value
        payload = {"button": fields.get("payload_press", "PRESS"), "switch": "ON" if value else "OFF"}
        return fields["command_topic"], payload.get(platform, str(value)), fields.get("retain", False)
