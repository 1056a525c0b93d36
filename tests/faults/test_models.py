"""Models dropped in while `edge run` reads: bad ones are refused, good ones taken, and no frame is lost over it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from edge.cli import main
from edge.model.card import packed
from tests.support import files
from tests.support.patience import patience

ROOT = Path(__file__).parent.parent.parent
pytestmark = files.QUIET
PATIENCE = patience(60.0)
"""Seconds after which a test gives up."""
ONE, TWO = files.named("one"), files.named("two")
BAD = {
    "cut short": TWO[:60_000],
    "text": b"<html>404 Not Found</html>",
    "a bit flipped": TWO[:70_000] + bytes([TWO[70_000] ^ 1]) + TWO[70_001:],
    "another model": files.with_card(replace(files.card(), paper=1.0, ink=0.0)),
    "overwritten": packed(files.BARE[:2000] + bytes(2000) + files.BARE[4000:], files.card()),
}


def short(content: bytes) -> str:
    return sha256(content).hexdigest()[:12]


class Running:
    """A real ``edge run`` on a synthetic camera, and what it has published so far."""

    def __init__(self, folder: Path) -> None:
        self.model, self.out, self.state = folder / "m.tflite", folder / "out.jsonl", folder / "state"
        self.flags = ["--model", str(self.model), "--state", str(self.state)]
        source = "synthetic:?fps=40&size=320x240&digits=2&hold=20"
        self.command = [
            *(sys.executable, "-W", "error", "-m", "edge.cli", "run", "--source", source),
            *("--publish", f"jsonl:{self.out}", *self.flags),
        ]

    @contextlib.contextmanager
    def run(self) -> Iterator[subprocess.Popen[str]]:
        # Without a terminal, as a service: there SIGHUP asks to look again.
        with subprocess.Popen(
            self.command,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def put(self, content: bytes) -> None:
        half = self.model.with_name("half")
        half.write_bytes(content)
        half.replace(self.model)

    def said(self) -> list[dict[str, Any]]:
        with contextlib.suppress(FileNotFoundError):
            return [json.loads(line) for line in self.out.read_text().splitlines(keepends=True) if line.endswith("\n")]
        return []

    @property
    def readings(self) -> list[dict[str, Any]]:
        return [message for message in self.said() if "frame" in message]

    @property
    def notices(self) -> list[dict[str, Any]]:
        return [message for message in self.said() if message.get("notice") == "model"]

    def until(self, come: Callable[[], object]) -> None:
        end = time.monotonic() + PATIENCE
        while not come():
            assert time.monotonic() < end, self.said()[-3:]
            time.sleep(0.05)

    def stop(self, process: subprocess.Popen[str]) -> str:
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, error
        return error


@pytest.fixture
def running(tmp_path: Path) -> Running:
    made = Running(tmp_path)
    made.put(ONE)
    return made


def test_bad_models_are_refused_and_good_ones_taken_without_a_frame_lost(running: Running) -> None:
    with running.run() as process:
        running.until(lambda: len(running.readings) > 5)
        # What crashes the runtime is made by TensorFlow, which a Pi has not.
        bad = [*BAD.values(), *([files.crashing()] if find_spec("tensorflow") else [])]
        for n, content in enumerate(bad, start=1):
            running.put(content)
            running.until(lambda n=n: len(running.notices) == n)
        running.put(TWO)
        running.until(lambda: running.readings[-1]["model"].startswith("two "))
        before = len(running.readings)
        running.until(lambda: len(running.readings) > before + 20)
        assert main(["model", "rollback", *running.flags]) == 0
        running.until(lambda: running.readings[-1]["model"].startswith("one "))
        error = running.stop(process)
    messages, notices = running.said(), running.notices
    readings = [message for message in messages if "frame" in message]
    assert [reading["frame"] for reading in readings] == list(range(len(readings))), "no frame lost, none twice"
    assert [notice["state"] for notice in notices] == ["refused"] * len(bad) + ["accepted"] * 2
    for content, notice in zip(bad, notices, strict=False):
        assert notice["name"] == f"m sha256:{short(content)}"
        assert notice["reason"].startswith(f"{running.model}: ") and notice["reason"] in error
    # Each reading says which model read it: what the notices before it say.
    reads = f"one sha256:{short(ONE)}"
    for message in messages:
        if message.get("notice") == "model" and message["state"] == "accepted":
            reads = message["name"]
        assert message.get("model", reads) == reads
    assert reads == f"one sha256:{short(ONE)}"


def test_after_a_kill_and_with_a_bad_file_the_model_before_is_used(running: Running) -> None:
    with running.run() as process:
        running.until(lambda: len(running.readings) > 5)
        process.kill()
        process.wait()
    running.put(BAD["cut short"])
    first = len(running.readings)
    with running.run() as process:
        running.until(lambda: len(running.readings) > first + 5)
        error = running.stop(process)
    assert {reading["model"] for reading in running.readings} == {f"one sha256:{short(ONE)}"}
    (notice,) = running.notices
    assert notice["state"] == "refused" and notice["reason"] in error
    assert main(["model", "rollback", *running.flags]) == 0
    assert running.model.read_bytes() == ONE, "the model in use replaces the refused file"


def test_sighup_checks_the_model_again_and_the_program_goes_on(running: Running) -> None:
    with running.run() as process:
        running.until(lambda: len(running.readings) > 5)
        process.send_signal(signal.SIGHUP)
        assert process.stderr is not None
        assert "unchanged, still using one sha256:" in process.stderr.readline()
        running.put(TWO)
        process.send_signal(signal.SIGHUP)
        running.until(lambda: running.readings[-1]["model"].startswith("two "))
        running.stop(process)


def test_sighup_with_the_packaged_model_changes_nothing(running: Running) -> None:
    running.command = [word for word in running.command if word not in ("--model", str(running.model))]
    with running.run() as process:
        running.until(lambda: len(running.readings) > 5)
        process.send_signal(signal.SIGHUP)
        assert process.stderr is not None
        assert "SIGHUP: nothing to reload" in process.stderr.readline()
        before = len(running.readings)
        running.until(lambda: len(running.readings) > before + 5)
        assert running.stop(process) == ""
    assert not (running.state / "model").exists(), "no model had to be remembered"


def test_a_model_that_never_answers_costs_no_frame(running: Running, tmp_path: Path) -> None:
    """The trial is replaced by a process that ends only after the program; the loop goes on."""
    hang = tmp_path / "hang"
    hang.mkdir()
    (hang / "sitecustomize.py").write_text(
        "import os, sys, time\nparent = os.getppid()\n"
        "while 'edge.model.trial' in sys.orig_argv and os.getppid() == parent:\n    time.sleep(0.1)\n"
    )
    with running.run() as process:
        running.until(lambda: len(running.readings) > 5)
        running.stop(process)
    environment = {**os.environ, "PYTHONPATH": f"{hang}{os.pathsep}{ROOT}"}
    running.out.unlink()
    with subprocess.Popen(
        running.command, stderr=subprocess.PIPE, text=True, start_new_session=True, env=environment
    ) as process:
        try:
            running.until(lambda: len(running.readings) > 5)
            running.put(TWO)
            before = len(running.readings)
            running.until(lambda: len(running.readings) > before + 200)
            started = time.monotonic()
            running.stop(process)
            assert time.monotonic() - started < patience(10), "it does not wait for the trial"
        finally:
            process.kill()
    assert [reading["frame"] for reading in running.readings] == list(range(len(running.readings)))
    assert {reading["model"] for reading in running.readings} == {f"one sha256:{short(ONE)}"}


def test_a_bad_model_with_nothing_kept_is_one_line(running: Running) -> None:
    running.put(BAD["text"])
    with running.run() as process:
        _, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert error == f"edge: {running.model}: is not a .tflite model; make one with edge-convert MODEL.h5\n"


def test_files_are_read_with_the_model_that_is_named(running: Running, tmp_path: Path) -> None:
    """With a source of files the model that is named is used without a trial."""
    running.put(BAD["another model"])
    running.command[running.command.index("--source") + 1] = "synthetic:?frames=3"
    with running.run() as process:
        _, error = process.communicate(timeout=PATIENCE)
    assert (process.returncode, error) == (0, "")
    assert {reading["model"] for reading in running.readings} == {f"mnist sha256:{short(BAD['another model'])}"}
    assert not running.state.exists()
