"""A model that passed its trial, and then makes a real `edge run` crash and hang, under a watchdog like systemd's."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge.model.registry import ModelRegistry
from edge.system.closing import Closing
from tests.support import files
from tests.support.patience import patience

ROOT = Path(__file__).parents[2]
ONE, TWO = files.named("one"), files.named("two")
PROGRAM = """
import os, signal, sys, time
from edge.cli import main
from edge.model.classifier import Model

predict, pages = Model.predict, []

def bad(self, glyphs):
    pages.append(glyphs.any())
    # Not at once: the watchdog begins with the first frame.
    if self.name.startswith("two") and sum(pages) > 5:
        how = os.environ["HOW"]
        while how == "hang":
            time.sleep(1)
        if how == "error":
            raise RuntimeError("of a library")
        os.kill(os.getpid(), signal.SIGSEGV)
    return predict(self, glyphs)

Model.predict = bad
sys.exit(main(sys.argv[1:]))
"""
"""``edge`` with a model "two" that goes wrong in the way HOW after some digits."""
WATCHDOG_SECONDS = patience(2.0)


class Service(Closing):
    """Starts ``edge run`` as systemd does: it is told of its state, and ends it if the watchdog is not fed."""

    def __init__(self, folder: Path) -> None:
        self.model, self.state, self.out = folder / "m.tflite", folder / "state", folder / "out.jsonl"
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(str(folder / "notify"))
        self._command = [
            *(sys.executable, "-c", PROGRAM, "run", "--source", "synthetic:?fps=20&size=160x120&digits=1"),
            *("--publish", f"jsonl:{self.out}", "--model", str(self.model), "--state", str(self.state)),
        ]
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "NOTIFY_SOCKET": str(folder / "notify"),
            "WATCHDOG_USEC": str(int(WATCHDOG_SECONDS * 1e6)),
        }

    def run(self, how: str) -> tuple[int, str]:
        """One run, until it ends by itself, by the watchdog, or (told to stop) after some readings; its log."""
        self.out.unlink(missing_ok=True)
        # Nothing left over from the run before.
        self._notify.settimeout(0.01)
        with contextlib.suppress(OSError):
            while self._notify.recv(1000):
                pass
        with subprocess.Popen(
            self._command, stderr=subprocess.PIPE, text=True, env={**self._environment, "HOW": how}
        ) as process:
            try:
                self._watch(process)
            except BaseException:
                process.kill()
                raise
            return process.wait(patience(20)), process.stderr.read() if process.stderr else ""

    def _watch(self, process: subprocess.Popen[str]) -> None:
        fed, is_ready, end = time.monotonic(), False, time.monotonic() + patience(60)
        self._notify.settimeout(0.1)
        while process.poll() is None:
            assert time.monotonic() < end
            with contextlib.suppress(OSError):
                is_ready = bool(self._notify.recv(1000))
                fed = time.monotonic()
            if is_ready and time.monotonic() - fed > WATCHDOG_SECONDS:
                return process.send_signal(signal.SIGABRT)
            if len(self.said()) > 20:
                return process.terminate()
        return None

    def close(self) -> None:
        """Close the socket."""
        self._notify.close()

    def said(self) -> list[dict[str, str]]:
        """What it has published."""
        with contextlib.suppress(FileNotFoundError):
            return [json.loads(line) for line in self.out.read_text().splitlines(keepends=True) if line.endswith("\n")]
        return []


@pytest.mark.slow
def test_after_three_crashes_the_model_before_reads_again(tmp_path: Path) -> None:
    with Service(tmp_path) as service:
        registry = ModelRegistry(service.state)
        service.state.mkdir()
        for content in (ONE, TWO):
            registry.accept(service.model, content)
        service.model.write_bytes(TWO)
        assert service.run("crash")[0] == -signal.SIGSEGV
        assert service.run("error")[0] == 1
        status, said = service.run("hang")
        assert status == -signal.SIGABRT, said
        status, said = service.run("crash")
        assert status == 0
    reason = f"{service.model}: crashed the program 3 times in a row; put another model there"
    assert f"edge: {reason} (still using the model before)\n" in said
    assert {one["model"].split()[0] for one in service.said() if "frame" in one} == {"one"}
    (notice,) = (one for one in service.said() if one.get("notice") == "model")
    assert (notice["state"], notice["reason"]) == ("refused", reason)
    assert service.model.read_bytes() == TWO, "the user's file is left as it is"
