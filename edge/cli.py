"""``edge``: what it accepts and how it ends: 0 done, 1 it failed and one line on stderr says what, 2 wrong usage."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, NoReturn

from edge import commands
from edge.errors import EdgeError, SettingsError
from edge.settings import leaves
from edge.system.process import begin, end
from edge.system.version import __version__
from edge.uri import nearest, public

READ_EXAMPLES = """examples:
  edge read desk.jpg                     desk.jpg: 1247673 / 8952481
  edge read --json *.png > read.jsonl    one Reading a line
  edge read --show seen photos/*.jpg     and pictures of what was seen, in seen/
"""
RUN_EXAMPLES = """examples:
  edge run                                                 the Pi's camera, readings on stdout
  edge run --source v4l2:/dev/video0?size=640x480          a USB camera
  edge run --source files:scans/*.png --publish jsonl:readings.jsonl
  edge run --source synthetic: --frames 10                 no camera at all
  edge run --config edge.toml
  edge run --check --config edge.toml                      only say whether it would run
"""
CHECK_EXAMPLES = """examples:
  edge model check mnist.tflite
"""
ROLLBACK_EXAMPLES = """examples:
  edge model rollback --model mnist.tflite
  sudo /opt/edge-digits/bin/edge model rollback --config /etc/edge-digits/edge.toml    the service's
"""
WATCH_EXAMPLES = """examples:
  edge watch mqtt://broker.local/edge-digits                 all devices below this prefix, in a table
  edge watch 'mqtts://me@broker.local/edge-digits?password_file=secret&ca=ca.pem'
  edge watch --json mqtt://broker.local > changes.jsonl      one JSON object for each change
"""
BENCH_EXAMPLES = """examples:
  edge bench                                           pages of six digits, 640x480
  edge bench --source picamera2:0 --frames 300         this camera
  edge bench --json > before.json
  edge bench --compare before.json                     what became of it
"""
DOCTOR_EXAMPLES = """examples:
  edge doctor                                          this machine, with the default settings
  edge doctor --config /etc/edge-digits/edge.toml      with those of the service
  edge doctor --json                                   as edge/schema/doctor.json describes it
"""
TOKEN_EXAMPLES = """examples:
  edge token                                              the tokens, as links to open
  edge token --new                                        where somebody has one who should not
  sudo /opt/edge-digits/bin/edge token --config /etc/edge-digits/edge.toml    the service's
"""
EXPORT_EXAMPLES = """examples:
  edge corrections export taught
  sudo /opt/edge-digits/bin/edge corrections export --config /etc/edge-digits/edge.toml taught    the service's
  edge-train --start mnist.h5 --also taught -o mine.h5    on a workstation: learn from them
  edge-convert mine.h5 --calibrate taught
"""
HISTORY_EXAMPLES = """examples:
  edge history                                            what has happened, oldest first, in local time
  edge history --last 20
  edge history --since 2h                                 the last two hours; also 90s, 30m, 3d, 1w
  edge history --since 2026-11-23 --until 2026-11-24      that day
  edge history --csv > events.csv                         for a spreadsheet
  edge history --json --since 2026-11-23T08:00:00Z        one event a line, as it was sent
  sudo /opt/edge-digits/bin/edge history --config /etc/edge-digits/edge.toml    the service's
"""


class Parser(argparse.ArgumentParser):
    """argparse, but wrong usage is one line; ``later`` is done when what it parses is asked for."""

    later: Callable[[], None] | None = None

    def parse_known_args(self, *given: Any) -> Any:  # type: ignore[override]
        """A command's own settings are known to it from here on: all flags of all commands take 20 ms to make."""
        if self.later:
            later, self.later = self.later, None
            later()
        return super().parse_known_args(*given)

    def error(self, message: str) -> NoReturn:
        """Exit 2 with that line."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")

    def refuse(self, unknown: str) -> NoReturn:
        """Exit 2 with a line that names the nearest flag."""
        flags = [flag for action in self._actions for flag in action.option_strings]
        self.error(f"unrecognized argument: {public(unknown)}{nearest(unknown.partition('=')[0], flags)}")


def main(argv: Sequence[str] | None = None) -> int:
    """The command ``edge``; gives the exit status."""
    arguments, unknown = _parser().parse_known_args(argv)
    if unknown:
        arguments.parser.refuse(unknown[0])
    logging.basicConfig(
        level=logging.DEBUG if arguments.debug else logging.WARNING,
        format="edge: %(message)s",
        stream=sys.stderr,
    )
    try:
        return int(arguments.command(arguments))
    except EdgeError as error:
        if isinstance(error.__cause__, BrokenPipeError):
            return 0
        if arguments.debug:
            raise
        print(f"edge: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone (edge read … | head): not a failure of ours, and nothing more to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> Parser:
    parser = Parser(
        prog="edge", description="Reads handwritten digits from photographs and cameras.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"edge-digits {__version__}")
    chosen = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", parser_class=Parser)

    read = _command(chosen, "read", commands.read_images, "read image files", READ_EXAMPLES, "IMAGE ...")
    read.add_argument("images", nargs="+", metavar="IMAGE", help="JPEG, PNG, TIFF, WebP, BMP or PGM; of any size")
    read.add_argument("--json", action="store_true", help="one Reading a line, as JSON")
    read.add_argument("--show", metavar="FOLDER", help="write an annotated picture of each image there")
    _settings_flags(read, without=("source", "publish"))

    run = _command(chosen, "run", commands.run_loop, "read a camera, or any other source, until stopped", RUN_EXAMPLES)
    run.add_argument("--frames", type=_positive, metavar="N", help="stop after so many frames")
    run.add_argument("--check", action="store_true", help="only say whether it would run; opens no camera")
    _settings_flags(run)

    model = chosen.add_parser("model", help="try a model, or put back the one before", allow_abbrev=False)
    model.set_defaults(parser=model)
    actions = model.add_subparsers(title="actions", required=True, metavar="ACTION", parser_class=Parser)
    check = _command(
        actions, "check", commands.check_model, "try a model as edge run does", CHECK_EXAMPLES, "FILE", within="model "
    )
    check.add_argument("model", metavar="FILE", help="a .tflite file")
    rollback = _command(
        actions,
        "rollback",
        commands.roll_back,
        "put back the model that edge run read with before; again: the newer one",
        ROLLBACK_EXAMPLES,
        within="model ",
    )
    _settings_flags(rollback, only=("model", "state"))

    history = _command(
        chosen, "history", commands.show_history, "show what has happened, while the service goes on", HISTORY_EXAMPLES
    )
    since = "from this time on: a date, RFC 3339, or 2h for two hours ago"
    history.add_argument("--since", type=_moment, metavar="T", help=since)
    history.add_argument("--until", type=_moment, metavar="T", help="up to this time; a date is its first moment")
    history.add_argument("--last", type=_positive, metavar="N", help="only the newest N of them")
    shape = history.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="one event a line, exactly as it was sent")
    shape.add_argument("--csv", action="store_true", help="a table; cells that look like formulas begin with '")
    _settings_flags(history, only=("state",))

    token = _command(
        chosen, "token", commands.show_token, "show what opens the live page from another machine", TOKEN_EXAMPLES
    )
    token.add_argument("--new", action="store_true", help="make new ones: those before open nothing any more")
    _settings_flags(token, only=("state", "web"))

    corrections = chosen.add_parser("corrections", help="what people said on the live page", allow_abbrev=False)
    corrections.set_defaults(parser=corrections)
    actions = corrections.add_subparsers(title="actions", required=True, metavar="ACTION", parser_class=Parser)
    export = _command(
        actions,
        "export",
        commands.export_corrections,
        "make a data set of the corrections: 28x28 glyphs and labels.csv",
        EXPORT_EXAMPLES,
        "FOLDER",
        within="corrections ",
    )
    export.add_argument("folder", metavar="FOLDER", help="an empty or new one, or one that was exported before")
    _settings_flags(export, only=("state",))

    demo = _command(
        chosen,
        "demo",
        commands.run_demo,
        "read pages that a synthetic camera shows, and show it in a browser: no camera, no files needed",
    )
    demo.add_argument(
        "--seconds", type=_seconds, metavar="S", help="how long (default: until Ctrl-C; without a terminal 60)"
    )
    demo.add_argument("--seed", type=int, default=1, metavar="N", help="which pages (default 1)")
    _settings_flags(demo, without=("source", "publish", "state", "metrics"))

    bench = _command(
        chosen,
        "bench",
        commands.run_bench,
        "measure what each stage takes here, against the least possible",
        BENCH_EXAMPLES,
    )
    bench.add_argument("--frames", type=_positive, default=1000, metavar="N", help="so many count (default 1000)")
    bench.add_argument("--json", action="store_true", help="as edge/schema/bench.json describes it")
    bench.add_argument("--compare", metavar="OLD.json", help="what --json wrote before: ratios to it")
    _settings_flags(bench, without=("publish", "device", "metrics", "web", "state"))

    doctor = _command(
        chosen,
        "doctor",
        commands.run_doctor,
        "look for what is wrong with this machine, and how to mend it",
        DOCTOR_EXAMPLES,
    )
    doctor.add_argument("--json", action="store_true", help="as JSON; the exit status is 1 where something fails, too")
    _settings_flags(doctor)

    watch = _command(
        chosen,
        "watch",
        commands.watch_devices,
        "show what all devices of an MQTT broker read now",
        WATCH_EXAMPLES,
        "mqtt://BROKER/PREFIX",
    )
    watch.add_argument("broker", metavar="mqtt://BROKER/PREFIX", help="as the devices' own publisher, with its options")
    watch.add_argument("--json", action="store_true", help="one JSON object a line for each change")

    tune = _command(
        chosen,
        "tune",
        commands.run_tune,
        "score each choice of [vision] on photographs with known digits",
        operands="LABELS.csv ...",
    )
    tune.add_argument("labels", nargs="+", metavar="LABELS.csv", help="columns file and text; the files lie beside it")
    _settings_flags(tune, without=("source", "publish"))
    return parser


def _command(
    chosen: Any, name: str, function: Any, help: str, examples: str = "", operands: str = "", within: str = ""
) -> Parser:
    parser: Parser = chosen.add_parser(
        name,
        help=help,
        description=f"{help[0].upper()}{help[1:]}.",
        epilog=examples,
        usage=f"edge {within}{name} [options]{' ' + operands if operands else ''}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(command=function, parser=parser)
    parser.add_argument("--debug", action="store_true", help="say more, and show tracebacks")
    return parser


def _settings_flags(parser: Parser, without: tuple[str, ...] = (), only: tuple[str, ...] = ()) -> None:
    """A flag for each setting, named as in the TOML file; ``only`` for some of them, where they are named."""
    parser.later = partial(_add_settings, parser, without, only)


def _add_settings(parser: Parser, without: tuple[str, ...], only: tuple[str, ...]) -> None:
    group = parser.add_argument_group("settings", "a flag beats EDGE_… in the environment, which beats the TOML file")
    group.add_argument("--config", metavar="FILE", help="a TOML file with settings")
    for leaf in leaves():
        if leaf.name in without or (only and leaf.name not in only):
            continue
        options: dict[str, Any] = {
            "metavar": leaf.name.rpartition(".")[2].upper(),
            "default": argparse.SUPPRESS,
        }
        if leaf.name == "publish":
            options |= {"nargs": "+", "action": "extend", "metavar": "URI"}
        default = " ".join(leaf.default) if isinstance(leaf.default, tuple) else leaf.default
        said = f"{leaf.description} (default {str(default).lower() if isinstance(default, bool) else default or '-'})"
        group.add_argument(f"--{leaf.name}", dest=f"set:{leaf.name}", help=said.replace("%", "%%"), **options)


def _positive(text: str) -> int:
    number = int(text) if text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return number


def _moment(text: str) -> datetime:
    from edge.store.history import moment

    try:
        return moment(text, datetime.now(UTC))
    except SettingsError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return number


def script() -> int:
    """The same for a process of its own."""
    begin()
    status = main()
    end()
    return status


if __name__ == "__main__":
    sys.exit(script())
