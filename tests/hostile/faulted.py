"""A real ``edge run`` in which the n-th system call of a kind fails once, and what became of it."""

from __future__ import annotations

import contextlib
import errno
import http.client
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.store.store import Store
from tests.hostile.shim import Control, compiled
from tests.support import files
from tests.support.mosquitto import Broker, free_port
from tests.support.patience import patience

ROOT = Path(__file__).parents[2]
ERRORS = {
    "open": (errno.EMFILE, errno.EIO),
    "read": (errno.EIO,),
    "write": (errno.ENOSPC, errno.EIO),
    "fsync": (errno.EIO, errno.ENOSPC),
    "mmap": (errno.ENOMEM,),
    "socket": (errno.EMFILE,),
    "thread": (errno.EAGAIN,),
}
"""Kind of call -> how it fails."""
PHASES = ("start", "run", "swap", "stop", "imports", "loading", "trial")
"""What the program does while the calls are counted. ``start`` begins when the settings file is opened. Three also
count the files of Python and of libraries, and memory: ``imports`` from the first moment of the process, ``loading``
from the settings file, and ``trial`` in the process that tries a new model."""
ON_AGAIN_SECONDS = 4.0
"""How long an event may take after a fault before the program counts as hanging: one comes every 0.2 s. Chosen."""


@dataclass(frozen=True)
class Outcome:
    """What became of one run with one fault."""

    phase: str
    kind: str
    error: str
    nth: int
    what: str
    """What the failed call was about; empty if it was not reached."""
    result: str
    """``goes on``, ``ends`` (status 1 and one line), ``not reached``, or what is wrong."""
    said: str
    """The program's lines on stderr."""
    counts: dict[str, int]
    """How many calls there were, of each kind."""

    @property
    def good(self) -> bool:
        """Whether that is as it should be."""
        return self.result in ("goes on", "ends", "not reached")


class Bench:
    """What all runs share: the shim, a broker, a state folder with a past, and two models."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.shim = folder, compiled(folder)
        self.broker = Broker(folder / "broker")
        self.publish = f"mqtt://127.0.0.1:{self.broker.port}/sweep"
        self._past = folder / "past"
        self._past.mkdir()
        (self._past / "model.tflite").write_bytes(files.named("one"))
        with _running(self, self._past, {}) as (process, port):
            _until(lambda: b"published" in _get(port[0], "/metrics") and len(_events(self._past)) > 2, 30)
            process.send_signal(signal.SIGTERM)
            assert process.wait(patience(10)) == 0

    def close(self) -> None:
        """End the broker."""
        self.broker.kill()

    def attempt(self, phase: str, kind: str, nth: int, error: int) -> Outcome:
        """One run in which the nth call of that kind fails in that phase."""
        place = self.folder / f"{phase}-{kind}-{nth}-{error}"
        shutil.copytree(self._past, place)
        (place / "out.jsonl").unlink()
        armed, imports = (
            {"start": 2, "loading": 2, "imports": 1}.get(phase, 0),
            phase in ("imports", "loading", "trial"),
        )
        path = place / "control"
        control = Control(path)
        control.set(kind, nth, error, armed=armed, children=phase == "trial", imports=imports)
        try:
            result = self._run(place, phase, control)
            lines = (place / "stderr").read_text("utf-8", "replace").strip()
            if not control.fired and result in ("goes on", "ends"):
                result = "not reached"
            return Outcome(phase, kind, errno.errorcode[error], nth, control.what, result, lines, control.counts)
        finally:
            control.close()
            shutil.rmtree(place)

    def _run(self, place: Path, phase: str, control: Control) -> str:
        with _running(self, place, {"FAULT_CONTROL": str(place / "control")}) as (process, ports):
            ended = lambda: process.poll() is not None  # noqa: E731
            ready = _until(lambda: ended() or _events(place), 30)
            if phase in ("run", "swap", "trial", "stop"):
                control.arm(True)
            if phase == "run":
                for path in ("/", "/healthz", "/api/status", "/api/reading", "/api/history", "/metrics"):
                    _get(ports[1], path)
                _until(lambda: ended() or control.fired, 1.2)
            elif phase in ("swap", "trial"):
                new = place / "new"
                new.write_bytes(files.named("two"))
                new.replace(place / "model.tflite")
                _until(lambda: ended() or (control.fired and phase == "trial") or b'"two ' in _out(place), 8)
            elif phase == "stop":
                return _ending(process, place)
            control.arm(False)
            if not ended():
                if not ready:
                    return "hangs at the start"
                before = len(_events(place))
                if not _until(lambda: ended() or len(_events(place)) > before, ON_AGAIN_SECONDS):
                    return "gives no event any more"
            if ended():
                return _ending(process, place, asked=False)
            if control.fired and (lame := _lame(ports, place)):
                return lame
            return _ending(process, place)


def _lame(ports: tuple[int, int], place: Path) -> str:
    """Which part of a program that goes on does not come back; empty if all work."""
    connected = b'edge_digits_publisher_connected{publisher="mqtt'
    if not _until(lambda: _get(ports[0], "/metrics"), ON_AGAIN_SECONDS):
        return "metrics are dead"
    if not _until(lambda: _get(ports[1], "/healthz"), ON_AGAIN_SECONDS):
        return "the page is dead"
    lines = lambda: [one for one in _get(ports[0], "/metrics").splitlines() if one.startswith(connected)]  # noqa: E731
    if not _until(lambda: lines() and lines()[0].endswith(b"1.0"), patience(10)):
        return "the broker gets no more"
    return ""


def _ending(process: subprocess.Popen[bytes], place: Path, *, asked: bool = True) -> str:
    """What is wrong with how it ends; ``goes on`` if it went on until it was asked to end, ``ends`` if by itself."""
    if asked:
        process.send_signal(signal.SIGTERM)
    try:
        status = process.wait(patience(10))
    except subprocess.TimeoutExpired:
        process.kill()
        return "does not end"
    said = (place / "stderr").read_text("utf-8", "replace")
    for bad in ("Traceback", "Logging error", "Exception ignored", "Fatal Python error"):
        if bad in said:
            return f"{bad}, status {status}"
    if status not in ((0, 1) if asked else (1,)):
        return f"ends with status {status}"
    if status == 1 and not said.strip().splitlines()[-1:][0:1]:
        return "ends with status 1 and says nothing"
    if lost := _lost(place, said):
        return lost
    return "goes on" if status == 0 else "ends"


def _lost(place: Path, said: str) -> str:
    """What is wrong with the store: events that were reported as stored, and are not there after a restart."""
    path = place / "state" / "events.db"
    with Store(path, device="sweep"):
        pass
    if [one.name for one in path.parent.iterdir() if "damaged" in one.name]:
        return "the store was set aside"
    file = sqlite3.connect(path)
    try:
        if file.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            return "the store is damaged"
        stored = [json.loads(text) for (text,) in file.execute("SELECT text FROM events ORDER BY position")]
    finally:
        file.close()
    there = {(one.get("event"), one.get("at")) for one in stored}
    missing = [one for one in _events(place) if (one["event"], one["at"]) not in there]
    if missing and "were never written" not in said:
        return f"{len(missing)} stored events are lost"
    numbers = [(one["boot_id"], one["seq"]) for one in stored]
    return "a key was given twice" if len(set(numbers)) < len(numbers) else ""


@contextlib.contextmanager
def _running(
    bench: Bench, place: Path, environment: dict[str, str]
) -> Iterator[tuple[subprocess.Popen[bytes], tuple[int, int]]]:
    """``edge run`` in a folder, and the ports of its metrics and its page."""
    ports = free_port(), free_port()
    settings = {
        "source": "synthetic:?fps=30&hold=6&digits=1&difficulty=0&size=96x64",
        "publish": ["jsonl:-?what=events", f"jsonl:{place / 'readings.jsonl'}", bench.publish],
        "metrics": f"127.0.0.1:{ports[0]}",
        "web": f"127.0.0.1:{ports[1]}",
        # Relative: the copied folder knows it as accepted, so no start tries it.
        "model": "model.tflite",
        "state": str(place / "state"),
        "threads": 1,
        "device": place.name,
        "track.dwell": 0.0,
        "track.refractory": 0.0,
        "track.fuse": 0.0,
    }
    (place / "edge.toml").write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()))
    command = [sys.executable, "-m", "edge.cli", "run", "--config", str(place / "edge.toml")]
    if environment:
        environment = {**environment, "LD_PRELOAD": str(bench.shim)}
    with (place / "out.jsonl").open("ab") as out, (place / "stderr").open("wb") as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=errors,
            cwd=place,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            start_new_session=True,
        )
    try:
        yield process, ports
    finally:
        process.kill()
        process.wait()


def _out(place: Path) -> bytes:
    return (place / "out.jsonl").read_bytes()


def _events(place: Path) -> list[dict[str, Any]]:
    """The events of its stdout: each was in the store before it was printed."""
    lines = (json.loads(line) for line in _out(place).splitlines(keepends=True) if line.endswith(b"}\n"))
    return [one for one in lines if "event" in one]


def _get(port: int, path: str) -> bytes:
    """The answer to a request, or nothing."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as answer:
            return bytes(answer.read())
    except (OSError, ValueError, http.client.HTTPException):
        return b""


def _until(come: Callable[[], Any], seconds: float) -> bool:
    """Wait for something; whether it came in time."""
    end = time.monotonic() + patience(seconds)
    while not come():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
