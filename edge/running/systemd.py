"""Signals (SIGTERM, Ctrl-C, SIGHUP), and systemd's notifications and watchdog."""

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
"""The state of the source -> the line that ``systemctl status`` shows."""
SEND_SECONDS = 1.0
"""How long a notification may take, in seconds: the loop must not hang because systemd does. Chosen."""

READY_RETRY_SECONDS = 5.0
"""Seconds until READY=1 is sent again, if it could not be sent. Chosen: systemd waits 90 s for it (TimeoutStartSec)."""


class StopFlag:
    """Whether a signal has asked to stop. It has no lock, so a signal handler may set it."""

    __slots__ = ("_set",)

    def __init__(self) -> None:
        self._set = False

    def set(self) -> None:
        """Ask to stop."""
        self._set = True

    def is_set(self) -> bool:
        """Whether to stop."""
        return self._set


@contextlib.contextmanager
def stop_signals(on_stop: Callable[[], None] = lambda: None) -> Iterator[StopFlag]:
    """While it is open, Ctrl-C and SIGTERM only set the flag that it yields.

    ``on_stop`` is called too, inside the signal handler: a source's ``stop`` ends its wait for the next frame. A second
    Ctrl-C has its usual effect. To be used in the main thread, as Python requires of signal handlers.
    """
    flag = StopFlag()

    def handle(number: int, frame: FrameType | None) -> None:
        flag.set()
        signal.signal(signal.SIGINT, before[signal.SIGINT])
        on_stop()

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, handle)
    try:
        yield flag
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def reload_signal(on_reload: Callable[[], None]) -> Iterator[None]:
    """While it is open, SIGHUP calls ``on_reload``, inside the signal handler: for a daemon it means "reload".

    In a terminal nothing is changed: there SIGHUP means that the terminal was closed, and ends the program.
    """
    if _in_terminal():
        yield
        return
    before = signal.signal(signal.SIGHUP, lambda number, frame: on_reload())
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


def notify(text: str) -> bool:
    """Send a notification to systemd, such as ``READY=1`` or ``STOPPING=1``; do nothing without NOTIFY_SOCKET.

    False if it could not be sent.
    The protocol is sd_notify(3): a datagram to the socket named in NOTIFY_SOCKET; ``@`` starts an abstract name.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return True
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.settimeout(SEND_SECONDS)
            out.connect(address)
            out.send(text.encode())
    except OSError as error:
        # Go on: reading digits matters more than the notification.
        log.warning(
            "NOTIFY_SOCKET: systemd could not be notified of %s (%s)", text.replace("\n", " "), error.strerror or error
        )
        return False
    return True


class Watchdog:
    """Feeds systemd's watchdog: a service that does not feed it for WATCHDOG_USEC is killed and started again.

    Only the loop calls ``alive``, after each frame: a separate thread would go on feeding while the loop hangs.
    WATCHDOG_USEC and WATCHDOG_PID are described in sd_watchdog_enabled(3); without them only READY=1 and the status are
    sent, and without NOTIFY_SOCKET nothing.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` gives seconds, and never goes back."""
        self._clock = clock
        self._period = _watchdog_seconds() / 4
        self._state: State | None = None
        self._fed = 0.0
        self._ready, self._retry_at = False, 0.0

    def alive(self, state: State) -> None:
        """Call this after each frame, and after each wait of at most a deadline for a camera.

        The first call notifies systemd that the service is ready; if that fails, a later call does. Later ones feed the
        watchdog, at most once in a quarter of WATCHDOG_USEC, and send the state when it changes.
        """
        now = self._clock()
        due = self._period > 0 and (self._state is None or now - self._fed >= self._period)
        if state == self._state and not due and (self._ready or now < self._retry_at):
            return
        lines = [] if self._ready else ["READY=1"]
        if state != self._state:
            lines.append(f"STATUS={STATUS[state]}")
        if due:
            lines.append("WATCHDOG=1")
            self._fed = now
        self._state = state
        self._ready, self._retry_at = notify("\n".join(lines)) or self._ready, now + READY_RETRY_SECONDS

    def stopping(self) -> None:
        """Notify systemd that the service ends."""
        notify("STOPPING=1")


def _watchdog_seconds() -> float:
    """How often systemd wants its watchdog fed by this process, in seconds; 0: not at all."""
    microseconds, process = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or process not in ("", str(os.getpid())):
        return 0.0
    return int(microseconds) / 1e6
