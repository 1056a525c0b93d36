"""A whole ``edge run`` with the live page, for tests that send it requests."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.patience import patience

ROOT = Path(__file__).parents[2]


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


def lowered(headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@dataclass
class Device:
    """A running ``edge run``."""

    port: int
    process: subprocess.Popen
    state: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def ask(self, path: str, data: bytes | None = None, method: str | None = None, **headers: str) -> Answer:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url.rstrip("/") + path, data, fields, method=method)
        try:
            with urllib.request.urlopen(request, timeout=patience(30)) as answer:
                return Answer(answer.status, lowered(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, lowered(error.headers), error.read())

    def tokens(self) -> dict[str, str]:
        return json.loads((self.state / "web-tokens.json").read_text())


def edge_run(folder: Path, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    """Start an ``edge run`` in a folder, with its state there; ``options`` are those of Popen."""
    return subprocess.Popen(
        [sys.executable, "-m", "edge.cli", "run", "--state", str(folder / "state"), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=folder,
        **options,
    )


@contextlib.contextmanager
def device(
    folder: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    source: str = "synthetic:?fps=15&hold=30",
    publish: str = "",
    name: str = "",
    has_camera: bool = True,
) -> Iterator[Device]:
    """Start an ``edge run`` with a synthetic camera and the live page; port 0 is any free port.

    Fails if it prints anything on stderr but the page's address, unless it has no camera.
    """
    process = edge_run(
        folder, "--source", source, "--web", f"{host}:{port}",
        "--publish", publish or f"jsonl:{folder / 'out.jsonl'}?what=events", *(["--device", name] if name else []),
    )  # fmt: skip
    assert process.stderr
    line = process.stderr.readline()
    assert "the live page is at http://" in line, line
    running = Device(int(line.strip().rstrip("/").rpartition(":")[2]), process, folder / "state")
    try:
        end = time.monotonic() + patience(30)
        while has_camera and running.ask("/healthz").status != 200 and time.monotonic() < end:
            time.sleep(0.05)
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(patience(20)) == 0
        rest = list(process.stderr)
        process.stderr.close()
        assert not (rest and has_camera), rest
