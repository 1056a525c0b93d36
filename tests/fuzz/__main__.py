"""``make fuzz``: fuzz each target in a process of its own, and print a table of what was found."""

from __future__ import annotations

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.targets import CORPUS, TARGETS

STUCK_SECONDS = 300
"""An input that takes longer by the clock on the wall is stuck in compiled code. Chosen: a busy machine has given it 10
seconds of a processor by then."""
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
    parser.add_argument("--seconds", type=float, default=60, help="of the processor, for each target (default: 60)")
    parser.add_argument("--folder", type=Path, default=Path("build/fuzz"), help="where findings go")
    arguments = parser.parse_args()
    if wrong := set(arguments.names) - TARGETS.keys():
        parser.error(f"no target is called {', '.join(sorted(wrong))}; there are {', '.join(TARGETS)}")
    print("| target | CPU seconds | inputs | branches | findings |\n|---|---:|---:|---:|---|", flush=True)
    is_clean = True
    for name in arguments.names or TARGETS:
        seconds, runs, branches, found = fuzz(name, arguments.folder / name, arguments.seconds)
        print(f"| {name} | {seconds:.0f} | {runs:,} | {branches:,} | {', '.join(found) or 'none'} |", flush=True)
        is_clean = is_clean and not found
    return 0 if is_clean else 1


def fuzz(name: str, folder: Path, seconds: float) -> tuple[float, int, int, list[str]]:
    """The processor's seconds, how many inputs were tried and branches reached, and the files of the findings."""
    grown = folder / "corpus"
    grown.mkdir(parents=True, exist_ok=True)
    for old in [path for path in folder.iterdir() if path.is_file()]:
        old.unlink()
    used, runs, branches = 0.0, 0, 0
    for start in range(MOST_STARTS):
        command = [sys.executable, "-m", "tests.fuzz.fuzzer", name, str(folder), str(seconds - used)]
        command += [f"-timeout={STUCK_SECONDS}", f"-report_slow_units={STUCK_SECONDS}"]
        command += [f"-rss_limit_mb={MEMORY_MB}", f"-max_len={INPUT_BYTES}"]
        command += [f"-artifact_prefix={folder}/", "-print_final_stats=1", str(grown), str(CORPUS / name)]
        log = folder / f"log-{start}.txt"
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        # libFuzzer ends a process without removing its temporary files.
        with log.open("w") as output, tempfile.TemporaryDirectory() as temporary:
            place = {**os.environ, "TMPDIR": temporary}
            status = subprocess.run(command, stdout=output, stderr=output, env=place).returncode
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used += after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        text = log.read_text("utf-8", "replace")
        runs += sum(map(int, re.findall(r"stat::number_of_executed_units: (\d+)", text)))
        branches = max([branches, *map(int, re.findall(r" cov: (\d+)", text))])
        if status == 0 or used >= seconds:
            break
    found = sorted(path.name for path in folder.iterdir() if path.is_file() and path.suffix != ".txt")
    return used, runs, branches, found


if __name__ == "__main__":
    raise SystemExit(main())
