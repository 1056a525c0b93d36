"""A connection to a broker that does not keep to the protocol."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator

import pytest

from edge.mqtt.address import parse
from edge.mqtt.client import PACKET_BYTES, UNSENT_PACKETS
from edge.mqtt.connection import Connection
from edge.system.seldom import Seldom
from tests.support.mosquitto import eventually
from tests.support.patience import patience

ACCEPTED = b"\x20\x02\0\0"
"""CONNACK: MQTT 3.1.1, section 3.2."""
REFUSED_SUBSCRIPTION = b"\x90\x03\0\1\x80"
"""SUBACK of the first packet with a number: section 3.9."""
SUBSCRIBE = 0x82


def message(topic: bytes, payload: bytes) -> bytes:
    """PUBLISH with QoS 0: section 3.3."""
    body = len(topic).to_bytes(2, "big") + topic + payload
    size = len(body)
    return bytes([0x30, size % 128 | 128, size // 128 % 128 | 128, size // 16384]) + body


class Broker:
    """Accepts one connection after another, and sends what a test wants."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        # It takes little that it does not read.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self._listener.settimeout(patience(20))
        self.got: list[tuple[str, bytes]] = []
        self.reported = Seldom()

    def connect(self) -> tuple[Connection, socket.socket]:
        """A connection, and the broker's end of it."""
        accepted: list[socket.socket] = []

        def accept() -> None:
            accepted.append(self._listener.accept()[0])
            accepted[0].settimeout(patience(20))
            accepted[0].recv(1000)
            accepted[0].sendall(ACCEPTED)

        thread = threading.Thread(target=accept)
        thread.start()
        place = parse(f"//127.0.0.1:{self._listener.getsockname()[1]}/home", version=3)
        one = Connection(place, "desk", on_message=self._take, reported=self.reported, timeout_seconds=patience(5))
        one.open()
        thread.join()
        return one, accepted[0]

    def _take(self, topic: str, payload: bytes, retained: bool) -> None:
        self.got.append((topic, payload))
        if payload == b"fail":
            raise KeyError(payload)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def broker(caplog: pytest.LogCaptureFixture) -> Iterator[Broker]:
    caplog.set_level(logging.WARNING)
    one = Broker()
    yield one
    one.close()


@pytest.mark.parametrize("packet", [b"\xc0\0", b"\x62\2\0\1", b"\x32\x05\0\1x\0\1"], ids=["ping", "release", "qos 1"])
def test_one_that_reads_no_answer_is_left_before_the_memory_is_full(broker: Broker, packet: bytes) -> None:
    connection, wire = broker.connect()
    with wire:
        with pytest.raises(OSError):
            while True:
                wire.sendall(packet * 1000)
        eventually(lambda: connection.lost)
        assert connection._paho and len(connection._paho._out_packet) <= UNSENT_PACKETS + 1
        connection.close()


def test_a_topic_that_is_not_utf8_is_ignored(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    connection, wire = broker.connect()
    with wire:
        wire.sendall(message(b"\xff\xfe", b"1") + message(b"home/desk", b"2"))
        eventually(lambda: broker.got)
        assert (broker.got, connection.lost, caplog.messages) == ([("home/desk", b"2")], "", [])
        connection.close()


def test_the_same_fault_is_said_once_over_many_connections(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    large, fails = message(b"home/desk", bytes(PACKET_BYTES)), message(b"home/\x1b[1m", b"fail")
    for _ in range(3):
        broker.got.clear()
        connection, wire = broker.connect()
        with wire:
            connection.subscribe(["home/desk"])
            assert wire.recv(1000)[0] == SUBSCRIBE
            wire.sendall(REFUSED_SUBSCRIPTION + large * 2 + fails * 2 + message(b"home/desk", b"end"))
            eventually(lambda: ("home/desk", b"end") in broker.got)
            connection.close()
    assert [text.partition("/home: ")[2][:40] for text in caplog.messages] == [
        "the broker does not let us subscribe, so",
        "home/desk: a message of 65,547 bytes is ",
        "home/?[1m: b'fail'",
    ]
