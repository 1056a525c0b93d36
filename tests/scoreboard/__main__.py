"""``python -m tests.scoreboard``: score the reader on every set of a data folder and on generated pages."""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from convert.system import progress
from edge.errors import DataError, EdgeError
from edge.reading.reader import Reader
from edge.system.process import after_imports
from edge.types import Pixels
from tests.scoreboard.contact_sheet import write_sheet
from tests.scoreboard.goals import goals
from tests.scoreboard.measure import Scores, measure
from tests.scoreboard.report import as_dict, markdown
from tests.scoreboard.unseen_report import unseen_sections


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it. Exit status: 0 done, whether or not the goals are met; 1 failed; 2 wrong usage; 130 interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.scoreboard",
        description="Score the reader on labelled photographs, by person, on sets of single digits, on generated pages"
        " (the same for the same seed), on marks of writers who are held out of training, and on pictures without a"
        " digit. Show what is misread.",
    )
    parser.add_argument(
        "--data", metavar="FOLDER", type=Path, default=os.environ.get("EDGE_DATA") or None,
        help="folder with mnist/, photos/, photos2/, situations/, marks/, digits/, or some (default: EDGE_DATA)",
    )  # fmt: skip
    parser.add_argument("--model", metavar="FILE.tflite", help="default: the model that comes with the package")
    parser.add_argument("--page", metavar="FILE.md", type=Path, help="also write the scores there, as a page")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, default=Path("build/score"),
        help="folder for pictures of what is misread (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--quick", action="store_true",
        help="photographs, situations and marks only, with few generated pages: about a minute",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print all scores as JSON instead of the goals")
    for name, default, what in (
        ("--pages", 40, "pages of each condition at each strength"),
        ("--per-kind", 50, "pictures of each kind without a digit"),
        ("--seed", 1, "seed of all generated pages"),
        ("--limit", None, "only the first pictures of each set of digits, for a quick look"),
    ):
        parser.add_argument(name, metavar="N", type=int, default=default, help=f"{what} (default: {default or 'all'})")
    options = parser.parse_args(arguments)
    if options.quick and options.page:
        parser.error("--quick measures too little for --page")
    if min(options.pages, options.per_kind, options.limit or 1) < 1 or options.seed < 0:
        parser.error("--pages, --per-kind and --limit are at least 1, --seed at least 0")
    try:
        _run(options)
    except KeyboardInterrupt:
        return 130
    except EdgeError as error:
        sys.stderr.write(f"score: {error}\n")
        return 1
    return 0


def _run(options: argparse.Namespace) -> None:
    if options.data is None or not options.data.is_dir():
        raise DataError(f"{options.data or 'EDGE_DATA'}: no such folder; name one with --data or EDGE_DATA")
    after_imports()
    with Reader(options.model) as reader, progress.steps(sys.stderr) as on_set:
        scores = measure(
            reader, options.data, pages=options.pages, per_kind=options.per_kind, seed=options.seed,
            limit=options.limit, on_set=on_set, quick=options.quick,
        )  # fmt: skip
        on_set("pictures")
        write_pictures(scores, options.out)
    if options.page:
        page = markdown(scores, pages=options.pages, per_kind=options.per_kind, seed=options.seed)
        _write(options.page, page)
    if options.json:
        sys.stdout.write(json.dumps(as_dict(scores), indent=1) + "\n")
        return
    if options.quick:
        sys.stdout.write("\n\n".join(unseen_sections(scores.unseen, names=True)) + "\n\n")
    signs = {True: "met    ", False: "NOT MET", None: "missing"}
    for goal in goals(scores):
        if options.quick and goal.met is None:
            continue
        sys.stdout.write(f"{signs[goal.met]}  {goal.what}: {goal.measured}\n")


def write_pictures(scores: Scores, folder: Path) -> None:
    """A contact sheet for each set, condition and kind in which something is misread; older ones are removed.

    Besides, a ``readings.csv`` of what was read in each photograph by people.
    """
    shutil.rmtree(folder / "misread", ignore_errors=True)
    try:
        (folder / "misread").mkdir(parents=True)
    except OSError as error:
        raise DataError(f"{folder}: no folder can be made there ({error.strerror}); name another with --out") from error
    for name, tiles in _sheets(scores):
        if tiles:
            write_sheet(tiles, folder / "misread" / (re.sub(r"\W+", "-", name.lower()) + ".png"))
    with (folder / "readings.csv").open("w", encoding="utf-8", newline="") as lines:
        rows = csv.writer(lines)
        rows.writerow(("set", "file", "hard", "text", "read"))
        for name, people in scores.unseen.people.items():
            rows.writerows((name, one.name, int(one.hard), one.text, found) for one, found in people.readings)


def _sheets(scores: Scores) -> Iterator[tuple[str, Sequence[Pixels]]]:
    for name, one in scores.photos.items():
        yield f"photos {name}", one.misread
    unseen = scores.unseen
    for name, of in unseen.people.items():
        yield f"photos2 {name}", of.whole.misread
    if unseen.situations:
        yield "situations", unseen.situations.misread
    for name, reads in unseen.made.items():
        yield f"situation {name}", [shown for one in reads for shown in one.misread]
    for name, seen in unseen.marks.items():
        yield f"{name} model", seen.misread
    for name, among in unseen.among.items():
        yield f"among digits {name}", among.misread
    for name, one in unseen.words.items():
        yield name, one.misread
    for name, one in scores.through_reader.items():
        yield f"{name} reader", one.misread
    for name, seen in scores.through_model.items():
        yield f"{name} model", seen.misread
    for name, reads in scores.suite.items():
        yield f"suite {name}", [shown for one in reads for shown in one.misread]
    for name, one in scores.without_digits.items():
        yield f"nothing {name}", one.misread


def _write(path: Path, page: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, "utf-8")
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror}); name another file with --page") from error


if __name__ == "__main__":
    sys.exit(main())
