"""``edge read``: read digits from image files."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from edge.commands.arguments import Parser, add_settings, reader_of, settings_of
from edge.errors import ImageError, PublishError, SourceError
from edge.system.text import printable, readable
from edge.uri import public

if TYPE_CHECKING:
    from edge.reading.reader import Analysis
    from edge.types import Pixels


EXAMPLES = """examples:
  edge read desk.jpg                     prints desk.jpg: 1247673 / 8952481
  edge read --json *.png > read.jsonl    one Reading per line
  edge read --show seen photos/*.jpg     also writes annotated pictures into the folder seen
  edge read scans                        all images of a folder
  curl -sSfL URL | edge read -           a picture from stdin
"""
STDIN = "-"
"""What stands for stdin."""
A_URL = "is no file; read a picture with: curl -sSfL URL | edge read -, and a camera with: edge run --source URL"
"""What is said of a URL."""


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument(
        "images",
        nargs="+",
        metavar="IMAGE",
        help="a JPEG, PNG, TIFF, WebP, BMP or PGM file, at most 100 megapixels; a folder, a glob, or - for stdin",
    )
    parser.add_argument("--json", action="store_true", help="print one Reading per line, as JSON")
    parser.add_argument("--show", metavar="FOLDER", help="write an annotated picture of each image into this folder")
    add_settings(parser, without=("source", "publish"))


def run(arguments: argparse.Namespace) -> int:
    """Read all images. One that cannot be read is a line on stderr, and makes the exit status 1."""
    from edge.images import load
    from edge.types import Frame

    if sys.stdout is None:
        raise PublishError("stdout: it is closed, so no result can be printed; send it to a file with: > FILE")
    failed = 0

    def report(error: Exception) -> None:
        nonlocal failed
        print(f"edge: {printable(readable(str(error)))}", file=sys.stderr)
        failed += 1

    with reader_of(settings_of(arguments)) as reader:
        write_picture = _picture_writer(Path(arguments.show)) if arguments.show else None
        for name in _names(arguments.images, report):
            try:
                pixels = _load_stdin() if name == STDIN else load(name)
            except ImageError as error:
                report(error)
                continue
            analysis = reader.analyse(Frame(pixels, readable(name)))
            reading = analysis.reading
            if arguments.json:
                # JSON is UTF-8, or escaped so that it is ASCII.
                is_utf8 = sys.stdout.encoding.lower() == "utf-8"
                print(json.dumps(reading.as_dict(), ensure_ascii=not is_utf8), flush=True)
            else:
                said = " / ".join(reading.lines) or f"nothing read ({reading.reason})"
                print(f"{printable(readable(name))}: {said}", flush=True)
            if write_picture:
                write_picture(name, pixels, analysis)
    return 1 if failed else 0


def _names(given: Iterable[str], report: Callable[[Exception], None]) -> Iterator[str]:
    """The files that are meant: those of a folder or a glob one by one. What cannot be a file is reported."""
    from edge.sources.image_paths import find_images

    for what in given:
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", what):
            report(ImageError(f"{public(what)}: {A_URL}"))
        elif os.path.isdir(what) or (re.search(r"[*?[]", what) and not os.path.lexists(what)):  # noqa: PTH112
            # A name that is too long is no folder; Path would raise an error for it.
            try:
                yield from map(str, find_images(what))
            except SourceError as error:
                report(error)
        else:
            yield what


def _load_stdin() -> Pixels:
    """The image on stdin. Raises ImageError."""
    from edge.images import MAX_FILE_BYTES, decode
    from edge.system.files import read_all

    if sys.stdin is None or sys.stdin.isatty():
        raise ImageError("stdin: has no picture; give it one with: edge read - < picture.jpg")
    try:
        data = read_all(sys.stdin.buffer, MAX_FILE_BYTES)
    except OSError as error:
        raise ImageError(f"stdin: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise ImageError(f"stdin: cannot be read ({error})") from error
    return decode(data, "stdin")


def _picture_writer(folder: Path) -> Callable[[str, Pixels, Analysis], None]:
    """Make the folder; returns a function that writes an annotated picture of an image into it."""
    from edge.images import save
    from edge.reading.annotate import annotate

    names: set[str] = set()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImageError(f"{folder}: cannot be made ({error.strerror}); name another folder with --show") from error

    def write(image: str, pixels: Pixels, analysis: Analysis) -> None:
        stem, n = "stdin" if image == STDIN else Path(image).stem, 1
        name = stem
        while f"{name}.read.png" in names:
            n += 1
            name = f"{stem}-{n}"
        names.add(f"{name}.read.png")
        save(annotate(pixels, analysis), folder / f"{name}.read.png")

    return write
