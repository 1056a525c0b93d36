"""Count the instructions of a frame and of a start with Valgrind: ``python -m tests.benchmarks.instructions``.

Times differ from run to run and from machine to machine. These counts hardly do, so that a change of 1 % shows. They
are compared with those in ``instructions.json`` beside this file, which ``--record`` writes anew. The ratios mean
little unless the versions and the kind of processor are those named there.
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
    "frame": "a frame of 640x480 with six digits: read, tracked, written as a line of JSON",
    "unchanged": "a frame that shows the same page as the one before",
    "read": "edge read of such a page, as a process",
    "run": "edge run of such a page, as a process",
}
FEW, MANY = 10, 30
"""Numbers of frames in two runs: their difference in instructions is that of the frames alone."""
PAGES = 10
"""Pictures of one page, each with other noise, that the frames show in turn."""
START = datetime(2026, 11, 23, 12, tzinfo=UTC)


def read_frames(frames: int, page: str) -> None:
    """Read and track frames as ``edge run`` does, with a clock that Valgrind does not slow down.

    ``page``: a key of COUNTS, "frame" or "unchanged".
    """
    from edge.publishers import open_publisher
    from edge.reading.reader import Reader
    from edge.sources import open_source
    from edge.system.process import after_imports
    from edge.tracking.settings import TrackSettings
    from edge.types import Frame
    from tests.support.line import Line

    after_imports()
    # One page, with other noise in each picture.
    pages = list(islice(open_source(f"synthetic:?digits=6&hold={PAGES}"), PAGES))
    tracking = TrackSettings(still=60 if page == "unchanged" else 0)
    with Reader() as reader, open_publisher(f"jsonl:{os.devnull}") as publisher:
        line = Line(reader, tracking)
        # In the first second the tracker confirms the reading; it is the same for few and many frames.
        for n in range(30 + frames):
            seconds = n / 30
            frame = Frame(pages[n % PAGES].pixels, "counted", n, START + timedelta(seconds=seconds))
            reading, events = line.see(frame, seconds)
            for message in (reading, *events):
                publisher.publish(message)


def count_instructions(*command: str) -> int:
    """Instructions of a Python command with everything that it imports, already compiled."""
    from edge.commands.bench.startup import environment

    own = environment() | {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}
    subprocess.run((sys.executable, *command), env=own, capture_output=True)
    valgrind = ("valgrind", "--tool=callgrind", f"--callgrind-out-file={os.devnull}", sys.executable)
    done = subprocess.run((*valgrind, *command), env=own, capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        sys.exit(f"valgrind {' '.join(command)}: {done.stderr.strip().splitlines()[-1:]}")
    return int(found[1])


def measure() -> dict[str, int]:
    """The instructions of everything in COUNTS."""
    from edge.commands.bench.startup import page
    from edge.images import save

    def frames(kind: str) -> int:
        few, many = (
            count_instructions("-m", "tests.benchmarks.instructions", "--show", kind, str(n)) for n in (FEW, MANY)
        )
        return (many - few) // (MANY - FEW)

    with tempfile.TemporaryDirectory() as folder:
        picture = f"{folder}/page.png"
        save(page(), Path(picture))
        return {
            "frame": frames("frame"),
            "unchanged": frames("unchanged"),
            "read": count_instructions("-m", "edge.cli", "read", picture),
            "run": count_instructions(
                "-m", "edge.cli", "run", "--source", f"files:{picture}", "--state", f"{folder}/state"
            ),
        }


def main() -> None:
    """Count, compare and, with ``--record``, record."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--record", action="store_true", help=f"write the counts to {RECORD.name}")
    options.add_argument("--show", nargs=2, help=argparse.SUPPRESS)
    arguments = options.parse_args()
    if arguments.show:
        read_frames(int(arguments.show[1]), arguments.show[0])
        return
    if not shutil.which("valgrind"):
        sys.exit("valgrind is not installed; install it with: sudo apt install -y valgrind")
    from edge.commands.bench.figures import machine

    now, here = measure(), machine()
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
        print(f"\nRecorded with {other}: the ratios mean little.")
    if arguments.record:
        RECORD.write_text(json.dumps({"machine": here, "instructions": now}, indent=1) + "\n")


if __name__ == "__main__":
    main()
