"""What is checked inside the virtual machine, as root, with nothing but Python's own library; it speaks TAP to run.py.

All checks run, in order: what one leaves is where the next begins. ``inside.py --census`` only prints what is on the
machine, to be compared with what is there in the end.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable

import camera
import changes
import delivery
import service
from ask import (
    UNIT,
    Failed,
    census,
    journal,
    one_line,
    published,
)

CHECKS: tuple[Callable[[], str], ...] = (
    service.is_active_by_notify,
    service.is_nobody_else,
    service.is_in_its_sandbox,
    service.is_tight,
    service.reads_the_camera,
    service.publishes_to_the_journal,
    service.says_it_once,
    service.tells_of_the_camera,
    service.would_run,
    service.is_healthy,
    service.reports_a_frozen_camera,
    service.outlives_sigkill,
    service.outlives_a_hang,
    service.bears_an_unplugged_camera,
    service.stops_when_asked,
    camera.is_as_recorded,
    camera.shows_all_of_its_view,
    delivery.comes_online,
    delivery.sends_an_event,
    delivery.obeys,
    delivery.is_missed,
    delivery.waits_for_the_broker,
    changes.upgrades,
    changes.installs_over_itself,
    changes.takes_a_model_of_ones_own,
    changes.swaps_the_model,
    changes.refuses_a_bad_model,
    changes.rolls_the_model_back,
    changes.reloads,
    changes.leaves_what_is_yours,
    changes.leaves_nothing,
)
"""In this order."""


def say(lines: Iterable[str]) -> None:
    for line in lines:
        print(line[:390], flush=True)


def main() -> None:
    say([f"1..{len(CHECKS)}"])
    for number, one in enumerate(CHECKS, 1):
        started = time.monotonic()
        try:
            told = one()
        except Exception as error:
            # Whatever it is, the others are checked all the same.
            why = str(error) if isinstance(error, Failed) else f"{type(error).__name__}: {one_line(str(error))}"
            say([f"not ok {number} - {one.__doc__}", f"# {why}"])
            status = ["systemctl", "status", "-n0", "-l", "--no-pager", UNIT]
            state = subprocess.run(status, capture_output=True, text=True)
            last = [line for line in journal() if not line.startswith("{")][-25:]
            newest = [json.dumps(message) for message in published(0)[-3:]]
            say(f"# {line}" for line in [*state.stdout.splitlines(), *last, *newest])
        else:
            say([f"ok {number} - {one.__doc__} ({time.monotonic() - started:.0f} s){': ' + told if told else ''}"])


if __name__ == "__main__":
    if sys.argv[1:] == ["--census"]:
        print(json.dumps(census()))
    else:
        main()
