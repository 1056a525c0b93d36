"""Being a good service: stop when asked to, and tell systemd how it goes."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator
from types import FrameType

log = logging.getLogger(__name__)


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
            out.connect(address)
            out.send(text.encode())
    except OSError as error:
        # To be read well matters more than to be seen reading.
        log.warning("NOTIFY_SOCKET: systemd was not told %s (%s)", text, error.strerror or error)
