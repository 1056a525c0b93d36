"""docs/fleet.md and its files: run where the real thing is here, else checked against what it publishes of itself."""

import json
import re
import shutil
import subprocess
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from edge.commands.check import checks
from edge.mqtt.connection import PREFIX
from edge.publishers import home_assistant
from edge.reading.reader import Reader
from edge.running.metrics import Metrics
from edge.settings import load_settings
from tests.edge.running.test_metrics import Away, Quiet, lay_out_a_pi
from tests.support.mosquitto import Broker, Listener, Wire, body, eventually, only_mosquitto, password_file
from tests.support.patience import patience

ROOT = Path(__file__).parent.parent
FLEET = ROOT / "docs" / "fleet"
GUIDE = (ROOT / "docs" / "fleet.md").read_text("utf-8")
STORED = {"device": "string", "boot_id": "string", "seq": "integer"}
"""What the store adds to each event."""
LENSES = {
    f"connect.mqtt.{option}"
    for option in re.findall(
        r"\S+",
        """kcql hosts service.quality retained.messages username password client.id timeout polling.timeout clean
        keep.alive ssl.ca.cert ssl.cert ssl.key converter.throw.on.error share.replicate error.policy retry.interval
        max.retries log.message process.duplicates""",
    )
}
"""Options of the connector: lensesio/stream-reactor, MqttConfigConstants.scala (2025)."""
CONSUMER = set(
    re.findall(
        r"\S+",
        """servers topics topic_tag qos connection_timeout max_undelivered_messages persistent_session client_id
        username password tls_ca tls_cert tls_key insecure_skip_verify client_trace data_format topic_parsing
        json_v2""",
    )
)
"""Options of Telegraf's ``inputs.mqtt_consumer``: influxdata/telegraf, plugins/inputs/mqtt_consumer/sample.conf."""
PARSER = {"measurement_name", "measurement_name_path", "timestamp_path", "timestamp_format", "timestamp_timezone"}
PARSER |= {"tag", "field", "object"}
"""Options of its ``json_v2``: plugins/parsers/json_v2/README.md, as are the types of a field."""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


def test_the_guides_settings_are_settings(tmp_path):
    assert len(blocks("toml")) == 2
    (tmp_path / "mqtt-password").write_text("pw\n")
    for text in blocks("toml"):
        file = tmp_path / "edge.toml"
        file.write_text(text.replace("/etc/edge-digits", str(tmp_path)))
        assert [look() for what, look in checks(load_settings(file)) if what in ("publish", "metrics")]


def test_a_device_may_do_what_is_its_own_and_no_more(tmp_path):
    (rules,) = [text for text in blocks("") if text.startswith("pattern")]
    folder = tmp_path / "broker"
    folder.mkdir()
    (folder / "acl").write_text(f"user all\ntopic readwrite #\n{rules}")
    passwords = password_file(folder / "passwords", shed="pw", attic="pw", all="pw")
    lines = ["allow_anonymous false", f"password_file {passwords}", f"acl_file {folder / 'acl'}"]
    broker = Broker(folder, *lines)
    try:
        with Listener(broker.port, "#", user="all", password="pw") as everybody:
            own = ("event", "state", "availability", "camera/attributes")
            with Listener(broker.port, "edge-digits/shed/set/#", user="shed", password="pw") as shed:
                for topic in [f"edge-digits/shed/{leaf}" for leaf in own]:
                    shed.say(topic, "ours")
                shed.say(home_assistant.topic("homeassistant", "shed"), "ours")
                shed.say(home_assistant.topic("homeassistant", "attic"), "theirs")
                shed.say("edge-digits/attic/event", "theirs")
                shed.say("edge-digits/shed/notice", "last")
                while (message := everybody.next()).payload != b"last":
                    assert message.payload == b"ours", message.topic
                everybody.say("edge-digits/shed/set/read", "now")
                assert shed.next().payload == b"now"
            with Listener(broker.port, "edge-digits/#", user="attic", password="pw") as attic:
                everybody.say("edge-digits/shed/set/read", "not for you")
                everybody.say("edge-digits/attic/set/read", "for you")
                assert attic.next().payload == b"for you"
    finally:
        broker.kill()


def test_the_guide_and_the_folder_name_the_same_files():
    linked = set(re.findall(r"\(fleet/([^)]+)\)", GUIDE))
    assert linked == {path.name for path in FLEET.iterdir()}


class Bridged:
    """A Pi's broker, as the example has it but for names and ports, and a centre to bridge to."""

    def __init__(self, folder: Path) -> None:
        self.centre = Broker(folder / "centre", "max_queued_messages 100000")
        self.uplink = Wire(self.centre.port)
        lines = (FLEET / "mosquitto-pi.conf").read_text("utf-8").splitlines()
        ours = {
            "listener 1883 127.0.0.1": "",
            "allow_anonymous true": "",
            "address broker.example.com:8883": f"address 127.0.0.1:{self.uplink.port}",
            "bridge_cafile /etc/ssl/certs/ca-certificates.crt": "",
            "restart_timeout 1 30": "restart_timeout 1",
        }
        assert all(lines.count(line) == 1 for line in ours), "the example has other lines"
        changed = [ours.get(line, line) for line in lines]
        # As Debian's own mosquitto.conf has it.
        (folder / "pi").mkdir()
        persistence = ["persistence true", f"persistence_location {folder / 'pi'}/"]
        self.pi = Broker(folder / "pi", *persistence, *changed)

    def close(self) -> None:
        self.pi.kill()
        self.uplink.close()
        self.centre.kill()


@pytest.fixture
def bridged(tmp_path: Path) -> Iterator[Bridged]:
    both = Bridged(tmp_path)
    yield both
    both.close()


@only_mosquitto("bridges to no other broker")
def test_the_bridge_takes_all_out_and_commands_in(bridged):
    with Listener(bridged.centre.port, "#", qos=1) as centre, Listener(bridged.pi.port, "edge-digits/#", qos=1) as pi:
        eventually(lambda: centre.next("shed/bridge").payload == b"1")
        pi.say("edge-digits/shed/event", '{"seq": 1}')
        assert body(centre.next("shed/event")) == {"seq": 1}
        config = home_assistant.topic("homeassistant", "shed")
        pi.say(config, "{}")
        assert centre.next("config").topic == config
        pi.say("other/topic", "x")
        pi.say("edge-digits/shed/state", '{"seq": 1}', retain=True)
        assert centre.next().topic == "edge-digits/shed/state"
        centre.say("edge-digits/shed/set/read", "now")
        assert pi.next("set/read").payload == b"now"
        pi.say("edge-digits/shed/event", "last")
        heard: Counter[str] = Counter()
        while (message := centre.next()).payload != b"last":
            heard[message.topic] += 1
        assert heard == {"edge-digits/shed/set/read": 1}, "a command came back"
    with Listener(bridged.centre.port, "edge-digits/shed/state") as late:
        message = late.next()
        assert message.retain
        assert body(message) == {"seq": 1}


@only_mosquitto("bridges to no other broker")
def test_what_is_said_while_the_uplink_is_away_comes_when_it_is_back(bridged):
    with Listener(bridged.pi.port, "none") as pi, Listener(bridged.centre.port, "#", qos=1) as centre:
        eventually(lambda: centre.next("shed/bridge").payload == b"1")
        bridged.uplink.open = False
        bridged.uplink.cut()
        for seq in range(2000):
            pi.say("edge-digits/shed/event", json.dumps({"seq": seq}))
        assert not any(message.topic.endswith("event") for message in centre.all())
        bridged.pi.stop()
        bridged.pi.start()
        bridged.uplink.open = True
        come: list[int] = []
        until = time.monotonic() + patience(60)
        while len(come) < 2000 and time.monotonic() < until:
            come += [body(message)["seq"] for message in centre.all() if message.topic.endswith("event")]
            time.sleep(0.05)
    assert come == list(range(2000))


@only_mosquitto("shares no subscriptions among clients")
def test_consumers_share_events_as_the_examples_subscribe(tmp_path):
    telegraf = tomllib.loads((FLEET / "telegraf.conf").read_text("utf-8"))
    (topic,) = telegraf["inputs"]["mqtt_consumer"][0]["topics"]
    broker = Broker(tmp_path / "broker")
    try:
        with (
            Listener(broker.port, topic, qos=1) as one,
            Listener(broker.port, topic, qos=1) as other,
            Listener(broker.port, "none") as pi,
        ):
            for seq in range(50):
                pi.say("edge-digits/shed/event", json.dumps({"seq": seq}))
            come: list[list[int]] = [[], []]
            until = time.monotonic() + patience(20)
            while len(come[0]) + len(come[1]) < 50 and time.monotonic() < until:
                for seqs, listener in zip(come, (one, other), strict=True):
                    seqs.extend(body(message)["seq"] for message in listener.all())
        assert sorted(come[0] + come[1]) == list(range(50))
        assert all(come), "one of them got all"
    finally:
        broker.kill()


def event_type(path: str) -> str:
    """The JSON type that a stored event has there, as its schema says."""
    schema = json.loads((ROOT / "edge" / "schema" / "event.json").read_text("utf-8"))
    kinds = {name: said.get("type", "string") for name, said in schema["properties"].items()} | STORED
    assert path in kinds, f"an event has no {path}"
    return kinds[path]


def test_telegraf_asks_for_what_an_event_has():
    config = tomllib.loads((FLEET / "telegraf.conf").read_text("utf-8"))
    (consumer,) = config["inputs"]["mqtt_consumer"]
    (parser,) = consumer["json_v2"]
    assert set(consumer) <= CONSUMER
    assert set(parser) <= PARSER
    # It sets these two together or loses what came while it was away.
    assert consumer["qos"] == 1
    assert consumer["persistent_session"] and consumer["client_id"]
    assert consumer["topics"] == [f"$share/storage/{PREFIX}/+/event"]
    assert all(event_type(tag["path"]) == "string" and set(tag) == {"path"} for tag in parser["tag"])
    types = {"string": "string", "number": "float", "integer": "int"}
    for field in parser["field"]:
        assert set(field) == {"path", "type"}
        assert field["type"] == types[event_type(field["path"])]
    assert event_type(parser["timestamp_path"]) == "string"


def test_telegrafs_time_format_is_that_of_an_event():
    """Go's reference time: https://pkg.go.dev/time#pkg-constants has this as RFC3339; a fraction may follow."""
    config = tomllib.loads((FLEET / "telegraf.conf").read_text("utf-8"))
    (parser,) = config["inputs"]["mqtt_consumer"][0]["json_v2"]
    assert parser["timestamp_format"] == "2006-01-02T15:04:05Z07:00"
    schema = json.loads((ROOT / "edge" / "schema" / "event.json").read_text("utf-8"))
    example = "2026-11-23T08:00:00.123456Z"
    assert re.fullmatch(schema["properties"][parser["timestamp_path"]]["pattern"], example)
    assert datetime.fromisoformat(example).tzinfo


def test_the_kafka_connector_has_only_options_that_there_are():
    config = json.loads((FLEET / "kafka-mqtt-source.json").read_text("utf-8"))["config"]
    connect = {"connector.class", "tasks.max", "key.converter", "value.converter", "value.converter.schemas.enable"}
    assert set(config) <= LENSES | connect
    assert all(isinstance(value, str) for value in config.values())
    said = re.fullmatch(
        r"INSERT INTO `([\w-]+)` SELECT \* FROM `(.+?)` WITHCONVERTER=`([\w.]+)` WITHKEY\((\w+)\)",
        config["connect.mqtt.kcql"],
    )
    assert said
    assert said[2] == f"$share/kafka/{PREFIX}/+/event"
    assert event_type(said[4]) == "string"
    # Otherwise it would lose what came while it was away, and what is sent again.
    assert config["connect.mqtt.clean"] == "false"
    assert config["connect.mqtt.service.quality"] == "1"
    assert config["connect.mqtt.process.duplicates"] == "true"


def test_alerts_ask_for_metrics_that_there_are(reader: Reader, tmp_path: Path):
    lay_out_a_pi(tmp_path)
    metrics = Metrics(source=Quiet(), reader=reader, publishers=[Away()], root=tmp_path)
    families = list(text_string_to_metric_families(metrics.text().decode()))
    samples: dict[str, list[dict[str, str]]] = {}
    for family in families:
        for sample in family.samples:
            samples.setdefault(sample.name, []).append(sample.labels)
    text = (FLEET / "alerts.yml").read_text("utf-8")
    expressions = re.findall(r"^ +expr: (.+)$", text, re.MULTILINE)
    assert len(expressions) == len(re.findall(r"^ +- alert: (\w+)$", text, re.MULTILINE)) >= 8
    for expression in expressions:
        found = re.findall(r"(edge_digits_\w+)(?:\{(\w+)!?=\"(\w+)\"\})?", expression)
        assert found or expression.startswith("up{"), expression
        for name, label, value in found:
            assert name in samples, name
            assert not label or value in {labels[label] for labels in samples[name]}, expression


@pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool here; it comes with the package prometheus")
def test_prometheus_takes_the_alerts():
    done = subprocess.run(["promtool", "check", "rules", str(FLEET / "alerts.yml")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
