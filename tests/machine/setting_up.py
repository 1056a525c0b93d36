"""Checks of `edge setup`, typed as a new user types it. The service is stopped before and after; nothing else stays."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from ask import CONFIG, DROP_IN, EDGE, HERE, PAGE, PATIENCE, STATE, UNIT, check, display, run, show, until

# A person who waits for the next question is as patient as the checks are.
os.environ.setdefault("EDGE_PATIENCE", "10")
sys.path.append(str(HERE.parents[1]))
from tests.support.terminal import Terminal

PLACE = Path("/run/machine-setup")
"""Where the broker has its files, and where the settings from before wait."""
BROKER, PASSWORD = "127.0.0.1:1884", "a secret of joe"
SETTINGS = f"""
listener 1884 127.0.0.1
allow_anonymous false
password_file {PLACE}/passwords
user root
"""
LOGIN = ["-h", "127.0.0.1", "-p", "1884", "-u", "joe", "-P", PASSWORD]
SECRET = CONFIG.with_name("mqtt-password")
ASIDE = STATE.with_name("machine-setup")
"""Where the service's state waits meanwhile."""
BACKUP = CONFIG.with_name("edge.toml.bak")
MOST_ANSWERS = 6
RUNNING: list[subprocess.Popen] = []


def sets_up() -> str:
    """from a fresh installation edge setup asks at most six questions, and the first event is on the broker"""
    _make_fresh()
    listener = ["mosquitto_sub", *LOGIN, "-t", "edge-digits/+/event", "-C", "1", "-F", "%j"]
    RUNNING.append(subprocess.Popen(listener, stdout=subprocess.PIPE, text=True))
    before = CONFIG.read_text()
    started = time.monotonic()
    with _setup() as terminal:
        seen = terminal.wait_for("Which camera? [1] ")
        terminal.answer("", "1")
        terminal.answer("MQTT broker", BROKER)
        terminal.answer("Its user", "joe")
        terminal.answer("Password of joe:", PASSWORD)
        terminal.answer("Live page", "")
        terminal.answer("Write this", "")
        asked = time.monotonic() - started
        status = terminal.end()
    taken = time.monotonic() - started
    check(status == 0, f"status {status}: {' | '.join(terminal.screen.splitlines()[-8:])}")
    check("(picamera2:0)" in seen and f"reads {PAGE}" in seen, f"of the camera it said: {seen}")
    uris = re.findall(r"^  \d  .* \((.*)\)$", seen, re.M)
    check(uris == ["picamera2:0", "v4l2:/dev/video0"], f"it found the cameras {uris}")
    check(f"has the first event: {PAGE}" in terminal.screen, f"it did not see the event: {terminal.screen}")
    check(PASSWORD not in terminal.screen, "the password is shown")
    check(terminal.answers <= MOST_ANSWERS, f"it asked {terminal.answers} questions")
    out, _ = RUNNING.pop().communicate(timeout=PATIENCE)
    event = json.loads(json.loads(out)["payload"])
    check(event["text"] == PAGE, f"the first event on the broker is {event}")
    changed = [line for line in CONFIG.read_text().splitlines() if line not in before.splitlines()]
    check([line.split(" = ")[0] for line in changed] == ["publish", "web"], f"the lines {changed} are new")
    check(SECRET.stat().st_mode & 0o777 == 0o600 and SECRET.stat().st_uid == 0, "the password is not root's alone")
    check(CONFIG.stat().st_mode & 0o777 == 0o640 and CONFIG.group() == "edge-digits", "others may read the settings")
    check(BACKUP.read_text() == before, "there is no backup of the settings")
    check(show("ActiveState") == "active" and show("UnitFileState") == "enabled", "the service does not run")
    return f"{terminal.answers} answers, {taken:.0f} s, {asked:.0f} s of them until the last answer"


def keeps_the_answers() -> str:
    """run again, an empty answer keeps what is set, and not a byte of the settings changes"""
    before = CONFIG.read_bytes()
    with _setup() as terminal:
        for question in (
            "Which camera? [1]",
            f"MQTT broker, as host or host:port: [mqtt://{BROKER}/edge-digits]",
            "Live page",
        ):
            terminal.answer(question, "")
        status = terminal.end()
    check(status == 0, f"status {status}: {' | '.join(terminal.screen.splitlines()[-8:])}")
    check("stay as they are" in terminal.screen and CONFIG.read_bytes() == before, "the settings have changed")
    check(show("ActiveState") == "active", "the service does not run")
    return f"{terminal.answers} answers"


def is_interrupted() -> str:
    """Ctrl-C, or a connection that is lost, changes nothing, and the service goes on"""
    before = CONFIG.read_bytes()
    with _setup() as terminal:
        terminal.wait_for("Which camera?")
        check(show("ActiveState") == "inactive", "the service has the camera meanwhile")
        terminal.press("\x03")
        status = terminal.end()
    check(status == 130 and "nothing was changed" in terminal.screen, f"status {status}: {terminal.screen[-300:]}")
    until(lambda: show("ActiveState") == "active", "the service did not go on after Ctrl-C")
    with _setup() as terminal:
        terminal.wait_for("Which camera?")
        terminal.hang_up()
        until(lambda: show("ActiveState") == "active", "the service did not go on after the connection was lost")
    check(CONFIG.read_bytes() == before, "the settings have changed")
    return ""


def is_cleared_away() -> str:
    """what the checks of edge setup brought is gone, and the settings are those before"""
    run("systemctl", "stop", UNIT)
    for process in RUNNING:
        process.kill()
    for path in (SECRET, BACKUP, DROP_IN.with_name("mqtt-password.conf")):
        path.unlink()
    shutil.rmtree(STATE)
    ASIDE.rename(STATE)
    CONFIG.write_bytes((PLACE / "edge.toml").read_bytes())
    shutil.rmtree(PLACE)
    run("systemctl", "daemon-reload")
    run("systemctl", "start", "mosquitto.service")
    return ""


def _make_fresh() -> None:
    """The service as it is installed: its own settings, nothing in its state; and a broker that wants a login."""
    run("systemctl", "stop", UNIT)
    # Debian starts its own, which would be found, and lets everybody in.
    run("systemctl", "stop", "mosquitto.service")
    PLACE.mkdir()
    shutil.copyfile(CONFIG, PLACE / "edge.toml")
    CONFIG.write_bytes((HERE.parents[1] / "systemd" / "edge.toml").read_bytes())
    STATE.rename(ASIDE)
    run("install", "-d", "-m", "750", "-o", "edge-digits", "-g", "edge-digits", STATE)
    display(PAGE)
    (PLACE / "mosquitto.conf").write_text(SETTINGS)
    (PLACE / "passwords").touch(mode=0o600)
    run("mosquitto_passwd", "-b", PLACE / "passwords", "joe", PASSWORD)
    RUNNING.append(subprocess.Popen(["mosquitto", "-c", str(PLACE / "mosquitto.conf")], stderr=subprocess.DEVNULL))

    def listens() -> bool:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", 1884), 5):
            return True
        return False

    until(listens, "the broker does not listen", 60)


def _setup() -> Terminal:
    return Terminal([EDGE, "setup"], Path("/root"), {**os.environ, "TERM": "dumb"})
