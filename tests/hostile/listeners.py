"""Real programs that listen to a broker, for messages that are sent to harm them."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.hostile.large_messages import memory, reset_peak
from tests.support.mosquitto import PATIENCE, Listener, eventually

ROOT = Path(__file__).parents[2]


class Running:
    """A real ``edge run`` or ``edge watch`` as a client of a broker; its output goes to a file."""

    def __init__(self, folder: Path, command: list[str]) -> None:
        folder.mkdir(exist_ok=True)
        self.out, self.error = folder / "out", folder / "error"
        with self.out.open("wb") as out, self.error.open("wb") as error:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "edge.cli", *command],
                stdout=out,
                stderr=error,
                env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
            )
        self.held = 0.0

    def lines(self) -> list[dict[str, Any]]:
        """What it has written so far, each line an object."""
        return [json.loads(line) for line in self.out.read_text().splitlines(keepends=True) if line.endswith("\n")]

    def goes_on(self, more: int = 2, seconds: float = PATIENCE) -> float:
        """Wait until it has written more lines; gives the seconds that took."""
        start, before = time.monotonic(), len(self.lines())
        eventually(lambda: self._alive() and len(self.lines()) >= before + more, seconds)
        return time.monotonic() - start

    def _alive(self) -> bool:
        assert self.process.poll() is None, self.error.read_text()
        return True

    def forget_peak(self) -> None:
        """Measure ``growth`` from now on."""
        self.held = reset_peak(self.process.pid)

    def growth(self) -> float:
        """Peak memory above what it held at ``forget_peak``, in MB."""
        return memory(self.process.pid) - self.held

    def close(self) -> str:
        """End it; gives what it has logged."""
        self.process.terminate()
        self.process.wait(PATIENCE)
        return self.error.read_text()


def obeys(client: Listener, seconds: float = PATIENCE) -> None:
    """Wait until the device ``desk`` of ``edge_run`` obeys a command, which comes after all messages sent before.

    ``client`` is subscribed to ``home/desk/threshold``.
    """
    value = f"0.{secrets.randbelow(10**6) + 1}"

    def is_obeyed() -> bool:
        # Again, as it may be connecting.
        client.say("home/desk/set/threshold", value)
        time.sleep(0.1)
        said = [message.payload for message in client.all() if message.topic == "home/desk/threshold"]
        return value.rstrip("0").encode() in said

    eventually(is_obeyed, seconds)


def edge_run(folder: Path, port: int, version: int, state: str = "state") -> Running:
    """A device ``desk`` below ``home/`` that reads a page of one digit, and another one twice a second."""
    return Running(
        folder,
        [
            *("run", "--device", "desk", "--state", str(folder / state)),
            *("--source", "synthetic:?fps=8&size=160x120&digits=1&hold=8&difficulty=0"),
            *("--publish", f"mqtt://127.0.0.1:{port}/home?version={version}", "--publish", "jsonl:-"),
        ],
    )


def edge_watch(folder: Path, port: int, version: int) -> Running:
    """``edge watch`` of all devices below ``home/``."""
    return Running(folder, ["watch", "--json", f"mqtt://127.0.0.1:{port}/home?version={version}"])
