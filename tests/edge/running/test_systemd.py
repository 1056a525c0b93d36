import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import get_args

import pytest

from edge.running.systemd import STATUS, Watchdog, notify, reload_signal, stop_signals
from edge.sources.base import State
from edge.sources.synthetic import Synthetic
from tests.support.patience import patience

SERVE = """
import time
from edge.running.systemd import stop_signals
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
        assert process.communicate(timeout=patience(5)) == ("stopping\ndown\n", "")
        assert process.returncode == 0


def test_a_second_ctrl_c_does_not_wait():
    with served(60) as process:
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "stopping\n"
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=patience(5))
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
        assert time.monotonic() - started < patience(5)


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told(abstract, tmp_path, monkeypatch):
    address = f"@edge-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address.replace("@", "\0") if abstract else address)
        systemd.settimeout(patience(5))
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
        "NOTIFY_SOCKET: systemd could not be notified of READY=1 (No such file or directory)"
    ]


@pytest.fixture
def heard(tmp_path, monkeypatch):
    """Gives systemd's end of NOTIFY_SOCKET: all datagrams since the last call, each a list of its lines."""
    for name in ("WATCHDOG_USEC", "WATCHDOG_PID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)

        def drain():
            datagrams = []
            with contextlib.suppress(BlockingIOError):
                while True:
                    datagrams.append(systemd.recv(1000).decode().split("\n"))
            return datagrams

        yield drain


class Clock:
    """Seconds that pass only when told to."""

    now = 1000.0

    def __call__(self):
        return self.now


def test_the_first_frame_makes_it_ready(heard):
    watchdog = Watchdog()
    assert heard() == []
    watchdog.alive("running")
    watchdog.alive("running")
    watchdog.stopping()
    assert heard() == [["READY=1", "STATUS=reading"], ["STOPPING=1"]]


def test_a_ready_that_cannot_be_sent_is_sent_again(heard, monkeypatch, caplog):
    clock, address = Clock(), os.environ["NOTIFY_SOCKET"]
    watchdog = Watchdog(clock)
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere")
    for _ in range(3):
        watchdog.alive("running")
    assert len(caplog.records) == 1
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    clock.now += 6
    watchdog.alive("running")
    watchdog.alive("running")
    assert heard() == [["READY=1"]]


def test_it_is_ready_while_the_camera_is_waited_for(heard):
    watchdog = Watchdog()
    watchdog.alive("starting")
    assert heard() == [["READY=1", f"STATUS={STATUS['starting']}"]]
    watchdog.alive("running")
    assert heard() == [["STATUS=reading"]]


def test_systemd_hears_of_life_every_quarter_of_its_patience(heard, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    clock = Clock()
    watchdog = Watchdog(clock)
    watchdog.alive("running")
    assert heard() == [["READY=1", "STATUS=reading", "WATCHDOG=1"]]
    told = []
    for frame in range(1, 31):
        clock.now = 1000 + frame
        watchdog.alive("running")
        told += [(frame, lines) for lines in heard()]
    assert told == [(8, ["WATCHDOG=1"]), (16, ["WATCHDOG=1"]), (24, ["WATCHDOG=1"])]


def test_nothing_feeds_the_watchdog_but_the_loop(heard, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "20000")
    watchdog = Watchdog()
    watchdog.alive("running")
    heard()
    time.sleep(0.1)
    assert heard() == []
    watchdog.alive("running")
    assert heard() == [["WATCHDOG=1"]]


def test_a_change_of_state_is_told_at_once_and_once(heard, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    watchdog = Watchdog(Clock())
    for state in ("running", "stalled", "stalled", "reopening", "running"):
        watchdog.alive(state)
    assert heard()[1:] == [[f"STATUS={STATUS[state]}"] for state in ("stalled", "reopening", "running")]


@pytest.mark.parametrize(
    "environment", [{}, {"WATCHDOG_USEC": "x"}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "9", "WATCHDOG_PID": "1"}]
)
def test_without_a_watchdog_of_ours_it_is_not_fed(environment, heard, monkeypatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    clock = Clock()
    watchdog = Watchdog(clock)
    for _ in range(3):
        clock.now += 1e6
        watchdog.alive("running")
    assert heard() == [["READY=1", "STATUS=reading"]]


def test_a_watchdog_without_systemd_does_nothing(monkeypatch, caplog):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    watchdog = Watchdog()
    watchdog.alive("running")
    watchdog.stopping()
    assert not caplog.records


def test_every_state_has_its_words():
    assert STATUS.keys() == set(get_args(State))


def test_a_systemd_that_takes_nothing_is_not_waited_for(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("edge.running.systemd.SEND_SECONDS", 0.05)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        for _ in range(10_000):
            notify("WATCHDOG=1")
            if caplog.records:
                break
    assert [r.getMessage() for r in caplog.records] == [
        "NOTIFY_SOCKET: systemd could not be notified of WATCHDOG=1 (timed out)"
    ]


def test_a_hang_up_asks_to_look_again(monkeypatch):
    monkeypatch.setattr("edge.running.systemd._in_terminal", lambda: False)
    before, asked = signal.getsignal(signal.SIGHUP), []
    with reload_signal(lambda: asked.append(True)):
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGHUP)
        assert asked == [True, True]
    assert signal.getsignal(signal.SIGHUP) == before


def test_in_a_terminal_a_hang_up_is_what_it_always_is(monkeypatch):
    monkeypatch.setattr("edge.running.systemd._in_terminal", lambda: True)
    before = signal.getsignal(signal.SIGHUP)
    with reload_signal(lambda: None):
        assert signal.getsignal(signal.SIGHUP) == before


def test_a_terminal_is_known():
    ask = "from edge.running.systemd import _in_terminal; print(_in_terminal())"
    # script(1) is not everywhere; a pseudo terminal of our own is.
    try:
        parent, child = os.openpty()
    except OSError as error:
        pytest.skip(f"no pseudo terminals here ({error.strerror}): a bare root has no /dev/pts")
    try:
        with_terminal = (
            "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(int(sys.argv[1]), termios.TIOCSCTTY, 0);" + ask
        )
        command = [sys.executable, "-c", with_terminal, str(child)]
        done = subprocess.run(command, capture_output=True, text=True, pass_fds=[child])
        assert (done.stdout, done.stderr) == ("True\n", "")
        done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, start_new_session=True)
        assert (done.stdout, done.stderr) == ("False\n", "")
    finally:
        os.close(parent)
        os.close(child)
