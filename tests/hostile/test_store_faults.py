"""The store while the disk fails to read or write: what only could not be read is not damaged, and nothing is lost."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.shim import Control, compiled
from tests.support.patience import patience

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler; apt-get install build-essential")
CHILD = """
import json, shutil, sys
from datetime import UTC, datetime
from pathlib import Path
from edge.store import store
from edge.types import Notice
from tests.hostile.shim import Control

store.RETRY_SECONDS = 0.0
folder, kind, error, times = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
notice = Notice("camera", "running", "v4l2:", datetime.now(UTC), None)
control = Control(folder / "control")
(folder / "then").mkdir()
with store.Store(folder / "then" / "events.db", device="shed") as first:
    first.outlet("broker")
    before = [first.append(notice).seq for _ in range(120)]
nth, reached = 0, True
while reached:
    nth += 1
    now = folder / str(nth)
    shutil.copytree(folder / "then", now)
    control.set(kind, nth, error, armed=1, times=times)
    kept = store.Store(now / "events.db", device="shed")
    outlet = kept.outlet("broker")
    new = [kept.append(notice).text for _ in range(20)]
    sent = []
    for _ in range(12):
        if entries := outlet.pending(30):
            sent += [entry.text for entry in entries]
            outlet.done(entries[-1].position)
    control.arm(False)
    reached = control.fired > 0
    new.append(kept.append(notice).text)
    while entries := outlet.pending(30):
        sent += [entry.text for entry in entries]
        outlet.done(entries[-1].position)
    dropped = outlet.backlog().dropped
    kept.close()
    missing = {*before, *(json.loads(text)["seq"] for text in new)} - {json.loads(text)["seq"] for text in sent}
    damaged = [one.name for one in now.iterdir() if "damaged" in one.name]
    with store.Store(now / "events.db", device="shed") as again:
        stored = {entry.text for entry in again.after(0, 1000)}
    print(json.dumps([nth, control.what, len(missing), dropped, damaged, len(set(new) - stored)]))
    shutil.rmtree(now)
"""
"""Fails the n-th read or write, for each n, of a store that starts, appends and delivers; a line for each n."""


@pytest.mark.parametrize(
    ("kind", "error", "times"),
    [
        ("read", errno.EIO, 1),
        ("read", errno.EIO, 6),
        ("write", errno.ENOSPC, 40),
        ("write", errno.EIO, 1000),
        ("open", errno.EMFILE, 1),
        ("open", errno.EMFILE, 8),
    ],
)
def test_no_event_is_lost_when_a_call_fails(kind: str, error: int, times: int, tmp_path: Path) -> None:
    Control(tmp_path / "control").close()
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path), kind, str(error), str(times)],
        capture_output=True,
        text=True,
        timeout=patience(120),
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "LD_PRELOAD": str(compiled(tmp_path)),
            "FAULT_CONTROL": str(tmp_path / "control"),
        },
    )
    assert done.returncode == 0, done.stderr
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(outcomes) > 5, "some calls were reached"
    for nth, what, missing, dropped, damaged, unstored in outcomes:
        assert (missing, dropped, damaged, unstored) == (0, 0, [], 0), (nth, what, done.stderr)
