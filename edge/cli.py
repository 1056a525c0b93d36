"""``edge``: read, run, demo, tune. Exit 0 done, 1 it failed and one line on stderr says what, 2 wrong usage."""

from __future__ import annotations

import argparse
import json
import logging
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from edge import __version__
from edge.errors import EdgeError, ImageError

if TYPE_CHECKING:
    from edge.reader import Reader, Sight
    from edge.settings import Settings
    from edge.types import Pixels

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
"""


class Parser(argparse.ArgumentParser):
    """argparse, but wrong usage is one line."""

    def error(self, message: str) -> NoReturn:
        """Exit 2 with that line."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")

    def refuse(self, unknown: str) -> NoReturn:
        """Exit 2 with a line that names the nearest flag."""
        from edge.uri import nearest

        flags = [flag for action in self._actions for flag in action.option_strings]
        self.error(f"unrecognized argument: {unknown}{nearest(unknown.partition('=')[0], flags)}")


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
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", parser_class=Parser)

    read = _command(commands, "read", read_images, "read image files", READ_EXAMPLES, "IMAGE ...")
    read.add_argument("images", nargs="+", metavar="IMAGE", help="JPEG, PNG, TIFF, WebP, BMP or PGM; of any size")
    read.add_argument("--json", action="store_true", help="one Reading a line, as JSON")
    read.add_argument("--show", metavar="FOLDER", help="write an annotated picture of each image there")
    _settings_flags(read, without=("source", "publish"))

    run = _command(commands, "run", run_loop, "read a camera, or any other source, until stopped", RUN_EXAMPLES)
    run.add_argument("--frames", type=_positive, metavar="N", help="stop after so many frames")
    _settings_flags(run)

    demo = _command(commands, "demo", run_demo, "read pages that a synthetic camera shows: no camera, no files needed")
    demo.add_argument("--seconds", type=_seconds, default=8.0, metavar="S", help="how long (default 8)")
    demo.add_argument("--seed", type=int, default=1, metavar="N", help="which pages (default 1)")
    _settings_flags(demo, without=("source", "publish"))

    tune = _command(
        commands,
        "tune",
        run_tune,
        "score each choice of [vision] on photographs with known digits",
        operands="LABELS.csv ...",
    )
    tune.add_argument("labels", nargs="+", metavar="LABELS.csv", help="columns file and text; the files lie beside it")
    _settings_flags(tune, without=("source", "publish"))
    return parser


def _command(commands: Any, name: str, function: Any, help: str, examples: str = "", operands: str = "") -> Parser:
    parser: Parser = commands.add_parser(
        name,
        help=help,
        description=f"{help[0].upper()}{help[1:]}.",
        epilog=examples,
        usage=f"edge {name} [options]{' ' + operands if operands else ''}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(command=function, parser=parser)
    parser.add_argument("--debug", action="store_true", help="say more, and show tracebacks")
    return parser


def _settings_flags(parser: argparse.ArgumentParser, without: tuple[str, ...] = ()) -> None:
    """A flag for each setting, named as in the TOML file."""
    from edge.settings import leaves

    group = parser.add_argument_group("settings", "a flag beats EDGE_… in the environment, which beats the TOML file")
    group.add_argument("--config", metavar="FILE", help="a TOML file with settings")
    for leaf in leaves():
        if leaf.name in without:
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


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return number


def _settings(arguments: argparse.Namespace) -> Settings:
    from edge.settings import load_settings

    flags = {name.removeprefix("set:"): value for name, value in vars(arguments).items() if name.startswith("set:")}
    return load_settings(arguments.config, flags)


def _reader(settings: Settings) -> Reader:
    import cv2

    from edge.model import Model
    from edge.reader import Reader

    # The pictures are small: OpenCV's own threads cost more than they bring, and the other cores are not ours.
    cv2.setNumThreads(1)
    model = Model(settings.model or None, threads=settings.threads)
    return Reader(model, recipe=settings.vision, min_confidence=settings.min_confidence)


def read_images(arguments: argparse.Namespace) -> int:
    """``edge read``: every image that can be read is, the others are a line on stderr each, and exit 1."""
    from edge.images import load
    from edge.types import Frame

    failed = 0
    with _reader(_settings(arguments)) as reader:
        shown = _album(Path(arguments.show)) if arguments.show else None
        for image in arguments.images:
            try:
                pixels = load(image)
            except ImageError as error:
                print(f"edge: {error}", file=sys.stderr)
                failed += 1
                continue
            sight = reader.look(Frame(pixels, image))
            reading = sight.reading
            if arguments.json:
                print(json.dumps(reading.as_dict(), ensure_ascii=False), flush=True)
            else:
                print(f"{image}: {' / '.join(reading.lines) or f'nothing read ({reading.reason})'}", flush=True)
            if shown:
                shown(image, pixels, sight)
    return 1 if failed else 0


def _album(folder: Path) -> Callable[[str, Pixels, Sight], None]:
    """Makes the folder, and gives what writes an annotated picture of each image into it."""
    from edge.annotate import annotate
    from edge.images import save

    taken: set[str] = set()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImageError(
            f"{folder}: cannot be made a folder ({error.strerror}); name another one with --show"
        ) from error

    def show(image: str, pixels: Pixels, sight: Sight) -> None:
        name, n = Path(image).stem, 1
        while f"{name}.read.png" in taken:
            n += 1
            name = f"{Path(image).stem}-{n}"
        taken.add(f"{name}.read.png")
        save(annotate(pixels, sight), folder / f"{name}.read.png")

    return show


def run_loop(arguments: argparse.Namespace) -> int:
    """``edge run``: the loop source -> reader -> publishers."""
    from contextlib import ExitStack

    from edge.loop import run
    from edge.publishers import open_publisher
    from edge.service import stop_signals
    from edge.sources import open_source

    settings = _settings(arguments)
    with ExitStack() as stack:
        reader = stack.enter_context(_reader(settings))
        publishers = [stack.enter_context(open_publisher(uri)) for uri in settings.publish]
        source = stack.enter_context(open_source(settings.source))
        stopping = stack.enter_context(stop_signals(source.stop))
        tally = run(source, reader.read, publishers, frames=arguments.frames, stopping=stopping.is_set)
    return 1 if tally.failed else 0


def run_demo(arguments: argparse.Namespace) -> int:
    """``edge demo``: what was written, what was read, and how long it took; a summary at the end."""
    from edge.service import stop_signals
    from edge.sources import open_source
    from edge.tune import distance, only_digits

    pages = right = digits = wrong = 0
    times: list[float] = []
    until = time.monotonic() + arguments.seconds
    uri = f"synthetic:?seed={arguments.seed}&digits=6&lines=2"
    with _reader(_settings(arguments)) as reader, open_source(uri) as source, stop_signals() as stopping:
        print("Pages of handwriting through a synthetic camera: uneven light, tilt, blur, noise.\n")
        for frame in source:
            reading = reader.read(frame)
            truth, text = frame.truth or "", reading.text or f"nothing ({reading.reason})"
            same = text == truth
            pages, right = pages + 1, right + same
            digits, wrong = (
                digits + len(only_digits(truth)),
                wrong + distance(only_digits(truth), only_digits(reading.text)),
            )
            times.append(reading.elapsed_ms)
            mark = "ok" if same else f"<- written: {truth.replace(chr(10), ' / ')}"
            print(
                f"{pages:4d}  {text.replace(chr(10), ' / '):20s} {reading.elapsed_ms:5.1f} ms  {mark}",
                flush=True,
            )
            if stopping.is_set() or time.monotonic() > until:
                break
            time.sleep(min(0.25, arguments.seconds / 20))
    print(
        f"\n{right} of {pages} pages without a mistake, {digits - wrong} of {digits} digits;"
        f" median {statistics.median(times):.1f} ms a page."
    )
    return 0


def run_tune(arguments: argparse.Namespace) -> int:
    """``edge tune``: the README's table, on any labelled photographs."""
    from edge.tune import CHOICES, load_labelled, markdown, tune

    settings = _settings(arguments)
    reader = _reader(settings)
    sets = [load_labelled(Path(labels)) for labels in arguments.labels]

    def tried(n: int) -> None:
        if sys.stderr.isatty():
            print(
                f"\r{n} of {len(CHOICES)} choices",
                end="\n" if n == len(CHOICES) else "",
                file=sys.stderr,
                flush=True,
            )

    rows = list(tune(reader.model, settings.vision, settings.min_confidence, sets, tried))
    names = [Path(labels).resolve().parent.name for labels in arguments.labels]
    print(markdown(names, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
