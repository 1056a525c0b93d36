"""Being a good service: stop when asked to, and tell systemd how it goes."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.sources.base import State

log = logging.getLogger(__name__)

STATUS: dict[State, str] = {
    "starting": "waiting for the camera's first frame",
    "running": "reading",
    "stalled": "the camera gives no new frame",
    "reopening": "opening the camera again",
}
"""What ``systemctl status`` says of each state."""
SEND_SECONDS = 1.0
"""A systemd that takes no datagram for this long is not waited for."""


class Stop:
    """Whether a signal has asked to stop. No lock, so that a signal handler may set it."""

    __slots__ = ("_asked",)

    def __init__(self) -> None:
        self._asked = False

    def set(self) -> None:
        """Ask to stop."""
        self._asked = True

    def is_set(self) -> bool:
        """Whether to stop."""
        return self._asked


@contextlib.contextmanager
def stop_signals(then: Callable[[], None] = lambda: None) -> Iterator[Stop]:
    """Within it, Ctrl-C and SIGTERM only ask to stop: then ``is_set()`` of what it yields is true.

    ``then`` is called too, inside the signal handler: a source's ``stop`` ends its wait for the next frame. A
    Ctrl-C after that does what it always does. For the main thread, as Python demands of signal handlers.
    """
    stop = Stop()

    def ask(number: int, frame: FrameType | None) -> None:
        stop.set()
        signal.signal(signal.SIGINT, before[signal.SIGINT])
        then()

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, ask)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def reload_signal(then: Callable[[], None]) -> Iterator[None]:
    """Within it, SIGHUP calls ``then``, inside the signal handler, as daemons have it.

    Not so in a terminal: there it says that the terminal was closed, and ends the program as it always does.
    """
    if _in_terminal():
        yield
        return
    before = signal.signal(signal.SIGHUP, lambda number, frame: then())
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def _in_terminal() -> bool:
    """Whether this process has a controlling terminal: tty(4)."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def notify(text: str) -> None:
    """Tell systemd how it goes: ``notify("READY=1")``, ``notify("STOPPING=1")``; nothing where none listens.

    The protocol is sd_notify(3): a datagram to the socket that NOTIFY_SOCKET names, ``@`` for an abstract one.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.settimeout(SEND_SECONDS)
            out.connect(address)
            out.send(text.encode())
    except OSError as error:
        # To be read well matters more than to be seen reading.
        log.warning("NOTIFY_SOCKET: systemd was not told %s (%s)", text.replace("\n", " "), error.strerror or error)


class Watchdog:
    """Tells systemd that the work goes on: who stops telling is killed after WATCHDOG_USEC, and started again.

    ``alive`` is for the loop alone, after what proves that it goes round; a thread of its own would feed the
    watchdog of a loop that hangs. WATCHDOG_USEC and WATCHDOG_PID are those of sd_watchdog_enabled(3); without them
    only READY=1 and the status are told, and without NOTIFY_SOCKET nothing.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` gives seconds, and never goes back."""
        self._clock = clock
        self._period = _watchdog_seconds() / 4
        self._told: State | None = None
        self._fed = 0.0

    def alive(self, state: State) -> None:
        """A frame went through, or a live source waits for its camera within its deadline.

        The first time systemd learns that the service is ready; then, every quarter of WATCHDOG_USEC at most,
        that it is alive; and what its state is when that changes.
        """
        now = self._clock()
        due = self._period > 0 and (self._told is None or now - self._fed >= self._period)
        if state == self._told and not due:
            return
        lines = ["READY=1"] if self._told is None else []
        if state != self._told:
            lines.append(f"STATUS={STATUS[state]}")
        if due:
            lines.append("WATCHDOG=1")
            self._fed = now
        self._told = state
        notify("\n".join(lines))

    def stopping(self) -> None:
        """The work ends because it was asked to, or because there is no more."""
        notify("STOPPING=1")


def _watchdog_seconds() -> float:
    """How often systemd wants to hear that this process is alive, seconds; 0 where it does not."""
    microseconds, process = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or process not in ("", str(os.getpid())):
        return 0.0
    return int(microseconds) / 1e6
