"""JSON lines on full and read-only disks, closed pipes, and after kills: what is lost is reported."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import signal
import struct
import subprocess
import sys
import termios
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.loop import run
from edge.publishers import open_publisher
from edge.sources.supervisor import SupervisedCamera
from tests.faults.cameras import Faulty
from tests.faults.disks import FullDevice, disk
from tests.support.patience import patience

ROOT = Path(__file__).parent.parent.parent
PATIENCE = patience(30.0)
"""Seconds after which a test gives up."""
QUICK = "synthetic:?size=128x64&digits=2&hold=1000&fps=0"
LIVE = QUICK.replace("fps=0", "fps=50")


@pytest.fixture(params=[disk, FullDevice], ids=["mounted", "device"])
def card(request, tmp_path):
    with contextlib.closing(request.param(tmp_path)) as made:
        yield made


@contextlib.contextmanager
def running(tmp_path, *publish, source=LIVE):
    command = [sys.executable, "-m", "edge.cli", "run", "--source", source, "--publish", *publish]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def until(true):
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


def size(path):
    return path.stat().st_size if path.exists() else 0


def frames(path):
    """The numbers of the frames whose lines are whole, and how many lines are not."""
    numbers, broken = [], 0
    for line in path.read_bytes().splitlines():
        try:
            numbers.append(json.loads(line)["frame"])
        except ValueError:
            broken += 1
    return numbers, broken


def test_a_full_disk_loses_only_its_own_readings(card, tmp_path):
    path = card.path / "readings.jsonl"
    everything = tmp_path / "everything.jsonl"
    with running(tmp_path, f"jsonl:{path}", f"jsonl:{everything}") as process:
        until(lambda: size(path))
        card.fill()
        said = process.stderr.readline()
        before = size(everything)
        until(lambda: size(everything) > before + 10_000)
        card.empty()
        after = size(path)
        until(lambda: size(path) > after)
        process.terminate()
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    full = f"{path}: cannot be written (No space left on device); make room on its disk"
    assert said == f"edge: {full} (until this is fixed, readings are lost)\n"
    all_frames, broken = frames(everything)
    assert (all_frames, broken) == (list(range(len(all_frames))), 0), "another publisher gets them all"
    there, broken = frames(path)
    lost = len(all_frames) - len(there)
    assert lost > 10
    # Where a while passes before the end, it was said then.
    assert errors.replace("accepts readings again; ", "") == f"edge: {path}: lost: {lost}\n"
    assert broken <= 1, "half a line where the disk was full, alone"
    assert there == sorted(set(there)) and there[-1] == all_frames[-1]


def test_a_read_only_disk_is_written_when_it_can_be(tmp_path):
    place = tmp_path / "card"
    place.mkdir()
    with contextlib.closing(disk(place)) as card:
        path = card.path / "readings.jsonl"
        card.remount("ro")
        with running(tmp_path, f"jsonl:{path}", "jsonl:-") as process:
            assert process.stdout.readline().startswith("{")
            assert process.stderr.readline().startswith(f"edge: {path}: cannot be written (Read-only file system); ")
            card.remount("rw")
            until(lambda: size(path))
            process.terminate()
            process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
        there, broken = frames(path)
        assert there[0] > 0 and broken == 0


def test_without_a_live_source_a_full_disk_ends_the_run(tmp_path):
    with running(tmp_path, "jsonl:/dev/full", source=QUICK) as process:
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert errors == "edge: /dev/full: cannot be written (No space left on device); make room on its disk\n"


def test_a_wrong_path_ends_a_live_run_at_its_start(tmp_path):
    with running(tmp_path, f"jsonl:{tmp_path}/nowhere/readings.jsonl") as process:
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert errors.startswith(f"edge: {tmp_path}/nowhere/readings.jsonl: there is no folder {tmp_path}/nowhere; ")


def test_a_rotated_file_is_made_anew_and_no_line_is_lost(tmp_path):
    path = tmp_path / "readings.jsonl"
    with running(tmp_path, f"jsonl:{path}") as process:
        for n in (1, 2):
            until(lambda: size(path))
            path.rename(f"{path}.{n}")
        until(lambda: size(path))
        process.terminate()
        _, errors = process.communicate(timeout=PATIENCE)
    assert errors == ""
    numbers = [frame for file in (f"{path}.1", f"{path}.2", path) for frame in frames(Path(file))[0]]
    assert numbers == list(range(len(numbers)))


def test_killed_at_any_moment_it_leaves_whole_lines_and_goes_on(tmp_path):
    path = tmp_path / "readings.jsonl"
    moments = random.Random(6)
    kills = 8
    for _ in range(kills):
        before = size(path)
        with running(tmp_path, f"jsonl:{path}", source=QUICK) as process:
            until(lambda before=before: size(path) > before)
            time.sleep(moments.uniform(0, 0.3))
            process.send_signal(signal.SIGKILL)
            process.wait()
    numbers, broken = frames(path)
    assert broken <= kills
    assert numbers.count(0) == kills, "after each restart it goes on"
    assert all(after in (before + 1, 0) for before, after in zip(numbers, numbers[1:], strict=False))


def test_a_closed_stdout_ends_a_live_run_quietly(tmp_path):
    with running(tmp_path, "jsonl:-") as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


def unread(pipe):
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0]


@pytest.mark.parametrize(("source", "status"), [(LIVE, 0), (QUICK, 1)], ids=["live", "files"])
def test_sigterm_ends_it_also_where_nobody_reads_what_it_writes(source, status, tmp_path):
    with running(tmp_path, "jsonl:-", source=source) as process:
        fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, 4096)
        # Full, and it stays as full: it waits.
        seen = [0] * 5
        until(lambda: seen.append(unread(process.stdout)) or time.sleep(0.1) or len(set(seen[-5:])) == 1 < seen[-1])
        process.terminate()
        assert process.wait(PATIENCE) == status
        assert "stdout: nobody reads it, and the program ends without waiting for a reader" in process.stderr.read()


def test_a_clock_that_jumps_back_stops_nothing(tmp_path, reader, monkeypatch):
    """A Pi has no battery-backed clock: its time at the start may be years away from the network's time later."""
    camera = Faulty()
    real = time.time
    path = tmp_path / "readings.jsonl"

    def read(frame):
        if frame.index >= 5:
            camera.taken = datetime.now(UTC) - timedelta(days=3650)
            monkeypatch.setattr(time, "time", lambda: real() - 3650 * 86400)
        return reader.read(frame)

    with (
        SupervisedCamera(camera, deadline_seconds=PATIENCE) as source,
        open_publisher(f"jsonl:{path}", live=True) as publisher,
    ):
        run(source, read, [publisher], frames=20)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    numbers = [line["frame"] for line in lines]
    assert len(lines) == 20 and numbers == sorted(set(numbers))
    assert lines[-1]["captured_at"] < lines[0]["captured_at"]


def test_ten_thousand_frames_through_everything_leave_nothing_behind():
    """Memory, open files and threads; ``endurance.py`` does it by hand with ten times as many."""
    command = [sys.executable, "-m", "tests.faults.endurance", "10000", "96x64"]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.splitlines()[-1].startswith("10000 frames, ")
