"""The command line ``edge``: its commands and their exit status.

Exit status: 0 success; 1 failure, with one line on stderr that says what, where and what to do; 2 wrong usage.
"""

from __future__ import annotations

import argparse
import errno
import io
import logging
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from typing import NamedTuple

from edge.commands.arguments import Parser
from edge.errors import EdgeError
from edge.system.process import before_exit, before_imports, discard_output
from edge.system.text import one_line, printable
from edge.system.version import __version__


class Command(NamedTuple):
    """A command in the help of ``edge``. Its module in ``edge.commands`` is imported only when the command is used."""

    help: str
    module: str
    operands: str = ""


COMMANDS = {
    "setup": Command("set this machine up: find the camera and the broker, write the settings, start", "setup"),
    "read": Command("read image files", "read", "IMAGE ..."),
    "run": Command("read a camera or another source until it is stopped", "run"),
    "aim": Command("show live how well the camera sees the page, and what to do about it", "aim"),
    "model check": Command("test a model as edge run does before it uses one", "model_check", "FILE"),
    "model rollback": Command("restore the previous model of edge run; a second time, the newer one", "model_rollback"),
    "history": Command("show past events; works while the service runs", "history"),
    "token": Command("show the links that open the live page from another machine", "token"),
    "corrections export": Command(
        "export the corrections as a data set: 28x28 glyphs and labels.csv", "corrections_export", "FOLDER"
    ),
    "demo": Command("read generated pages without a camera, in the terminal and a browser", "demo"),
    "bench": Command("measure how long each stage takes on this machine, compared with a minimum", "bench"),
    "doctor": Command("find what is wrong with this machine, and how to fix it", "doctor"),
    "watch": Command("show what all devices of an MQTT broker read at the moment", "watch", "mqtt://BROKER/PREFIX"),
    "tune": Command("compare the choices of [vision] on photographs with known digits", "tune", "LABELS.csv ..."),
}
"""Name -> command, in the order of the help. A name of two words is an action of a group."""
GROUPS = {
    "model": "test a model, or restore the one before",
    "corrections": "use what people corrected on the live page",
}
"""Group -> its line in the help of ``edge``."""

REMEDIES = {
    errno.EMFILE: "raise the limit of open files (ulimit -n, LimitNOFILE)",
    errno.ENFILE: "too many files are open on this machine: end other programs",
    errno.ENOSPC: "make room on that disk",
    errno.EDQUOT: "make room in the owner's quota",
    errno.EROFS: "that disk is read-only",
    errno.EIO: "that disk or card fails; see dmesg",
}
"""errno of what the system refuses, wherever that happens -> what to do about it."""


DEBIAN = {"cv2": "python3-opencv", "numpy": "python3-numpy"}
"""Modules that pip has no wheel of for 32 bits -> Debian's package."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``edge`` with these arguments (default: those of the process); returns the exit status."""
    arguments, unknown = parser().parse_known_args(argv)
    if unknown:
        arguments.parser.refuse(unknown[0])
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine("edge: %(message)s"))
    logging.basicConfig(level=logging.DEBUG if arguments.debug else logging.WARNING, handlers=[handler])
    if isinstance(sys.stdout, io.TextIOWrapper):
        # It may take ASCII only, and a file's name may be no text.
        sys.stdout.reconfigure(errors="json-escape")
    # A line of the log that cannot be written is lost; Python would write a traceback about it.
    logging.raiseExceptions = False
    try:
        status = int(arguments.command(arguments))
        if sys.stdout is not None:
            # Otherwise a full disk would show only at the exit, as a traceback.
            sys.stdout.flush()
        return status
    except EdgeError as error:
        if isinstance(error.__cause__, BrokenPipeError):
            return 0
        if arguments.debug:
            raise
        # The text may have names from a file that somebody else made.
        print(f"edge: {printable(str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The program that read our output has ended (edge read … | head). That is not an error.
        discard_output()
        return 0
    except (OSError, ImportError, MemoryError, SystemError, RuntimeError) as error:
        # A SystemError is a failed allocation that a module in C did not report as one.
        remedy = _remedy(error)
        if arguments.debug or not remedy:
            raise
        discard_output()
        print(f"edge: {one_line(error) or type(error).__name__}; {remedy}", file=sys.stderr)
        return 1


class OneLine(logging.Formatter):
    """Log lines without characters that a terminal would take for a command: they may have names of others' files."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The message, on one line."""
        return printable(super().formatMessage(record))


def _remedy(error: Exception) -> str:
    """What to do about something that the system refuses; empty if it is an error of the program."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return "memory is full: end other programs"
    if isinstance(error, RuntimeError):
        # The only error of Python's threads that names no error of the system.
        return "too many threads: raise the limit (ulimit -u, TasksMax)" if "new thread" in str(error) else ""
    if isinstance(error, ModuleNotFoundError) and error.name in DEBIAN:
        return (
            "install this program again; on a 32-bit system, that is in apt:"
            f" sudo apt install -y {DEBIAN[error.name]}, and the virtual environment needs --system-site-packages"
        )
    if isinstance(error, OSError) and error.errno in REMEDIES:
        return REMEDIES[error.errno]
    return "start it again; --debug shows where it failed"


def parser() -> Parser:
    """The parser of ``edge``. Each command declares its own arguments when it is used."""
    top = Parser(
        prog="edge",
        description="Read handwritten digits from photographs and cameras.",
        epilog="edge COMMAND --help explains a command and its options.",
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"edge-digits {__version__}")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND", parser_class=Parser)
    groups = {}
    for name, command in COMMANDS.items():
        group, _, action = name.rpartition(" ")
        if group and group not in groups:
            parent = commands.add_parser(group, help=GROUPS[group], allow_abbrev=False)
            parent.set_defaults(parser=parent)
            groups[group] = parent.add_subparsers(title="actions", required=True, metavar="ACTION", parser_class=Parser)
        subparser: Parser = groups.get(group, commands).add_parser(
            action,
            help=command.help,
            description=f"{command.help[0].upper()}{command.help[1:]}.",
            usage=" ".join(filter(None, ("edge", name, "[options]", command.operands))),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        subparser.declare_arguments = partial(_declare, subparser, command)
    return top


def _declare(parser: Parser, command: Command) -> None:
    module = import_module(f"edge.commands.{command.module}")
    parser.epilog = module.EXAMPLES
    parser.set_defaults(command=module.run, parser=parser)
    parser.add_argument("--debug", action="store_true", help="log more, and show tracebacks")
    module.add_arguments(parser)


def script() -> int:
    """Run ``edge`` as the main program of this process; returns the exit status."""
    before_imports()
    status = main()
    before_exit(status)
    return status


if __name__ == "__main__":
    sys.exit(script())
