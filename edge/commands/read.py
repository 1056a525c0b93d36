"""``edge read``: read digits from image files."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from edge.commands.arguments import Parser, add_settings, reader_of, settings_of
from edge.errors import ImageError

if TYPE_CHECKING:
    from edge.reading.reader import Analysis
    from edge.types import Pixels


EXAMPLES = """examples:
  edge read desk.jpg                     prints desk.jpg: 1247673 / 8952481
  edge read --json *.png > read.jsonl    one Reading per line
  edge read --show seen photos/*.jpg     also writes annotated pictures into the folder seen
"""


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument(
        "images", nargs="+", metavar="IMAGE", help="a JPEG, PNG, TIFF, WebP, BMP or PGM file, at most 100 megapixels"
    )
    parser.add_argument("--json", action="store_true", help="print one Reading per line, as JSON")
    parser.add_argument("--show", metavar="FOLDER", help="write an annotated picture of each image into this folder")
    add_settings(parser, without=("source", "publish"))


def run(arguments: argparse.Namespace) -> int:
    """Read all images. One that cannot be read is a line on stderr, and makes the exit status 1."""
    from edge.images import load
    from edge.types import Frame

    failed = 0
    with reader_of(settings_of(arguments)) as reader:
        write_picture = _picture_writer(Path(arguments.show)) if arguments.show else None
        for image in arguments.images:
            try:
                pixels = load(image)
            except ImageError as error:
                print(f"edge: {error}", file=sys.stderr)
                failed += 1
                continue
            analysis = reader.analyse(Frame(pixels, image))
            reading = analysis.reading
            if arguments.json:
                print(json.dumps(reading.as_dict(), ensure_ascii=False), flush=True)
            else:
                print(f"{image}: {' / '.join(reading.lines) or f'nothing read ({reading.reason})'}", flush=True)
            if write_picture:
                write_picture(image, pixels, analysis)
    return 1 if failed else 0


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
        name, n = Path(image).stem, 1
        while f"{name}.read.png" in names:
            n += 1
            name = f"{Path(image).stem}-{n}"
        names.add(f"{name}.read.png")
        save(annotate(pixels, analysis), folder / f"{name}.read.png")

    return write
