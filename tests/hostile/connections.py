"""Opens thousands of connections to a device with few descriptors: ``python -m tests.hostile.connections``.

From the first moment on, an ``edge run`` with 1,024 open files allowed gets idle connections to its metrics, viewers of
``/api/live`` that do not read, and bare connections to its page, in steps. Meanwhile ``/healthz`` is asked.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import resource
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.web import edge_run

OPEN_FILES = 1024
"""The limit of the device's open files."""
STEP = 300
"""Bare connections that are opened at once."""
HELD = 10 * STEP
"""Bare connections that are held open at once: the rest of them is closed, the oldest first."""
ASKERS = 8
"""How many ask ``/healthz`` at once, again and again."""
ASK_SECONDS = 0.02
"""Pause between two questions of one of them."""
ANSWER_SECONDS = 5.0
"""An answer that takes longer than this does not count."""


@dataclass
class Seen:
    """What was seen while the connections came."""

    connections: int = 0
    """Bare connections that were opened."""
    descriptors: int = 0
    """Most open descriptors of the device."""
    threads: int = 0
    """Most threads of the device."""
    memory: int = 0
    """Most memory of the device, MiB."""
    answers: list[tuple[bool, float]] = field(default_factory=list)
    """Of each question to ``/healthz``: whether it was answered, and after how many seconds."""
    scraped: bool = False
    """Whether the metrics could be had at the end, with all these connections open."""
    events: int = 0
    """Events in the store at the end."""
    status: int | None = None
    """The device's exit status."""
    said: list[str] = field(default_factory=list)
    """What it printed on stderr, without the page's address."""

    @property
    def share(self) -> float:
        """Share of the questions that were answered, 0 to 1."""
        return sum(answered for answered, _ in self.answers) / max(1, len(self.answers))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def small_device(
    folder: Path, web: int, metrics: int, *, open_files: int = OPEN_FILES, more: Sequence[str] = ()
) -> Iterator[subprocess.Popen[str]]:
    """An ``edge run`` on a synthetic camera that may open few files; its page and its metrics are at these ports."""

    def few_files() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, open_files))

    process = edge_run(
        folder, "--source", "synthetic:?fps=10&hold=5", "--web", f"127.0.0.1:{web}",
        "--metrics", f"127.0.0.1:{metrics}", "--publish", f"jsonl:{folder / 'out'}?what=events", *more,
        preexec_fn=few_files,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()


def connect(port: int, source: str = "127.0.0.1") -> socket.socket:
    """A connection from an address of this machine to a port; waits until something listens there."""
    until = time.monotonic() + 60
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 5, (source, 0))
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


def ask(port: int, path: str) -> tuple[int, bytes]:
    """Status and body of a GET request on a connection of its own."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    with contextlib.closing(link):
        link.request("GET", path, headers={"Connection": "close"})
        answer = link.getresponse()
        return answer.status, answer.read()


def bare(port: int) -> socket.socket:
    """A connection that is only begun, without waiting for it."""
    link = socket.socket()
    link.setblocking(False)
    link.connect_ex(("127.0.0.1", port))
    return link


def many(folder: str) -> int:
    """How many entries a folder has."""
    return len(list(Path(folder).iterdir()))


def peak_memory(process: int) -> int:
    """The most memory that a process had, MiB (VmHWM of proc_pid_status(5)); 0 if it has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) // 1024
    return 0


def attack(folder: Path, *, connections: int, viewers: int = 64, metrics_connections: int = 300) -> Seen:
    """Start a device, open that many connections to it while it starts and runs, and stop it."""
    web, metrics, seen = free_port(), free_port(), Seen()
    over = threading.Event()

    def ask_on() -> None:
        while not over.is_set():
            begun, answered = time.monotonic(), False
            with contextlib.suppress(OSError, http.client.HTTPException):
                # 503 is an answer too: no frame was read yet.
                answered = ask(web, "/healthz")[0] in (200, 503)
            seen.answers.append((answered, time.monotonic() - begun))
            over.wait(ASK_SECONDS)

    with small_device(folder, web, metrics) as process:

        def measure_on() -> None:
            while not over.is_set():
                with contextlib.suppress(OSError):
                    seen.descriptors = max(seen.descriptors, many(f"/proc/{process.pid}/fd"))
                    seen.threads = max(seen.threads, many(f"/proc/{process.pid}/task"))
                time.sleep(0.005)

        links = [connect(metrics) for _ in range(metrics_connections)]
        links += [connect(web) for _ in range(viewers)]
        for link in links[metrics_connections:]:
            with contextlib.suppress(OSError):
                link.sendall(b"GET /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        helpers = [threading.Thread(target=work) for work in [measure_on] + ASKERS * [ask_on]]
        for helper in helpers:
            helper.start()
        held: list[socket.socket] = []
        while seen.connections < connections and process.poll() is None:
            # Often several steps at once: more than the device accepts between two looks at its other work.
            step = min(STEP if seen.connections % (4 * STEP) else 5 * STEP, connections - seen.connections)
            held += [bare(web) for _ in range(step)]
            seen.connections += step
            for link in held[:-HELD]:
                link.close()
            held = held[-HELD:]
            time.sleep(0.4)
        time.sleep(1)
        over.set()
        for helper in helpers:
            helper.join()
        with contextlib.suppress(OSError, http.client.HTTPException):
            seen.scraped = b"edge_digits_frames_total" in ask(metrics, "/metrics")[1]
        seen.memory = peak_memory(process.pid)
        for link in [*links, *held]:
            link.close()
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
            seen.events = len(json.loads(ask(web, "/api/events?last=1000")[1])["events"])
        process.send_signal(signal.SIGTERM)
        seen.status = process.wait(30)
        seen.said = [line for line in process.stderr or () if "the live page is at" not in line]
    return seen


def main() -> None:
    """Print a table of what was seen."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.connections", description=__doc__)
    parser.add_argument("--connections", type=int, default=20_000, help="bare connections (default 20000)")
    asked = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 10_000)), hard))
    with tempfile.TemporaryDirectory() as folder:
        seen = attack(Path(folder), connections=asked.connections)
    print(f"bare connections            {seen.connections:,}")
    print(f"most descriptors            {seen.descriptors} of {OPEN_FILES:,}")
    print(f"most threads                {seen.threads}")
    print(f"most memory                 {seen.memory} MiB")
    print(f"/healthz answered           {seen.share:.1%} of {len(seen.answers)}")
    print(f"its slowest answer          {max(seconds for _, seconds in seen.answers):.2f} s")
    print(f"metrics at the end          {'yes' if seen.scraped else 'no'}")
    print(f"events stored               {seen.events}")
    print(f"exit status                 {seen.status}")
    print(f"lines on stderr             {len(seen.said)}")
    for line in seen.said[:5]:
        print(f"  {line.strip()[:160]}")


if __name__ == "__main__":
    main()
