"""Against a real broker, in a real terminal."""

import argparse
import json
import os
import pty
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from edge.commands.watch import devices, run
from edge.commands.watch.devices import Device, address, updated
from edge.commands.watch.table import as_json, as_line, screen, table
from edge.errors import SettingsError
from tests.support.mosquitto import PATIENCE, Broker, Listener, eventually
from tests.support.patience import patience

ROOT = Path(__file__).parents[3]
NOW = datetime.fromisoformat("2026-11-23T12:00:00+01:00")
STATE = {"event": "changed", "text": "42\n7", "confidence": 0.987, "at": "2026-11-23T08:00:00.123456Z"}


def known(*messages: tuple[str, object]) -> Device:
    device = Device("shed")
    for topic, payload in messages:
        after = updated(device, topic, payload if isinstance(payload, bytes) else json.dumps(payload).encode())
        assert after is not None
        device = after
    return device


def test_what_a_device_says_becomes_its_line():
    messages = [("availability", b"online"), ("camera", b"offline"), ("state", STATE), ("stats", {"backlog": 3})]
    device = known(*messages)
    assert device == Device("shed", "42\n7", 0.987, STATE["at"], "offline", "online", 3)
    assert as_line(device, NOW) == "shed\t42 / 7\t99%\t09:00:00\toffline\tonline\t3"
    assert json.loads(as_json(device))["since"] == STATE["at"]


def test_a_day_ago_is_a_date_and_what_is_gone_a_dash():
    device = known(("state", {**STATE, "text": "", "at": "2026-11-22T22:59:59.000000Z"}))
    assert as_line(device, NOW) == "shed\t-\t-\t2026-11-22\t-\t-\t-"


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("availability", b"\xff"),
        ("availability", b"perhaps"),
        ("camera", b"x" * 1000),
        ("camera", b""),
        ("state", b""),
        ("state", b"{"),
        ("state", b"[" * 50_000),
        ("state", b"[1]"),
        ("state", b'{"text": 7, "confidence": 0.5, "at": "x"}'),
        ("state", b'{"text": "7", "confidence": true, "at": "x"}'),
        ("state", b'{"text": "7", "confidence": NaN, "at": "x"}'),
        ("stats", b'{"backlog": "many"}'),
        ("else", b"online"),
    ],
)
def test_nonsense_changes_nothing(topic, payload):
    device = known(("state", STATE))
    assert updated(device, topic, payload) == device


def test_a_device_whose_availability_is_removed_is_gone():
    assert updated(known(("state", STATE)), "availability", b"") is None


def test_a_lone_surrogate_is_an_escape_in_json():
    device = known(("state", b'{"text": "\\ud800", "confidence": 0.5, "at": "x"}'))
    assert json.loads(as_json(device).encode())["text"] == "\ud800"


def test_what_is_kept_of_a_device_is_bounded():
    device = known(("state", {**STATE, "text": "7" * 60_000, "at": "x" * 60_000}))
    assert (len(device.text or ""), len(device.since or "")) == (devices.TEXT_CHARACTERS, devices.TIME_CHARACTERS)


def test_nobody_on_the_broker_writes_to_the_terminal():
    device = Device("\x1b[2Jshed", "\x1b]0;owned\x07", 0.5, "\x1b", "online", "online", 0)
    assert "\x1b" not in as_line(device, NOW)
    assert "\x07" not in as_line(device, NOW)
    assert not any("\x1b" in row for row in table([device], 80, NOW))


def test_a_table_is_sorted_aligned_and_as_wide_as_the_terminal():
    devices = [Device("b", "1", 1.0, None, "online", "online", 0), Device("a", "1234567890" * 9, 0.5)]
    head, first, second = table(devices, 60, NOW)
    assert (first[0], second[0]) == ("a", "b")
    assert first.index("1234567890") == second.index("1") == head.index("TEXT")
    assert max(map(len, (head, first, second))) <= 60


def test_the_uri_is_that_of_the_publisher():
    place = address("mqtts://me:se@cret@broker:1234/my/home?version=3")
    assert (place.host, place.port, place.prefix, place.user, place.password) == (
        "broker",
        1234,
        "my/home",
        "me",
        "se@cret",
    )
    assert (place.secure, place.version) == (True, 3)


@pytest.mark.parametrize(
    "wrong", ["", "broker", "http://broker", "mqtt:", "mqtt://me:hush@broker?versoin=5", "mqtt://me:hush@broker?ca=x"]
)
def test_a_wrong_uri_shows_no_password(wrong):
    with pytest.raises(SettingsError) as caught:
        address(wrong)
    assert "hush" not in str(caught.value)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    server = Broker(tmp_path / "broker")
    yield server
    server.kill()


class Watching:
    """``edge watch`` as a process, and what it says."""

    def __init__(self, *arguments: str, terminal: bool = False) -> None:
        command = [sys.executable, "-m", "edge.cli", "watch", *arguments]
        environment = {**os.environ, "COLUMNS": "100", "LINES": "20", "TZ": "UTC"}
        self.out = b""
        ours, theirs = pty.openpty() if terminal else os.pipe()
        self.process = subprocess.Popen(command, stdout=theirs, stderr=subprocess.PIPE, cwd=ROOT, env=environment)
        os.close(theirs)
        threading.Thread(target=self._read, args=(ours,), daemon=True).start()

    def _read(self, ours: int) -> None:
        try:
            while data := os.read(ours, 4096):
                self.out += data
        except OSError:
            # A terminal whose other side was closed.
            pass
        os.close(ours)

    def ended(self, number: int = signal.SIGINT) -> tuple[int, str]:
        self.process.send_signal(number)
        _, error = self.process.communicate(timeout=patience(20))
        return self.process.returncode, error.decode()


def test_devices_beyond_the_limit_are_left_out(broker, monkeypatch):
    monkeypatch.setattr(devices, "MOST_DEVICES", 3)
    with Listener(broker.port, "none") as pi:
        seen = devices.watch(address(f"mqtt://127.0.0.1:{broker.port}/home"), lambda: False)
        next(seen)
        for name in ("long" * 100, *"abcde"):
            pi.say(f"home/{name}/availability", "online")
        pi.say("home/a/camera", "online")
        last = next(change for change in seen if change and change.device and change.device.camera)
        seen.close()
    assert set(last.devices) == {"a", "b", "c"}


def test_that_devices_are_left_out_is_said_once(monkeypatch, capsys):
    monkeypatch.setattr(devices, "MOST_DEVICES", 2)
    known = {name: Device(name) for name in "ab"}
    monkeypatch.setattr(devices, "watch", lambda *_: iter([devices.Change(known, device) for device in known.values()]))
    run(argparse.Namespace(broker="mqtt://broker/home", json=True))
    out, error = capsys.readouterr()
    assert out.count("\n") == 2
    assert error == "edge: mqtt://broker:1883/home: has 2 devices; no others are shown\n"
    assert "devices: 2 (no others are shown)" in screen("mqtt://broker", devices.Change(known), 80, 24)


def test_each_change_is_a_line_of_json(broker):
    with Listener(broker.port, "none") as pi:
        pi.say("home/shed/availability", "online", retain=True)
        pi.say("home/shed/event", json.dumps({**STATE, "text": "1"}))
        pi.say("other/shed/availability", "online", retain=True)
        watching = Watching("--json", f"mqtt://127.0.0.1:{broker.port}/home")
        eventually(lambda: watching.out.count(b"\n") == 1)
        pi.say("home/shed/state", json.dumps(STATE), retain=True)
        eventually(lambda: watching.out.count(b"\n") == 2)
        pi.say("home/shed/state", json.dumps(STATE), retain=True)
        pi.say("home/attic/availability", "offline", retain=True)
        eventually(lambda: watching.out.count(b"\n") == 3)
    assert watching.ended() == (0, "")
    lines = [json.loads(text) for text in watching.out.splitlines()]
    assert [(one["device"], one["text"], one["availability"]) for one in lines] == [
        ("shed", None, "online"),
        ("shed", "42\n7", "online"),
        ("attic", None, "offline"),
    ]


def test_a_table_stands_in_a_terminal_which_is_left_as_it_was(broker):
    with Listener(broker.port, "none") as pi:
        pi.say("home/shed/state", json.dumps(STATE), retain=True)
        pi.say("home/attic/state", json.dumps({**STATE, "text": "19"}), retain=True)
        watching = Watching(f"mqtt://127.0.0.1:{broker.port}/home", terminal=True)
        eventually(lambda: b"42 / 7" in watching.out)
        pi.say("home/shed/state", json.dumps({**STATE, "text": "2026"}), retain=True)
        eventually(lambda: b"2026  " in watching.out)
    code, error = watching.ended(signal.SIGTERM)
    assert (code, error) == (0, "")
    picture = watching.out.rpartition(b"\x1b[H")[2].decode()
    assert picture.index("DEVICE") < picture.index("attic") < picture.index("shed")
    assert watching.out.startswith(b"\x1b[?1049h\x1b[?25l")
    assert watching.out.endswith(b"\x1b[?25h\x1b[?1049l")


def test_it_goes_on_when_the_broker_comes_back(broker):
    with Listener(broker.port, "none") as pi:
        pi.say("home/shed/state", json.dumps(STATE), retain=True)
        watching = Watching(f"mqtt://127.0.0.1:{broker.port}/home")
        eventually(lambda: b"42 / 7" in watching.out)
        broker.kill()
        broker.start()
        pi.ready()
        pi.say("home/shed/state", json.dumps({**STATE, "text": "99"}), retain=True)
        eventually(lambda: b"99" in watching.out)
    code, error = watching.ended()
    assert code == 0
    assert "retrying until it works" in error


@pytest.mark.slow
def test_a_prefix_that_no_device_has_is_said_once_and_it_goes_on(broker):
    watching = Watching(f"mqtt://127.0.0.1:{broker.port}/hmoe")
    if not select.select([watching.process.stderr], [], [], PATIENCE)[0]:
        watching.process.kill()
    said = watching.process.stderr.readline().decode()
    assert said.startswith(f"edge: mqtt://127.0.0.1:{broker.port}/hmoe: no device below hmoe/ yet; ")
    with Listener(broker.port, "none") as pi:
        pi.say("hmoe/shed/state", json.dumps(STATE), retain=True)
        eventually(lambda: b"42 / 7" in watching.out)
    assert watching.ended() == (0, "")


def test_a_broker_that_is_not_there_at_first_is_one_line(broker):
    broker.kill()
    command = [sys.executable, "-m", "edge.cli", "watch", f"mqtt://127.0.0.1:{broker.port}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=patience(60))
    assert done.returncode == 1
    assert done.stderr.startswith("edge: mqtt://127.0.0.1")
    assert done.stderr.count("\n") == 1
