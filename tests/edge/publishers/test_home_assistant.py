import json
import re
import signal
import subprocess
import sys
import time
from datetime import datetime
from importlib.resources import files

import cv2
import numpy as np
import pytest

from edge.controls import Program
from edge.publishers import home_assistant, mqtt
from edge.publishers.courier import Courier
from edge.publishers.mqtt import Mqtt
from edge.system.version import __version__
from tests.support.hass import STATE_LENGTH, Entity
from tests.support.mosquitto import PATIENCE, Broker, Listener, body, eventually, only_mosquitto
from tests.support.patience import patience

# What Home Assistant takes, copied by hand from homeassistant/components/mqtt/ of https://github.com/home-assistant/core
# in the release 2026.9: schemas.py, config.py and one file for each platform. A component's other keys are removed by
# its DISCOVERY_SCHEMA (extra=REMOVE_EXTRA) without a word, those of device and origin make the message invalid.
AVAILABILITY = {"availability", "availability_mode", "availability_template", "availability_topic"}
AVAILABILITY |= {"payload_available", "payload_not_available"}
AVAILABILITY_ITEM = {"topic", "payload_available", "payload_not_available", "value_template"}
DEVICE = {"identifiers", "connections", "manufacturer", "model", "model_id", "name", "hw_version", "serial_number"}
DEVICE |= {"sw_version", "via_device", "suggested_area", "configuration_url"}
ORIGIN = {"name", "sw_version", "support_url"}
BUNDLE = AVAILABILITY | {"device", "components", "origin", "state_topic", "command_topic", "message_expiry_interval"}
BUNDLE |= {"qos", "encoding"}
COMMON = AVAILABILITY | {"device", "entity_picture", "origin", "enabled_by_default", "entity_category", "icon"}
COMMON |= {"json_attributes_topic", "json_attributes_template", "default_entity_id", "message_expiry_interval"}
COMMON |= {"unique_id", "visible_by_default", "platform", "name", "qos", "encoding"}
READ_ONLY = COMMON | {"state_topic", "value_template"}
READ_WRITE = READ_ONLY | {"command_topic", "command_template", "optimistic", "retain"}
PLATFORMS = {
    "sensor": READ_ONLY
    | {"device_class", "expire_after", "force_update", "last_reset_value_template", "options", "state_class"}
    | {"suggested_display_precision", "unit_of_measurement"},
    "binary_sensor": READ_ONLY
    | {"device_class", "expire_after", "force_update", "off_delay", "payload_off", "payload_on"},
    "button": COMMON | {"command_template", "command_topic", "device_class", "payload_press", "retain"},
    "switch": READ_WRITE | {"payload_off", "payload_on", "state_off", "state_on", "device_class"},
    "number": READ_WRITE | {"device_class", "max", "min", "mode", "payload_reset", "step", "unit_of_measurement"},
    "image": COMMON | {"content_type", "image_encoding", "image_topic", "url_template", "url_topic"},
}
REQUIRED = {
    "sensor": {"state_topic"},
    "binary_sensor": {"state_topic"},
    "button": {"command_topic"},
    "switch": {"command_topic"},
    "number": {"command_topic"},
    "image": {"image_topic"},
}
TOPIC = re.compile(
    r"homeassistant/(?P<component>\w+)/(?:(?P<node_id>[a-zA-Z0-9_-]+)/)?(?P<object_id>[a-zA-Z0-9_-]+)/config"
)
"""TOPIC_MATCHER of discovery.py, with the prefix."""
ENTITY_ID = re.compile(r"^(?!.+__)(?!_)[\da-z_]+(?<!_)\.(?!_)[\da-z_]+(?<!_)$")
"""VALID_ENTITY_ID of homeassistant/core.py."""

BASE = "home/desk/"
MESSAGE = home_assistant.discovery("desk", BASE)
COMPONENTS = MESSAGE["components"]
SCHEMAS = {
    name: json.loads((files("edge") / "schema" / f"{name}.json").read_text("utf-8"))
    for name in ("event", "stats", "mqtt")
}


def test_the_message_has_only_what_home_assistant_takes():
    assert set(MESSAGE) <= BUNDLE and {"device", "components", "origin"} <= set(MESSAGE)
    assert set(MESSAGE["device"]) <= DEVICE and MESSAGE["device"]["identifiers"]
    assert set(MESSAGE["origin"]) <= ORIGIN and MESSAGE["origin"]["sw_version"] == __version__


@pytest.mark.parametrize("key", COMPONENTS)
def test_an_entity_has_only_what_its_platform_takes_and_all_that_it_needs(key):
    entity = COMPONENTS[key]
    platform = entity["platform"]
    assert set(entity) <= PLATFORMS[platform]
    assert set(entity) >= REQUIRED[platform] | {"unique_id", "default_entity_id", "name"}
    assert entity["default_entity_id"].startswith(f"{platform}.")
    assert ENTITY_ID.match(entity["default_entity_id"])
    assert entity.get("entity_category") in (None, "config", "diagnostic")
    assert entity["availability_mode"] == "all"
    assert all(set(item) <= AVAILABILITY_ITEM for item in entity["availability"])
    # The bundle's own is not handed down: SHARED_OPTIONS of schemas.py.
    assert entity["qos"] == 1


def test_the_entities_are_those_that_are_wanted_each_with_its_own_ids():
    assert {key: entity["platform"] for key, entity in COMPONENTS.items()} == {
        "reading": "sensor",
        "confidence": "sensor",
        "image": "image",
        "problem": "binary_sensor",
        "read": "button",
        "pause": "switch",
        "threshold": "number",
        "fps": "sensor",
        "temperature": "sensor",
        "backlog": "sensor",
    }
    for ids in ("unique_id", "default_entity_id"):
        assert len({entity[ids] for entity in COMPONENTS.values()}) == len(COMPONENTS)
    assert COMPONENTS["problem"]["device_class"] == "problem"


def test_every_topic_is_in_the_schema():
    known = set(SCHEMAS["mqtt"]["properties"])
    for entity in COMPONENTS.values():
        topics = [value for key, value in entity.items() if key.endswith("_topic")]
        topics += [item["topic"] for item in entity["availability"]]
        assert {topic.removeprefix(BASE) for topic in topics} <= known
        assert all(topic.startswith(BASE) for topic in topics)
        sent = entity.get("command_topic", "")
        assert not sent or sent.startswith(f"{BASE}set/")


def test_every_template_asks_for_fields_that_are_sent():
    for entity in COMPONENTS.values():
        for part in ("value_template", "json_attributes_template"):
            of = SCHEMAS[entity["state_topic"].removeprefix(BASE).replace("state", "event")] if part in entity else {}
            for name in re.findall(r"value_json\.(\w+)", entity.get(part, "")):
                assert name in of["properties"]


def test_only_what_is_sent_once_a_minute_expires():
    for entity in COMPONENTS.values():
        assert (entity.get("expire_after") == home_assistant.EXPIRE_SECONDS) == entity.get("state_topic", "").endswith(
            "/stats"
        )
    assert home_assistant.EXPIRE_SECONDS > 2 * mqtt.STATS_SECONDS


@pytest.mark.parametrize("device", ["desk", "shed-2", "Küche.Nord", "a b", "_-Ö-_x"])
def test_any_name_makes_a_topic_and_ids_that_are_allowed(device):
    assert TOPIC.fullmatch(home_assistant.topic("homeassistant", device))
    for entity in home_assistant.discovery(device, BASE)["components"].values():
        assert ENTITY_ID.match(entity["default_entity_id"]), entity["default_entity_id"]


@pytest.fixture
def mosquitto(tmp_path):
    one = Broker(tmp_path / "broker")
    yield one
    one.kill()


class Nothing:
    """An outlet with nothing in it."""

    count = dropped = 0
    oldest_seconds = 0.0

    def pending(self, limit):
        return []

    def wait(self, seconds):
        time.sleep(0.01)
        return False

    def wake(self):
        pass

    def backlog(self):
        return self

    def close(self):
        pass


@pytest.fixture
def announce(mosquitto):
    couriers = []

    def start(**options):
        couriers.append(
            Courier(Mqtt(f"//127.0.0.1:{mosquitto.port}/home", Program(device="desk"), **options), Nothing())
        )
        eventually(lambda: couriers[-1].delivery().connected)

    yield start
    for courier in couriers:
        courier.close()


CONFIG = "homeassistant/device/edge-digits-desk/config"


def stored(**fields):
    """The retained ``state``, with some fields changed."""
    event = {"event": "changed", "text": "4", "before": "", "at": "2026-11-23T12:00:00.000000Z", "held_seconds": 1.5}
    return {f"{BASE}state": json.dumps({**event, "confidence": 0.98, **fields}).encode()}


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("4", "4"),
        ("007", "007"),
        ("1247673\n8952481", "1247673 / 8952481"),
        ("", "-"),
        ("123456789\n" * 40 + "1", ("123456789 / " * 40)[:STATE_LENGTH]),
    ],
    ids=["one", "zeros", "lines", "nothing", "long"],
)
def test_any_text_is_a_state_that_home_assistant_takes(text, state):
    assert Entity(COMPONENTS["reading"], stored(text=text)).state() == state


@pytest.mark.parametrize("degrees", [None, 61.9])
def test_a_machine_without_a_thermometer_has_an_unknown_temperature(degrees):
    topics = {f"{BASE}stats": json.dumps({"temperature_celsius": degrees}).encode()}
    assert Entity(COMPONENTS["temperature"], topics).state() == degrees


@pytest.mark.slow
def test_home_assistant_understands_everything_that_a_real_run_sends(mosquitto, tmp_path):
    """Announcement and payloads as they stand on the broker, each entity's template rendered as Home Assistant does."""
    command = [sys.executable, "-m", "edge.cli", "run", "--source", "synthetic:?fps=20&hold=40&difficulty=0&seed=3"]
    command += ["--device", "desk", "--state", str(tmp_path), "--publish", f"mqtt://127.0.0.1:{mosquitto.port}/home"]
    topics = {}
    with Listener(mosquitto.port, "#") as listener, subprocess.Popen(command, stderr=subprocess.PIPE) as run:
        entities = {key: Entity(fields, topics) for key, fields in COMPONENTS.items()}

        def until(true):
            give_up = time.monotonic() + PATIENCE
            while not true():
                assert time.monotonic() < give_up, f"it did not come; there is {sorted(topics)}"
                message = listener.next()
                topics[message.topic] = message.payload

        try:
            said = {f"{BASE}{leaf}" for leaf in ("state", "stats", "image", "threshold", "paused")}
            until(lambda: said <= set(topics) and entities["reading"].available())
            assert json.loads(topics[CONFIG]) == MESSAGE
            assert all(entity.available() for entity in entities.values())
            states = {key: entity.state() for key, entity in entities.items() if key != "read"}
            assert re.fullmatch("[0-9/ ]+", states["reading"])
            assert 60 < states["confidence"] <= 100
            assert (states["problem"], states["pause"], states["threshold"]) == (False, False, 0.5)
            assert states["fps"] >= 0 and states["backlog"] >= 0
            assert states["temperature"] is None or 0 < states["temperature"] < 120
            assert cv2.imdecode(np.frombuffer(states["image"], np.uint8), cv2.IMREAD_COLOR).size
            told = entities["reading"].attributes()
            assert list(told) == ["at", "before", "event", "held_seconds"]
            assert datetime.fromisoformat(told["at"]).utcoffset() is not None
            for key, value in (("threshold", 0.75), ("threshold", 1), ("pause", True), ("pause", False)):
                topic, payload, retain = entities[key].command(value)
                assert not retain
                listener.say(topic, payload, retain=retain)
                until(lambda key=key, value=value: entities[key].state() == value)
            listener.say(*entities["read"].command(None))
            until(lambda: f"{BASE}reading" in topics)
        finally:
            run.send_signal(signal.SIGTERM)
        assert (run.wait(patience(20)), run.stderr.read()) == (0, b"")
        until(lambda: topics[f"{BASE}availability"] == b"offline")
        assert not any(entity.available() for entity in entities.values())


@only_mosquitto("gives a new client retained messages that it did not ask for")
def test_it_is_announced_retained_and_again_on_home_assistants_birth(mosquitto, announce, monkeypatch):
    monkeypatch.setattr(mqtt, "BIRTH_SECONDS", 0.2)
    announce()
    with Listener(mosquitto.port, CONFIG) as listener:
        first = listener.next()
        assert first.retain and body(first) == MESSAGE
        listener.say("homeassistant/status", "offline")
        listener.say("homeassistant/status", "online")
        again = listener.next()
        assert not again.retain and again.payload == first.payload
        assert not list(listener.all())


def test_another_prefix(mosquitto, announce, monkeypatch):
    monkeypatch.setattr(mqtt, "BIRTH_SECONDS", 0.0)
    announce(home_assistant="ha/disc")
    with Listener(mosquitto.port, "#") as listener:
        assert body(listener.next("/config")) == MESSAGE
        listener.say("ha/disc/status", "online")
        assert listener.next("/config").topic == "ha/disc/device/edge-digits-desk/config"


@only_mosquitto("gives a new client retained messages that it did not ask for")
def test_turned_off_it_removes_its_earlier_announcement(mosquitto, announce):
    with Listener(mosquitto.port, CONFIG) as listener:
        listener.say(CONFIG, "{}", retain=True)
        listener.next()
        announce(home_assistant="")
        assert listener.next().payload == b""
    with Listener(mosquitto.port, "homeassistant/#") as late:
        late.say("homeassistant/end", "")
        assert late.next().topic == "homeassistant/end"
