import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from edge.service import notify, stop_signals
from edge.sources.synthetic import Synthetic

SERVE = """
import time
from edge.service import stop_signals
with stop_signals() as stop:
    print("up", flush=True)
    while not stop.is_set():
        time.sleep(0.01)
    print("stopping", flush=True)
    time.sleep(float("%s"))
print("down", flush=True)
"""


@contextlib.contextmanager
def served(last_seconds):
    program = [sys.executable, "-c", SERVE % last_seconds]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "up\n"
        yield process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_work_in_hand_be_finished(number):
    with served(0) as process:
        process.send_signal(number)
        assert process.communicate(timeout=5) == ("stopping\ndown\n", "")
        assert process.returncode == 0


def test_a_second_ctrl_c_does_not_wait():
    with served(60) as process:
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "stopping\n"
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=5)
        assert out == "" and error.endswith("KeyboardInterrupt\n")


def test_the_handlers_are_put_back():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with stop_signals() as stop:
        assert signal.getsignal(signal.SIGTERM) != before[1]
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.is_set()
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_signal_ends_the_wait_for_the_next_frame():
    with Synthetic(size=(64, 64), digits=0, fps=0.05) as source, stop_signals(source.stop) as stop:
        next(source)
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM)).start()
        started = time.monotonic()
        # Without the signal the next frame is due in 20 s.
        with pytest.raises(StopIteration):
            next(source)
        assert stop.is_set()
        assert time.monotonic() - started < 5


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told(abstract, tmp_path, monkeypatch):
    address = f"@edge-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address.replace("@", "\0") if abstract else address)
        systemd.settimeout(5)
        notify("READY=1")
        notify("STOPPING=1")
        assert [systemd.recv(100), systemd.recv(100)] == [b"READY=1", b"STOPPING=1"]


def test_without_systemd_nothing_happens(monkeypatch, caplog):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify("READY=1")
    assert not caplog.records


def test_a_systemd_that_does_not_listen_is_only_a_line_in_the_log(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    with caplog.at_level(logging.WARNING):
        notify("READY=1")
    assert [r.getMessage() for r in caplog.records] == [
        "NOTIFY_SOCKET: systemd was not told READY=1 (No such file or directory)"
    ]
