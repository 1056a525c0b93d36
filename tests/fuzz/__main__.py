"""``make fuzz``: fuzz each target in a process of its own, for so many seconds, and print a table of what was found."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.fuzz.targets import CORPUS, TARGETS

HANG_SECONDS = 10
"""An input that takes longer is a hang. Chosen."""
MEMORY_MB = 1024
"""Most megabytes that the process may take. Chosen: a Pi has little more."""
INPUT_BYTES = 65_536
"""Longest input in bytes. Chosen: what reads headers and tables needs no more, and short inputs are fast."""
MOST_STARTS = 20
"""How often a target is started again after a crash, at most. Chosen: the next crashes are mostly the same."""


def main() -> int:
    """Exit status: 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="TARGET", help=f"any of {', '.join(TARGETS)} (default: all)")
    parser.add_argument("--seconds", type=int, default=60, help="how long each target is fuzzed (default: 60)")
    parser.add_argument("--folder", type=Path, default=Path("build/fuzz"), help="where findings go")
    arguments = parser.parse_args()
    if wrong := set(arguments.names) - TARGETS.keys():
        parser.error(f"no target is called {', '.join(sorted(wrong))}; there are {', '.join(TARGETS)}")
    print("| target | seconds | inputs | branches | findings |\n|---|---:|---:|---:|---|", flush=True)
    total = 0
    for name in arguments.names or TARGETS:
        started = time.monotonic()
        runs, branches, found = fuzz(name, arguments.folder / name, arguments.seconds)
        seconds = time.monotonic() - started
        print(f"| {name} | {seconds:.0f} | {runs:,} | {branches:,} | {', '.join(found) or 'none'} |", flush=True)
        total += len(found)
    return 1 if total else 0


def fuzz(name: str, folder: Path, seconds: int) -> tuple[int, int, list[str]]:
    """How many inputs were tried, how many branches were reached, and the files of the findings."""
    grown = folder / "corpus"
    grown.mkdir(parents=True, exist_ok=True)
    for old in [path for path in folder.iterdir() if path.is_file()]:
        old.unlink()
    end, runs, branches = time.monotonic() + seconds, 0, 0
    for start in range(MOST_STARTS):
        left = int(end - time.monotonic())
        if left < 1:
            break
        command = [sys.executable, "-m", "tests.fuzz.fuzzer", name, str(folder)]
        command += [f"-max_total_time={left}", f"-timeout={HANG_SECONDS}", f"-rss_limit_mb={MEMORY_MB}"]
        command += [f"-max_len={INPUT_BYTES}", f"-artifact_prefix={folder}/", "-print_final_stats=1"]
        command += [str(grown), str(CORPUS / name)]
        log = folder / f"log-{start}.txt"
        with log.open("w") as output:
            status = subprocess.run(command, stdout=output, stderr=output, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"}).returncode
        text = log.read_text("utf-8", "replace")
        runs += sum(map(int, re.findall(r"stat::number_of_executed_units: (\d+)", text)))
        branches = max([branches, *map(int, re.findall(r" cov: (\d+)", text))])
        if status == 0:
            break
    return runs, branches, sorted(path.name for path in folder.iterdir() if path.is_file() and path.suffix != ".txt")


if __name__ == "__main__":
    raise SystemExit(main())
