"""How many instructions a frame and a start take, by Valgrind: ``python -m tests.benchmarks.instructions``.

Times differ from run to run and machine to machine; these counts hardly do, so that a change of a hundredth shows.
They are compared with those in ``instructions.json`` beside this file, which ``--record`` writes anew. With the
versions named there and on the same kind of processor they can be compared, else the ratios mean little.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

RECORD = Path(__file__).with_suffix(".json")
COUNTS = {
    "frame": "a frame of 640x480 with six digits: read, tracked, written as a line",
    "unchanged": "a frame that shows the page that was read before",
    "read": "edge read of such a page, a whole process",
    "run": "edge run of such a page, a whole process",
}
FEW, MANY = 10, 30
"""So many frames are read; what the second takes beyond the first is that of the frames alone."""
PAGES = 10
START = datetime(2026, 11, 23, 12, tzinfo=UTC)


def show(frames: int, page: str) -> None:
    """Pages through the line of ``edge run``, with a clock that Valgrind does not slow."""
    from edge.publishers import open_publisher
    from edge.reading.reader import Reader
    from edge.sources import open_source
    from edge.system.process import after_imports
    from edge.tracking.settings import TrackSettings
    from edge.types import Frame
    from tests.support.line import Line

    after_imports()
    # One page, with other noise in each frame.
    pages = list(islice(open_source(f"synthetic:?digits=6&hold={PAGES}"), PAGES))
    tracking = TrackSettings(still=60 if page == "unchanged" else 0)
    with Reader() as reader, open_publisher(f"jsonl:{os.devnull}") as publisher:
        line = Line(reader, tracking)
        # The first second settles what is believed, and is the same for few and many.
        for n in range(30 + frames):
            seconds = n / 30
            frame = Frame(pages[n % PAGES].pixels, "counted", n, START + timedelta(seconds=seconds))
            reading, events = line.see(frame, seconds)
            for message in (reading, *events):
                publisher.publish(message)


def counted(*command: str) -> int:
    """Instructions of a command with all that it loads, and without compiling it."""
    from edge.commands.bench.startup import environment

    own = environment() | {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}
    subprocess.run((sys.executable, *command), env=own, capture_output=True)
    valgrind = ("valgrind", "--tool=callgrind", f"--callgrind-out-file={os.devnull}", sys.executable)
    done = subprocess.run((*valgrind, *command), env=own, capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        sys.exit(f"valgrind {' '.join(command)}: {done.stderr.strip().splitlines()[-1:]}")
    return int(found[1])


def measured() -> dict[str, int]:
    """All of COUNTS."""
    from edge.commands.bench.startup import page
    from edge.images import save

    def frames(kind: str) -> int:
        few, many = (counted("-m", "tests.benchmarks.instructions", "--show", kind, str(n)) for n in (FEW, MANY))
        return (many - few) // (MANY - FEW)

    with tempfile.TemporaryDirectory() as folder:
        picture = f"{folder}/page.png"
        save(page(), Path(picture))
        return {
            "frame": frames("frame"),
            "unchanged": frames("unchanged"),
            "read": counted("-m", "edge.cli", "read", picture),
            "run": counted("-m", "edge.cli", "run", "--source", f"files:{picture}", "--state", f"{folder}/state"),
        }


def main() -> None:
    """Count, compare, and record where that is asked for."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--record", action="store_true", help=f"write {RECORD.name} anew")
    options.add_argument("--show", nargs=2, help=argparse.SUPPRESS)
    arguments = options.parse_args()
    if arguments.show:
        show(int(arguments.show[1]), arguments.show[0])
        return
    if not shutil.which("valgrind"):
        sys.exit("valgrind: is not installed; sudo apt install -y valgrind")
    from edge.commands.bench.figures import machine

    now, here = measured(), machine()
    before = json.loads(RECORD.read_text()) if RECORD.exists() else None
    print("| millions of instructions | now | recorded | ratio |\n|---|---|---|---|")
    for name, what in COUNTS.items():
        then = before["instructions"].get(name) if before else None
        ratio = f"{then / 1e6:.2f} | {now[name] / then:.3f}" if then else " | "
        print(f"| {what} | {now[name] / 1e6:.2f} | {ratio} |")
    if before and before["machine"] != here:
        other = ", ".join(
            f"{key} {before['machine'].get(key)}" for key in here if before["machine"].get(key) != here[key]
        )
        print(f"\nRecorded with {other}: such ratios mean little.")
    if arguments.record:
        RECORD.write_text(json.dumps({"machine": here, "instructions": now}, indent=1) + "\n")


if __name__ == "__main__":
    main()
