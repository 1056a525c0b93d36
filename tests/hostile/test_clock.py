"""A clock of the day that jumps by years, forwards and back, while ``edge run`` works."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from edge.store.entry import boot_id
from tests.support.mosquitto import eventually, free_port

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler; apt-get install build-essential"),
]
YEAR = 31_557_600
JUMPS = {"2036": 10 * YEAR, "1986": -40 * YEAR, "before 1970": -60 * YEAR, "after 2038": 20 * YEAR, "back": 0}
"""Linux itself accepts no time before 1970; a broken one comes out of a camera or a virtual machine."""


def test_events_go_on_when_the_clock_jumps_by_years(tmp_path: Path) -> None:
    shim, control, out, port = tmp_path / "clock.so", tmp_path / "shift", tmp_path / "out.jsonl", free_port()
    source = Path(__file__).with_name("clock.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(shim), str(source)], check=True)
    control.write_bytes(struct.pack("q", 0))
    command = [sys.executable, "-m", "edge.cli", "run", "--state", str(tmp_path / "state"), "--store.days", "30"]
    command += ["--source", "synthetic:?fps=30&hold=6&digits=1&difficulty=0&size=96x64", "--publish"]
    command += [f"jsonl:{out}?what=events", "--track.dwell", "0", "--track.refractory", "0", "--track.fuse", "0"]
    command += ["--web", f"127.0.0.1:{port}"]

    def events() -> int:
        return out.read_bytes().count(b"\n") if out.exists() else 0

    with subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), "LD_PRELOAD": str(shim), "CLOCK_CONTROL": str(control)},
    ) as process:
        try:
            eventually(lambda: events() > 3)
            for seconds in JUMPS.values():
                with control.open("r+b") as file:
                    file.write(struct.pack("q", seconds))
                before = events()
                eventually(lambda before=before: events() > before + 2)
                for path in ("healthz", "api/history"):
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=20) as answer:
                        assert answer.status == 200
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 0
    assert b"Traceback" not in errors and errors.count(b"\n") == 1, errors
    file = sqlite3.connect(tmp_path / "state" / "events.db")
    kept = file.execute("SELECT boot_id, seq, at FROM events ORDER BY position").fetchall()
    file.close()
    assert len(kept) >= events(), "none is deleted as too old"
    assert {boot for boot, _, _ in kept} == {boot_id()}
    assert [seq for _, seq, _ in kept] == list(range(kept[0][1], kept[0][1] + len(kept)))
    assert min(at for _, _, at in kept) < 0 and max(at for _, _, at in kept) > 2**31
