"""A real MQTT broker for tests, a client, and a proxy whose connections can be cut, blocked or slowed down."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import queue
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.support.patience import patience

PROGRAM = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/local/bin:/usr/bin:/opt/homebrew/sbin")
"""The Mosquitto program; Debian installs it in a folder that is only on root's PATH."""
AMQTT = os.environ.get("EDGE_BROKER", "" if PROGRAM else "amqtt") == "amqtt"
"""Whether to use amqtt, which comes with the test requirements: Mosquitto is missing, or EDGE_BROKER chooses it."""
UNLIMITED_IN_AMQTT = ("max_inflight_messages", "max_queued_messages")
"""Settings of Mosquitto that are left out for amqtt, which has no such limits."""


def only_mosquitto(what: str) -> pytest.MarkDecorator:
    """A mark that skips a test with amqtt; ``what`` says what amqtt does wrong or lacks."""
    reason = f"amqtt {what}; apt-get install mosquitto"
    return pytest.mark.skipif(AMQTT, reason=reason)


PATIENCE = patience(20.0)
"""Seconds after which a test fails."""


def eventually(true: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Wait until ``true()`` is true, and return its value."""
    until = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.01)
    return value


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def password_file(path: Path, **passwords: str) -> Path:
    """A password file for Mosquitto; the test is skipped if Mosquitto's tool for it is missing."""
    tool = shutil.which("mosquitto_passwd")
    if not tool:
        pytest.skip("mosquitto_passwd is not here; apt-get install mosquitto")
    path.write_text("".join(f"{user}:{password}\n" for user, password in passwords.items()))
    path.chmod(0o600)
    subprocess.run([tool, "-U", path], check=True)
    return path


class Broker:
    """A broker on a port of 127.0.0.1: Mosquitto with these lines in its settings, or amqtt.

    A test can kill or stop it and start it again.
    """

    def __init__(self, folder: Path, *lines: str) -> None:
        folder.mkdir(exist_ok=True)
        self.port = free_port()
        self.folder = folder
        self.log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        if AMQTT:
            if not find_spec("amqtt"):
                pytest.skip("no broker here; apt-get install mosquitto")
            self._command = self._amqtt(lines)
        else:
            assert PROGRAM
            self._command = [PROGRAM, "-c", str(folder / "conf"), "-v"]
            anonymous = [] if any(line.startswith("allow_anonymous") for line in lines) else ["allow_anonymous true"]
            # As root, Mosquitto would switch to a user who may not read the test's files.
            who = [f"user {getpass.getuser()}"]
            (folder / "conf").write_text(
                "\n".join([f"listener {self.port} 127.0.0.1", *who, *anonymous, *lines]) + "\n"
            )
        self.start()

    def _amqtt(self, lines: tuple[str, ...]) -> list[str]:
        for line in lines:
            if not line.startswith(UNLIMITED_IN_AMQTT):
                pytest.skip(f"amqtt has nothing like Mosquitto's {line.split()[0]}; apt-get install mosquitto")
        settings = {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{self.port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
        # YAML, of which JSON is a part.
        (self.folder / "conf").write_text(json.dumps(settings))
        return [sys.executable, "-m", "amqtt.scripts.broker_script", "-c", str(self.folder / "conf")]

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, cwd=self.folder)
        eventually(self._listens)

    def _listens(self) -> bool:
        assert self._process and self._process.poll() is None, self.log.read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait()


class Listener:
    """A test client that records messages in order; it reconnects by itself."""

    def __init__(
        self,
        port: int,
        *topics: str,
        name: str = "",
        version: int = 3 if AMQTT else 5,
        user: str = "",
        password: str = "",
        qos: int = 0,
    ) -> None:
        self.heard: queue.Queue[MQTTMessage] = queue.Queue()
        self._ready = threading.Event()
        self._topics = [(topic, qos) for topic in topics or ("#",)]
        protocol = MQTTProtocolVersion.MQTTv5 if version == 5 else MQTTProtocolVersion.MQTTv311
        # Not every broker gives a client id to a client without one.
        name = name or f"listener-{secrets.token_hex(4)}"
        self.paho = Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=protocol)
        self.paho.reconnect_delay_set(1, 1)
        if user:
            self.paho.username_pw_set(user, password)
        self.paho.on_message = lambda paho, data, message: self.heard.put(message)
        self.paho.on_connect = lambda paho, *rest: paho.subscribe(self._topics)
        self.paho.on_subscribe = lambda *rest: self._ready.set()
        self.paho.on_disconnect = lambda *rest: self._ready.clear()
        self.paho.connect("127.0.0.1", port)
        self.paho.loop_start()
        self.ready()

    def ready(self) -> None:
        assert self._ready.wait(PATIENCE), "the listener is not subscribed"

    def say(self, topic: str, payload: bytes | str, retain: bool = False) -> None:
        self.paho.publish(topic, payload, qos=1, retain=retain).wait_for_publish(PATIENCE)

    def next(self, ending: str = "") -> MQTTMessage:
        """The next message whose topic ends with ``ending``."""
        while True:
            message = self.heard.get(timeout=PATIENCE)
            if message.topic.endswith(ending):
                return message

    def all(self) -> Iterator[MQTTMessage]:
        with contextlib.suppress(queue.Empty):
            while True:
                yield self.heard.get_nowait()

    def close(self) -> None:
        self.paho.disconnect()
        self.paho.loop_stop()

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *rest: object) -> None:
        self.close()


def body(message: MQTTMessage) -> Any:
    return json.loads(message.payload)


class Wire:
    """A TCP proxy to another port.

    ``cut`` ends its connections; ``open`` False refuses new ones; ``hole`` True holds back all data;
    ``bytes_a_second`` above 0 slows it down.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._server = socket.create_server(("127.0.0.1", 0), backlog=1000)
        self.port = int(self._server.getsockname()[1])
        self.open = True
        self.hole = False
        self.bytes_a_second = 0
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._server.accept()
                try:
                    if not self.open:
                        raise OSError
                    far = socket.create_connection(("127.0.0.1", self._to), 5)
                    far.settimeout(None)
                except OSError:
                    near.close()
                    continue
                self._pairs.append((near, far))
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536 if not self.bytes_a_second else 256):
                while self.hole:
                    time.sleep(0.01)
                if self.bytes_a_second:
                    time.sleep(len(data) / self.bytes_a_second)
                other.sendall(data)
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """End all connections; whether new ones are accepted depends on ``open``."""
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()

    def close(self) -> None:
        self.open = self.hole = False
        self._server.close()
        self.cut()
