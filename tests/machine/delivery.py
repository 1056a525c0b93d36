"""Checks of what leaves the machine: a broker hears the service, and may be away. Each gives what is worth telling."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from ask import (
    CONFIG,
    DROP_IN,
    EDGE,
    OTHER,
    PAGE,
    PATIENCE,
    UNIT,
    check,
    display,
    here,
    journal,
    now,
    process,
    published,
    reading,
    run,
    show,
    until,
)

PLACE = Path("/run/machine-broker")
"""Where the broker has its files."""
PORT = 8883
DEVICE, PASSWORD = "shed", "a secret of machine"
AUTHORITY = CONFIG.with_name("broker.pem")
KEPT = CONFIG.with_name("mqtt-password")
"""What systemd hands to the service as the credential ``mqtt-password``: for root alone."""
SETTINGS = f"""
listener {PORT} 127.0.0.1
cafile {PLACE}/certificate.pem
certfile {PLACE}/certificate.pem
keyfile {PLACE}/key.pem
allow_anonymous false
password_file {PLACE}/passwords
persistence true
persistence_location {PLACE}/
# What it does not have to be: it is ours alone.
user root
"""
URI = f"mqtts://{DEVICE}@127.0.0.1:{PORT}/edge-digits?ca={AUTHORITY}"
LOGIN = ["-h", "127.0.0.1", "-p", str(PORT), "--cafile", str(PLACE / "certificate.pem"), "-u", "all", "-P", PASSWORD]
LEAVES = ("availability", "camera", "event", "notice", "reading", "state")
RUNNING: list[subprocess.Popen] = []
"""The broker, and who listens to it."""
HEARD = PLACE / "heard.jsonl"
"""What a listener heard who was there all the time, a message a line."""


def comes_online() -> str:
    """with a password in systemd's keeping it gets into a broker by TLS, and says that it and its camera are online"""
    _lay_out()
    _broker()
    topics = [word for leaf in LEAVES for word in ("-t", f"edge-digits/{DEVICE}/{leaf}")]
    # A session that the broker keeps: what comes before the listener is back is not lost on him.
    listener = ["mosquitto_sub", *LOGIN, *topics, "-q", "1", "-c", "-i", "listener", "-F", "%j"]
    RUNNING.insert(0, subprocess.Popen(listener, stdout=HEARD.open("ab"), stderr=subprocess.DEVNULL))
    display(PAGE)
    started = time.monotonic()
    run("systemctl", "restart", UNIT)
    for leaf in ("availability", "camera"):
        until(lambda leaf=leaf: _heard(leaf)[-1:] == ["online"], f"its {leaf} was never online")
    pid = process()
    shown = [Path(f"/proc/{pid}/{name}").read_bytes().decode() for name in ("cmdline", "environ")]
    said = "\n".join([*journal(), *shown, json.dumps(published(0)), run(EDGE, "run", "--check", "--config", CONFIG)])
    check(PASSWORD not in said, "the password is shown")
    return f"{time.monotonic() - started:.0f} s after it was asked to start again"


def sends_an_event() -> str:
    """what is written there arrives as an event, and as the state that the broker keeps for newcomers"""
    event = _event(0, PAGE)
    check(event["device"] == DEVICE and bool(event["boot_id"]) and event["seq"] >= 0, f"its key is {event}")
    state = json.loads(run("mosquitto_sub", *LOGIN, "-t", f"edge-digits/{DEVICE}/state", "-C", "1", "-W", "30"))
    check(state == event, f"the state is {state}")
    return f"{event['event']} {event['text']}, seq {event['seq']}"


def obeys() -> str:
    """a command from the broker is obeyed: it reads now, and answers"""
    started = time.monotonic()
    run("mosquitto_pub", *LOGIN, "-q", "1", "-t", f"edge-digits/{DEVICE}/set/read", "-m", "now")
    answer = json.loads(until(lambda: _heard("reading"), "no answer came", 60)[-1])
    check(answer["text"] == PAGE and answer["device"] == DEVICE, f"the answer was {answer}")
    return f"{answer['text']} after {time.monotonic() - started:.1f} s"


def is_missed() -> str:
    """killed, the broker says offline for it; started again, it is online, and what still stands there is no news"""
    pid, said, events = process(), len(_heard("availability")), len(_heard("event"))
    started = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    until(lambda: "offline" in _heard("availability")[said:], "the broker did not say offline")
    gone = time.monotonic() - started
    until(lambda: process() not in (0, pid), "there was no new process")
    until(lambda: _heard("availability")[-1] == "online", "it did not come back")
    back = time.monotonic() - started
    reading(here(), PAGE)
    # A new text would be said after track.dwell, a fraction of a second.
    time.sleep(5)
    check(len(_heard("event")) == events, f"it said again what was known: {_heard('event')[events:]}")
    return f"offline after {gone:.1f} s, online after {back:.0f} s"


def waits_for_the_broker() -> str:
    """started while the broker is away it reads all the same, and what happened meanwhile arrives when that is back"""
    broker = RUNNING.pop()
    broker.terminate()
    broker.wait(30)
    said, kept, cursor = len(_heard("event")), len(_history()), now()
    display(OTHER)
    run("systemctl", "restart", UNIT)
    reading(here(), OTHER)
    until(lambda: any(m.get("text") == OTHER for m in _history()[kept:]), "no event was kept", 60)
    check(show("ActiveState") == "active" and show("StatusText") == "reading", f"it is {show('StatusText')}")
    check(any("nothing listens on" in line for line in journal(cursor)), "the journal does not say what is wrong")
    _broker()
    started = time.monotonic()
    event = _event(said, OTHER)
    check(event in _history(), "what arrived is not what was kept")
    return f"{event['event']} {event['text']} {time.monotonic() - started:.0f} s after the broker was back"


def _lay_out() -> None:
    """The broker's files, and the service's: its password, the authority, where to publish."""
    PLACE.mkdir(exist_ok=True)
    (PLACE / "mosquitto.conf").write_text(SETTINGS)
    (PLACE / "passwords").touch(mode=0o600)
    for user in (DEVICE, "all"):
        run("mosquitto_passwd", "-b", PLACE / "passwords", user, PASSWORD)
    made = ["-keyout", PLACE / "key.pem", "-out", PLACE / "certificate.pem", "-days", "2"]
    names = ["-subj", "/CN=broker", "-addext", "subjectAltName=IP:127.0.0.1"]
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", *made, *names)
    shutil.copyfile(PLACE / "certificate.pem", AUTHORITY)
    KEPT.touch(mode=0o600)
    KEPT.write_text(f"{PASSWORD}\n")
    unit = Path(f"/etc/systemd/system/{UNIT}").read_text()
    # As the unit itself says how.
    (line,) = re.findall(rf"(?m)^# (LoadCredential=mqtt-password:{KEPT})$", unit)
    DROP_IN.parent.mkdir(exist_ok=True)
    DROP_IN.with_name("broker.conf").write_text(f"[Service]\n{line}\n")
    config, changed = re.subn(r"(?m)^(publish = \[.*)\]$", rf'\1, "{URI}"]', CONFIG.read_text())
    config, named = re.subn(r'(?m)^device = ""$', f'device = "{DEVICE}"', config)
    check(changed == named == 1, "the config has no line for publishers, or for the device")
    CONFIG.write_text(config)
    run("systemctl", "daemon-reload")


def _broker() -> None:
    """Start the broker; it is ours till the machine is switched off."""
    RUNNING.append(subprocess.Popen(["mosquitto", "-c", str(PLACE / "mosquitto.conf")], stderr=subprocess.DEVNULL))

    def listens() -> bool:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", PORT), 5):
            return True
        return False

    until(listens, "the broker does not listen", 60)


def _heard(leaf: str) -> list[str]:
    """The payloads of a topic, oldest first."""
    lines = HEARD.read_bytes().split(b"\n")[:-1] if HEARD.exists() else []
    return [m["payload"] for m in map(json.loads, lines) if m["topic"] == f"edge-digits/{DEVICE}/{leaf}"]


def _event(after: int, text: str) -> dict:
    """The first event since that says ``text``."""

    def found() -> dict | None:
        return next((event for event in map(json.loads, _heard("event")[after:]) if event["text"] == text), None)

    return until(found, f"no event said {text!r}", PATIENCE)


def _history() -> list[dict]:
    return [json.loads(line) for line in run(EDGE, "history", "--json", "--config", CONFIG).splitlines()]
