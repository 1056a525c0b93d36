"""Sends MQTT messages of any size to a broker, in small pieces, and measures the peak memory of another process."""

from __future__ import annotations

import socket
from pathlib import Path

PIECE = bytes(1 << 20)


def _text(value: str) -> bytes:
    data = value.encode()
    return len(data).to_bytes(2, "big") + data


def _packet_head(kind: int, size: int) -> bytes:
    """The first byte of a packet, and the length of what follows: MQTT 3.1.1, section 2.2."""
    head = [kind]
    while True:
        size, low = divmod(size, 128)
        head.append(low | (0x80 if size else 0))
        if not size:
            return bytes(head)


def publish_large(
    port: int, topic: str, size: int, *, retain: bool = False, qos: int = 1, seconds: float = 120
) -> None:
    """Publish ``size`` zeros, by MQTT 3.1.1; returns when the broker has acknowledged a ping behind it."""
    with socket.create_connection(("127.0.0.1", port), seconds) as broker:
        hello = _text("MQTT") + bytes([4, 2, 0, 0]) + _text(f"large-{size}-{retain:d}")
        broker.sendall(_packet_head(0x10, len(hello)) + hello)
        answer = broker.recv(4)
        assert answer[:1] == b"\x20" and answer[3] == 0, answer
        start = _text(topic) + (b"\0\1" if qos else b"")
        broker.sendall(_packet_head(0x30 | qos << 1 | retain, len(start) + size) + start)
        for at in range(0, size, len(PIECE)):
            broker.sendall(PIECE[: size - at])
        broker.sendall(b"\xc0\0")
        answers = b""
        while not answers.endswith(b"\xd0\0"):
            piece = broker.recv(100)
            assert piece, "the broker does not take it"
            answers += piece


def reset_peak(process: int) -> float:
    """Let the kernel forget a process's peak memory; gives what it holds now, in MB. See proc_pid_clear_refs(5)."""
    Path(f"/proc/{process}/clear_refs").write_text("5")
    return memory(process, "VmRSS")


def memory(process: int, what: str = "VmHWM") -> float:
    """The peak memory of a process, or what else /proc/PID/status has, in MB."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:")) * 1024 / 1e6
