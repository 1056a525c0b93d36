"""Fails the n-th open, read, write, fsync, mmap, socket and thread start of ``edge run``, for every n that is reached.

    python -m tests.hostile.fault_sweep                              all of it: about two hours
    python -m tests.hostile.fault_sweep --minutes 10 --results FILE  goes on where it stopped, if FILE is there
    python -m tests.hostile.fault_sweep --phases start --kinds open  a part of it
    python -m tests.hostile.fault_sweep --phases run --kinds write --only 7

Each run is a whole ``edge run`` with an MQTT broker, metrics and the live page, in which one call fails once. It must
go on with all of its parts, or end with status 1 and one line; there may be no traceback, and each event that was
reported as stored must be in the store after a restart. Imports (``imports``, ``loading``, ``trial``) are swept
coarsely: there are hundreds. On a busy machine, EDGE_PATIENCE=5 waits five times as long. The exit status is 1 if any
run was not as it should be.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from errno import errorcode
from pathlib import Path

from tests.hostile.faulted import ERRORS, PHASES, Bench, Outcome
from tests.hostile.shim import KINDS

KNOWN = "/sys/devices/system/cpu/"
"""Where a failure crashes the TFLite runtime (cpuinfo, which it contains), not edge-digits: counted, and no fault."""
STEP = {"imports": 41, "loading": 29, "trial": 41}
"""Phase -> every how many calls one is failed; 1 in the others."""
MISSES = 3
"""So many times in a row not reached, and there are no more: threads make their number vary a little. Chosen."""
MOST = {"run": 150, "swap": 150}
"""Phase -> the largest n: what a running program does comes again and again, also while a model is swapped."""


def numbers(phase: str) -> Iterator[int]:
    """The n to try in a phase, without an end but MOST."""
    yield from range(1, MOST.get(phase, 100_000) + 1, STEP.get(phase, 1))


def line(outcome: Outcome) -> str:
    """One line of the table."""
    where = outcome.what if len(outcome.what) < 60 else f"…{outcome.what[-58:]}"
    said = " | ".join(outcome.said.splitlines()[1:] if outcome.good else outcome.said.splitlines()[-2:])
    return (
        f"{'' if outcome.good else 'BAD ':4}{outcome.phase:8}{outcome.kind:7}{outcome.error:7}{outcome.nth:5}  "
        f"{outcome.result:32}{where:60}  {said[:200]}"
    )


def main() -> int:
    """Sweep; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--phases", default=",".join(PHASES))
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--only", type=int, help="only this n")
    parser.add_argument("--every-error", action="store_true", help="also the less likely errno of each kind")
    parser.add_argument("--minutes", type=float, default=600.0, help="stop after so many")
    parser.add_argument("--workers", type=int, default=2, help="runs at a time")
    parser.add_argument("--results", type=Path, help="a file that keeps the outcomes, and is gone on with")
    arguments = parser.parse_args()
    until = time.monotonic() + 60 * arguments.minutes
    outcomes: dict[tuple[str, str, str, int], Outcome] = {}
    if arguments.results and arguments.results.exists():
        for text in arguments.results.read_text().splitlines():
            one = Outcome(**json.loads(text))
            outcomes[one.phase, one.kind, one.error, one.nth] = one
    writing = threading.Lock()

    def sweep(bench: Bench, phase: str, kind: str, error: int) -> None:
        misses = 0
        for n in [arguments.only] if arguments.only else numbers(phase):
            known = outcomes.get((phase, kind, errorcode[error], n))
            if known is None:
                if time.monotonic() > until:
                    return
                known = bench.attempt(phase, kind, n, error)
                with writing:
                    outcomes[phase, kind, errorcode[error], n] = known
                    print(line(known), flush=True)
                    if arguments.results:
                        with arguments.results.open("a") as file:
                            file.write(json.dumps(asdict(known)) + "\n")
            misses = misses + 1 if known.result == "not reached" else 0
            if misses == MISSES:
                return

    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(arguments.workers) as pool:
        bench = Bench(Path(folder))
        try:
            jobs = [
                pool.submit(sweep, bench, phase, kind, error)
                for phase in arguments.phases.split(",")
                for kind in arguments.kinds.split(",")
                for error in (ERRORS[kind] if arguments.every_error else ERRORS[kind][:1])
            ]
            for job in jobs:
                job.result()
        finally:
            bench.close()
    print()
    counted = Counter((one.phase, one.kind, one.error, one.result) for one in outcomes.values())
    for (phase, kind, error, result), many in sorted(counted.items()):
        print(f"{phase:8}{kind:7}{error:7}{many:5}  {result}")
    bad = sum(not one.good and not one.what.startswith(KNOWN) for one in outcomes.values())
    reached = sum(one.result != "not reached" for one in outcomes.values())
    print(f"{reached} faults, {bad} not as they should be" + (", stopped before the end" * (time.monotonic() > until)))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
