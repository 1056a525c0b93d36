import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.resources import files

import jsonschema
import pytest

from edge.controls import Controls, Program
from edge.errors import SettingsError
from edge.mqtt.address import parse
from edge.publishers import find_channel, open_publisher
from edge.publishers.courier import Courier
from edge.store.store import Store
from edge.types import Box, Digit, Event, Notice, Reading
from tests.support.mosquitto import Broker, Listener, body, eventually, only_mosquitto

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
READING = Reading("desk.jpg", 7, NOON, (Digit(4, 0.98, 0, Box(1, 2, 3, 4)),), None, "mnist-1.0 sha256:ab12", 1.9)
STATS = {
    "uptime_seconds": 12.5,
    "camera": "running",
    "model": "mnist-1.0 sha256:ab12",
    "frames": 375,
    "fps": 30.0,
    "dropped_frames": 2,
    "temperature_celsius": None,
    "throttled": None,
}
SCHEMAS = {
    name: json.loads((files("edge") / "schema" / f"{name}.json").read_text("utf-8"))
    for name in ("event", "notice", "reading", "stats", "mqtt")
}


def event(text="4", before=""):
    return Event("appeared", NOON, text, before, 0.0, 0.98, READING)


def notice(state="running", about="camera"):
    return Notice(about, state, "v4l2:/dev/video0", NOON, None)


def fits(name, value):
    jsonschema.Draft202012Validator(SCHEMAS[name]).validate(value)


def unwrapped(stored):
    """A stored message without what the store added."""
    return {key: value for key, value in stored.items() if key not in ("device", "boot_id", "seq")}


class Device:
    """A store, its courier, and the program it reports on."""

    def __init__(self, folder, port, device="desk", query="", **known):
        self.controls = Controls()
        self.store = Store(folder / f"{device}.db", device=device)
        self.program = Program(device=device, controls=self.controls, **{"stats": lambda: STATS, **known})
        self.uri = f"mqtt://127.0.0.1:{port}/home{query}"
        self.courier: Courier = open_publisher(self.uri, program=self.program, outlet=self.store.outlet)
        eventually(lambda: self.courier.delivery().connected)

    def close(self):
        self.courier.close()
        self.store.close()


@pytest.fixture
def mosquitto(tmp_path):
    one = Broker(tmp_path / "broker")
    yield one
    one.kill()


@pytest.fixture
def listener(mosquitto):
    with Listener(mosquitto.port) as one:
        yield one


@pytest.fixture
def device(tmp_path, mosquitto, listener) -> Callable[..., Device]:
    made = []

    def make(**given):
        made.append(Device(tmp_path, mosquitto.port, **given))
        return made[-1]

    yield make
    for one in made:
        one.close()


@only_mosquitto("gives a new client retained messages that it did not ask for")
@pytest.mark.parametrize("query", ["", "?version=3"])
def test_events_and_notices_arrive_in_order_and_the_newest_are_retained(device, listener, mosquitto, query):
    one = device(query=query)
    sent = [event("4"), event("5", "4"), notice("stalled"), event("", "5"), notice(), notice("accepted", "model")]
    for message in sent:
        one.store.append(message)
    got = []
    while len(got) < len(sent):
        message = listener.next()
        if message.topic in ("home/desk/event", "home/desk/notice"):
            got.append(body(message))
            assert not message.retain
            assert message.topic.endswith("event" if "event" in got[-1] else "notice")
    assert [unwrapped(stored) for stored in got] == [message.as_dict() for message in sent]
    assert [stored["seq"] for stored in got] == [got[0]["seq"] + n for n in range(len(sent))]
    assert {stored["device"] for stored in got} == {"desk"}
    eventually(lambda: one.courier.delivery().backlog == 0)
    with Listener(mosquitto.port, "home/desk/#") as late:
        retained = {message.topic.removeprefix("home/desk/"): message for message in (late.next() for _ in range(7))}
    assert all(message.retain for message in retained.values())
    assert body(retained["state"]) == got[3]
    assert body(retained["camera/attributes"]) == got[4]
    plain = {leaf: retained[leaf].payload for leaf in ("availability", "camera", "paused", "threshold")}
    assert plain == {"availability": b"online", "camera": b"online", "paused": b"OFF", "threshold": b"0.5"}
    assert "stats" in retained


def test_an_event_that_was_damaged_in_the_store_does_not_keep_the_others_back(device, listener, tmp_path, caplog):
    one = device()
    one.courier.close()
    first = one.store.append(event("1"))
    last = one.store.append(event("2"))
    one.store._file._run("UPDATE events SET text = '{' WHERE seq = ?", (first.seq,))
    outlet = one.store.outlet(one.courier.name)
    device_again = open_publisher(one.uri, program=one.program, outlet=lambda name: outlet)
    try:
        assert body(listener.next("/event"))["seq"] == last.seq
    finally:
        device_again.close()
    assert "damaged in the events database; dropped" in caplog.text


def test_every_payload_fits_its_schema(device, listener):
    one = device(last_picture=lambda: (1, b"\xff\xd8jpeg"))
    one.store.append(event())
    one.store.append(notice())
    listener.say("home/desk/set/read", "")
    eventually(lambda: one.controls.reading_requested)
    one.controls.answer_requests(READING)
    leaves = set(SCHEMAS["mqtt"]["properties"])
    seen = {}
    while set(seen) != leaves - {"set/pause", "set/threshold"}:
        message = listener.next()
        if message.topic.startswith("home/desk/"):
            leaf = message.topic.removeprefix("home/desk/")
            plain = message.payload.decode("latin-1")
            seen[leaf] = json.loads(plain) if plain.startswith("{") else plain
            fits("mqtt", {leaf: seen[leaf]})
    fits("event", unwrapped(seen["event"]))
    fits("event", unwrapped(seen["state"]))
    fits("notice", unwrapped(seen["notice"]))
    fits("notice", unwrapped(seen["camera/attributes"]))
    fits("reading", unwrapped(seen["reading"]))
    fits("stats", seen["stats"])
    assert list(seen["stats"]) == list(SCHEMAS["stats"]["properties"]) == SCHEMAS["stats"]["required"]
    assert seen["reading"] == READING.as_dict() | {"device": "desk"}


@pytest.mark.parametrize("change", [{"event": {"event": "appeared"}}, {"camera": "ON"}, {"threshold": "2"}, {"x": ""}])
def test_wrong_payloads_do_not_fit_the_schema(change):
    assert not jsonschema.Draft202012Validator(SCHEMAS["mqtt"]).is_valid(change)


@only_mosquitto("speaks no MQTT 5")
def test_with_mqtt_5_a_message_declares_its_content_type(device, listener):
    device().store.append(event())
    message = listener.next("/event")
    assert message.properties.ContentType == "application/json"
    assert message.properties.PayloadFormatIndicator == 1
    assert not hasattr(message.properties, "MessageExpiryInterval")


def test_a_normal_stop_says_offline_and_a_kill_is_told_by_the_will(device, listener):
    one = device()
    assert listener.next("/availability").payload == b"online"
    one.courier.close()
    assert listener.next("/availability").payload == b"offline"
    two = device(device="shed")
    assert listener.next("shed/availability").payload == b"online"
    # As the kernel does for a process that is killed: the socket closes, and nothing was said.
    two.courier._channel._connection._paho.socket().shutdown(2)
    assert listener.next("shed/availability").payload == b"offline"
    assert listener.next("shed/availability").payload == b"online"


def test_a_will_that_comes_late_is_contradicted(device, listener):
    device()
    assert listener.next("/availability").payload == b"online"
    listener.say("home/desk/availability", "offline", retain=True)
    assert listener.next("/availability").payload == b"offline"
    assert listener.next("/availability").payload == b"online"


def test_the_camera_has_an_availability_of_its_own(device, listener):
    state = ["starting"]
    device(camera_state=lambda: state[0])
    assert listener.next("/camera").payload == b"offline"
    for now, payload in (("running", b"online"), ("stalled", b"offline"), ("reopening", None), ("running", b"online")):
        state[0] = now
        if payload:
            assert listener.next("/camera").payload == payload


def test_commands_change_the_controls_and_are_answered(device, listener):
    one = device()
    assert listener.next("/paused").payload == b"OFF"
    listener.say("home/desk/set/pause", "ON")
    assert listener.next("/paused").payload == b"ON" and one.controls.paused
    listener.say("home/desk/set/pause", "OFF")
    assert listener.next("/paused").payload == b"OFF" and not one.controls.paused
    listener.say("home/desk/set/threshold", "0.75")
    assert listener.next("desk/threshold").payload == b"0.75" and one.controls.threshold == 0.75
    assert not one.controls.reading_requested
    listener.say("home/desk/set/read", "now")
    eventually(lambda: one.controls.reading_requested)
    one.controls.answer_requests(READING)
    assert body(listener.next("/reading"))["text"] == "4"
    assert not one.controls.reading_requested


@pytest.mark.parametrize(
    ("leaf", "payload"),
    [
        ("pause", "on"),
        ("pause", b"\xff\xfe"),
        ("pause", "ON" * 10_000),
        ("threshold", "1.1"),
        ("threshold", "-0.1"),
        ("threshold", "nan"),
        ("threshold", "high"),
        ("threshold", " "),
    ],
    ids=lambda value: str(value)[:12],
)
def test_nonsense_is_one_warning_and_changes_nothing(device, listener, caplog, leaf, payload):
    one = device()
    # It says so after it has subscribed.
    listener.next("/paused")
    for _ in range(20):
        listener.say(f"home/desk/set/{leaf}", payload)
    listener.say("home/desk/set/read", "")
    eventually(lambda: one.controls.reading_requested)
    assert (one.controls.paused, one.controls.threshold) == (False, 0.5)
    (record,) = caplog.records
    takes = "ON or OFF" if leaf == "pause" else "a number from 0 to 1"
    assert f"home/desk/set/{leaf} must be {takes}, not " in record.getMessage()
    assert len(record.getMessage()) < 250
    assert one.courier.delivery().connected


def test_retained_commands_are_ignored(device, listener):
    for leaf, payload in (("read", "now"), ("pause", "ON"), ("threshold", "0.75")):
        listener.say(f"home/desk/set/{leaf}", payload, retain=True)
    one = device()
    assert listener.next("/paused").payload == b"OFF"
    # Retained ones come before it.
    listener.say("home/desk/set/threshold", "0.6")
    eventually(lambda: one.controls.threshold == 0.6)
    assert not one.controls.reading_requested and not one.controls.paused


def test_a_picture_is_sent_when_there_is_another_one(device, listener):
    pictures = [None]
    device(last_picture=lambda: pictures[0])
    pictures[0] = (1, b"first")
    message = listener.next("/image")
    assert message.payload == b"first"
    pictures[0] = (2, b"second")
    assert listener.next("/image").payload == b"second"


def test_state_is_what_was_known_before_and_never_goes_back_while_events_are_caught_up_with(
    tmp_path, mosquitto, listener
):
    store = Store(tmp_path / "a.db", device="desk")
    outlet = store.outlet("mqtt")
    texts = [store.append(event(str(n))).text for n in range(250)]
    program = Program(device="desk", stats=lambda: STATS, newest_event=lambda: texts[-1])
    from edge.publishers.mqtt import Mqtt

    courier = Courier(Mqtt(f"//127.0.0.1:{mosquitto.port}/home", program), outlet)
    try:
        eventually(lambda: courier.delivery().sent == 250)
        topics = []

        def all_events_heard():
            # The broker has them before the listener does.
            topics.extend(message for message in listener.all() if message.topic.startswith("home/desk/"))
            return sum(message.topic.endswith("/event") for message in topics) >= 250

        eventually(all_events_heard)
        assert {m.payload.decode() for m in topics if m.topic.endswith("/state")} == {texts[-1]}
        assert [m.payload.decode() for m in topics if m.topic.endswith("/event")] == texts
    finally:
        courier.close()
        store.close()


def test_two_devices_do_not_disturb_each_other(device, listener):
    one, two = device(), device(device="shed")
    one.store.append(event("1"))
    two.store.append(event("2"))
    got = {message.topic: body(message)["text"] for message in (listener.next("/event"), listener.next("/event"))}
    assert got == {"home/desk/event": "1", "home/shed/event": "2"}
    listener.say("home/shed/set/pause", "ON")
    eventually(lambda: two.controls.paused)
    assert not one.controls.paused


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        ("mqtt:", "invalid; write mqtt://[user@]host[:port]/topic-prefix"),
        ("mqtt://", "invalid; write"),
        ("mqtt://host:99999/p", "a port is a number from 1 to 65535, not 99999"),
        ("mqtt://host/a/+/b", "a topic prefix must not contain +, #"),
        ("mqtt://host/$SYS", "or begin with $"),
        ("mqtt://host/p?ca=/a.pem", "mqtt://host: ca= works only with mqtts://"),
        ("mqtts://host/p?key=/a.pem", "key= needs cert=, which is missing"),
        ("mqtt://host/p?version=4", "version is 5 or 3, not '4'"),
        ("mqtt://host/p?password_file=/a", "password_file= needs a user"),
        ("mqtt://host/p?home_assistant=no way", "home_assistant is off, or Home Assistant's discovery prefix"),
        ("mqtt://host/p?pasword_file=/a", "no option 'pasword_file'"),
    ],
)
def test_a_wrong_uri_is_refused(uri, problem):
    with pytest.raises(SettingsError, match=re.escape(problem)):
        find_channel(uri)


@pytest.mark.parametrize(
    ("what", "host", "port", "prefix", "user", "password"),
    [
        ("//host", "host", 1883, "edge-digits", "", ""),
        ("//host:1884/a/b/", "host", 1884, "a/b", "", ""),
        ("//joe@10.0.0.1/p", "10.0.0.1", 1883, "p", "joe", ""),
        ("//joe:p%40ss@host/p", "host", 1883, "p", "joe", "p@ss"),
        ("//joe:p@s/s:w?rd@host:1/p", "host", 1, "p", "joe", "p@s/s:w?rd"),
        ("//[::1]:1885/p", "::1", 1885, "p", "", ""),
        ("//host/a@b", "host", 1883, "a@b", "", ""),
    ],
)
def test_the_parts_of_a_uri(what, host, port, prefix, user, password):
    address = parse(what)
    assert (address.host, address.port, address.prefix) == (host, port, prefix)
    assert (address.user, address.password) == (user, password)
    assert parse(what, secure=True).port == (8883 if port == 1883 else port)


@pytest.mark.parametrize("tail", ["", "?ca=/x", "?nonsense=1", "?version=4", "?version=5&version=5", ":99999", "/+"])
def test_a_password_is_never_shown(tail):
    uri = f"mqtt://joe:se/c@r+t@host{tail}"
    try:
        shown = find_channel(uri).name
    except SettingsError as error:
        shown = f"{error}{error.__cause__}{error.__context__}"
    assert not re.search(r"se/c|r\+t|joe", shown), shown
    assert "se/c" not in repr(parse("//joe:se/c@r+t@host"))


def test_a_device_name_that_would_change_the_topic_is_refused():
    with pytest.raises(SettingsError, match="a device's name must not"):
        open_publisher("mqtt://host", program=Program(device="a/b"), outlet=lambda name: None)


def test_a_channel_works_only_with_edge_run():
    with pytest.raises(SettingsError, match="mqtt://host: works only with edge run"):
        open_publisher("mqtt://joe:pw@host")
