"""``edge setup``: finds the cameras and the broker, asks what is left, writes the settings, and starts the service."""

from __future__ import annotations

import argparse
import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

from edge.commands.arguments import Parser

ENDING = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)
"""Ctrl-C; a terminal that is closed, as one over ssh may be; and kill."""

EXAMPLES = """examples:
  sudo /opt/edge-digits/bin/edge setup                       set up the service
  edge setup --config edge.toml                              write settings of your own
  edge setup --config edge.toml --source v4l2:/dev/video0 --broker broker.local --web off --yes
"""


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of this command."""
    group = parser.add_argument_group("answers", "what is given here is not asked")
    group.add_argument("--source", metavar="URI", help="the camera, or another source")
    group.add_argument("--broker", metavar="HOST[:PORT]", help="the MQTT broker, or its publisher URI; none: no broker")
    group.add_argument("--user", metavar="NAME", help="the user of the broker")
    group.add_argument("--password-file", metavar="FILE", help="a file with that user's password on one line")
    group.add_argument(
        "--web", metavar="ADDRESS", help="the live page: others, this (only this machine), off, or host:port"
    )
    group.add_argument("--device", metavar="NAME", help="the name of this device, if it is not the host name")
    group.add_argument("--yes", action="store_true", help="ask nothing: keep what is set, otherwise take the default")
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="the settings file to write (default: the service's for root, otherwise one in ~/.config/edge-digits)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Ask, write, check and start. Until the last question is answered, nothing is changed."""
    from edge.commands.setup.steps import set_up

    with interrupted_once():
        return set_up(arguments)


@contextlib.contextmanager
def interrupted_once() -> Iterator[None]:
    """ENDING raises KeyboardInterrupt, once: the clean-up after that is not interrupted, nor is a program that it runs.

    A terminal that is closed may send its signal twice, and must not leave the service stopped.
    """
    before = {number: signal.getsignal(number) or signal.SIG_DFL for number in ENDING}

    def interrupt(number: int, frame: FrameType | None) -> None:
        for one in ENDING:
            signal.signal(one, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in ENDING:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
