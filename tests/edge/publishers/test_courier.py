import itertools
import threading
import time
from collections import deque
from dataclasses import dataclass

import pytest

from edge.errors import BusyError, PublishError
from edge.publishers import courier
from edge.publishers.courier import Channel, Courier, close_all
from edge.system.backoff import Backoff
from tests.support.mosquitto import eventually


@dataclass(frozen=True)
class Entry:
    position: int
    boot_id: str = "boot"

    @property
    def seq(self):
        return self.position + 1000

    @property
    def text(self):
        return f'{{"seq": {self.seq}}}'


@dataclass(frozen=True)
class Backlog:
    count: int
    oldest_seconds: float = 0.0
    dropped: int = 0


class Line:
    """An outlet in memory."""

    def __init__(self, many=0):
        self.entries = [Entry(n + 1) for n in range(many)]
        self.upto = 0
        self.closed = False
        self.changed = threading.Condition()

    def add(self):
        with self.changed:
            self.entries.append(Entry(len(self.entries) + 1))
            self.changed.notify_all()

    def pending(self, limit=100):
        return self.entries[self.upto : self.upto + limit]

    def done(self, upto):
        assert upto == self.upto + 1, "out of order"
        self.upto = upto

    def wait(self, seconds):
        with self.changed:
            return self.changed.wait_for(lambda: self.upto < len(self.entries), seconds)

    def wake(self):
        with self.changed:
            self.changed.notify_all()

    def backlog(self):
        return Backlog(len(self.entries) - self.upto)

    def close(self):
        self.closed = True


class Far(Channel):
    """A far side with a script of what happens to each connection and each entry."""

    name = "far://side"

    def __init__(self, connecting=(), sending=()):
        self.connecting, self.sending = deque(connecting), deque(sending)
        self.got, self.calls = [], []
        self.stopped = threading.Event()
        self.tended = 0

    def connect(self):
        self.calls.append("connect")
        error = self.connecting.popleft() if self.connecting else None
        if error:
            raise error

    def send(self, entries):
        for entry in entries:
            told = self.sending.popleft() if self.sending else ""
            if isinstance(told, Exception):
                raise told
            if told == "hang":
                self.stopped.wait(30)
                raise PublishError("stopped")
            if not told:
                self.got.append(entry.position)
            yield told

    def tend(self):
        self.tended += 1

    def close(self):
        self.calls.append("close")

    def stop(self):
        self.stopped.set()


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """Nobody waits half a minute for a test."""
    monkeypatch.setattr(courier, "RECOVERY_SECONDS", 0.2)
    monkeypatch.setattr(courier, "Backoff", lambda: Backoff(0.01, 0.05))


@pytest.fixture
def carry():
    started = []

    def start(far, line):
        started.append(Courier(far, line))
        return started[-1]

    yield start
    for one in started:
        one.close()


def said(caplog):
    return [record.getMessage() for record in caplog.records]


def test_stored_and_new_entries_arrive_in_order(carry):
    line, far = Line(250), Far()
    one = carry(far, line)
    eventually(lambda: line.upto == 250)
    line.add()
    eventually(lambda: line.upto == 251)
    assert far.got == list(range(1, 252))
    state = one.delivery()
    assert (state.connected, state.backlog, state.sent, state.refused, state.failures) == (True, 0, 251, 0, 0)


def test_an_absent_far_side_and_its_return_are_logged_once_each_and_nothing_is_lost(carry, caplog):
    away = [PublishError("far://side: is away") for _ in range(20)]
    line, far = Line(3), Far(connecting=away)
    one = carry(far, line)
    eventually(lambda: line.upto == 3)
    assert far.got == [1, 2, 3]
    eventually(lambda: len(caplog.records) == 2)
    assert said(caplog) == [
        "far://side: is away (retrying until it works)",
        "far://side: works again; events that were waiting: 3",
    ]
    assert one.delivery().failures == 20 and one.delivery().problem == ""


def test_each_new_problem_is_logged(carry, caplog):
    troubles = [
        PublishError("is away"),
        PublishError("wrong password"),
        PublishError("is away"),
        ValueError("odd\nlib"),
    ]
    line = Line()
    carry(Far(connecting=troubles), line)
    eventually(lambda: len(caplog.records) == 4)
    assert said(caplog)[:3] == [
        "is away (retrying until it works)",
        "wrong password (retrying until it works)",
        "far://side: ValueError: odd lib (retrying until it works)",
    ]


def test_after_a_broken_connection_delivery_continues_at_the_first_unacknowledged_entry(carry):
    line, far = Line(6), Far(sending=["", "", PublishError("gone"), "", PublishError("gone")])
    one = carry(far, line)
    eventually(lambda: line.upto == 6)
    assert far.got == [1, 2, 3, 4, 5, 6]
    assert far.calls == ["connect", "close"] * 2 + ["connect"]
    assert one.delivery().failures == 2


def test_a_refused_entry_is_dropped_counted_and_logged_and_the_others_arrive(carry, caplog):
    line, far = Line(5), Far(sending=["", "too large", "", "too large"])
    one = carry(far, line)
    eventually(lambda: line.upto == 5)
    assert far.got == [1, 3, 5]
    assert (one.delivery().sent, one.delivery().refused) == (3, 2)
    assert said(caplog) == ["far://side: too large; dropped: boot_id boot, seq 1002"]


def test_a_far_side_that_asks_to_wait_is_left_alone_for_that_time(carry):
    line, far = Line(1), Far(connecting=[BusyError("busy", 0.5)])
    began = time.monotonic()
    carry(far, line)
    eventually(lambda: line.upto == 1)
    assert time.monotonic() - began >= 0.5


def test_an_idle_channel_is_tended_and_an_error_there_leads_to_a_new_connection(carry):
    far = Far()
    one = carry(far, Line())
    eventually(lambda: far.tended > 3)
    far.tend = lambda: (_ for _ in ()).throw(PublishError("lost while idle"))
    eventually(lambda: far.calls.count("connect") > 1)
    assert one.delivery().problem in ("", "lost while idle")


@pytest.mark.parametrize("when", ["idle", "sending", "away"])
def test_it_stops_soon_and_says_goodbye(when, carry):
    far = Far(sending=["hang"]) if when == "sending" else Far()
    if when == "away":
        far.connect = lambda: (_ for _ in ()).throw(PublishError("away"))
    line = Line(1)
    one = carry(far, line)
    eventually(lambda: far.tended or one.delivery().connected or one.delivery().failures)
    one.close()
    assert not one._worker.is_alive()
    assert far.calls[-1] == "close" and line.closed
    assert not one.delivery().connected
    one.close()


def test_couriers_are_told_to_close_together_and_none_waits_for_another(carry):
    told, couriers = [], []
    for _ in range(3):
        line, far = Line(1), Far(sending=["hang"])
        couriers.append(carry(far, line))
        eventually(lambda one=couriers[-1]: one.delivery().connected)
        line.wake, far.stop = lambda: told.append("finish"), lambda far=far: (told.append("hurry"), far.stopped.set())
    close_all(couriers)
    assert told == ["finish"] * 3 + ["hurry"] * 3
    assert not any(courier._worker.is_alive() for courier in couriers)


def test_pending_entries_are_still_sent_at_the_end(carry):
    line, far = Line(), Far()
    one = carry(far, line)
    eventually(lambda: far.tended)
    for _ in range(50):
        line.add()
    one.close()
    assert far.got == list(range(1, 51))


def test_an_outlet_that_fails_does_not_end_it(carry, caplog):
    line, far = Line(2), Far()
    real, failing = line.pending, itertools.chain([OSError("disk"), OSError("disk")], itertools.repeat(None))

    def pending(limit):
        if error := next(failing):
            raise error
        return real(limit)

    line.pending = pending
    carry(far, line)
    eventually(lambda: line.upto == 2)
    assert said(caplog)[0] == "far://side: OSError: disk (retrying until it works)"
