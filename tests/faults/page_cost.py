"""Measures what the live page costs the loop, and how fast it is: ``python -m tests.faults.page_cost``.

The loop's time per frame (all stages but the wait for the frame, from the metrics) is compared with that of a second
device that runs at the same time, without viewers or without the page. Other load on the machine affects both.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from edge.handwriting import rendering

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PAGE = Path(__file__).parent.parent.parent / "edge" / "web" / "page"
PAGE_FRAMES, FPS = 1_000_000, 20


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Device:
    """An ``edge run`` that reads one page of six digits, with metrics or the live page, or both."""

    def __init__(self, folder: Path, *, web: bool, metrics: bool, fps: int) -> None:
        self.web, self.metrics = free_port() if web else 0, free_port() if metrics else 0
        command = [
            sys.executable, "-m", "edge.cli", "run", "--source", f"synthetic:?fps={fps}&hold={PAGE_FRAMES}",
            # Each frame is read, because unchanged frames cost almost nothing and would make viewers look expensive.
            "--track.still", "0", "--state", str(folder), "--publish", f"jsonl:{folder / 'out'}?what=events",
            *(["--web", f"127.0.0.1:{self.web}"] if web else []),
            *(["--metrics", f"127.0.0.1:{self.metrics}"] if metrics else []),
        ]  # fmt: skip
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def close(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def work_time(self) -> tuple[float, int]:
        """Seconds of work on all frames so far, without the waiting, and the number of frames."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}/metrics") as answer:
            text = answer.read().decode()
        sums = {name: float(value) for name, value in re.findall(r'stage_seconds_sum\{stage="(\w+)"\} (\S+)', text)}
        many = re.search(r'stage_seconds_count\{stage="clean"\} (\S+)', text)
        return sum(sums.values()) - sums["capture"], int(float(many[1])) if many else 0

    def memory(self) -> float:
        """MiB of the process: private memory and its share of shared memory (PSS)."""
        text = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1]) / 1024  # type: ignore[index]


@contextlib.contextmanager
def device(*, web: bool, metrics: bool = True, fps: int = FPS) -> Iterator[Device]:
    with tempfile.TemporaryDirectory() as folder:
        one = Device(Path(folder), web=web, metrics=metrics, fps=fps)
        try:
            time.sleep(4)
            yield one
        finally:
            one.close()


@contextlib.contextmanager
def viewers(port: int, count: int) -> Iterator[None]:
    """Viewers of the live stream, in a process of their own."""
    code = (
        "import sys, threading, urllib.request\n"
        "def look():\n"
        "    with urllib.request.urlopen(f'http://127.0.0.1:{sys.argv[1]}/api/live') as lines:\n"
        "        while lines.read(65536): pass\n"
        "for _ in range(int(sys.argv[2])): threading.Thread(target=look, daemon=True).start()\n"
        "sys.stdin.read()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(port), str(count)], stdin=subprocess.PIPE)
    try:
        time.sleep(1)
        yield
    finally:
        process.kill()
        process.wait()


def ratio(one: Device, other: Device, seconds: float) -> float:
    """Time per frame of one device divided by that of the other, over the next ``seconds``."""
    before = one.work_time(), other.work_time()
    time.sleep(seconds)
    took = [
        (ended - began) / (last - first)
        for (began, first), (ended, last) in zip(before, (one.work_time(), other.work_time()), strict=True)
    ]
    return took[0] / took[1]


def print_ratios(what: str, ratios: list[float]) -> None:
    low, middle, high = statistics.quantiles(ratios, n=4)
    print(
        f"{what}: a frame takes {middle:.3f} times as long (median of {len(ratios)}; quartiles {low:.3f}, {high:.3f})"
    )


def measure_viewers(rounds: int, seconds: float, many: int) -> None:
    ratios = []
    with device(web=True) as one, device(web=True) as other:
        for n in range(rounds):
            seen, unseen = (one, other) if n % 2 else (other, one)
            with viewers(seen.web, many):
                ratios.append(ratio(seen, unseen, seconds))
            time.sleep(0.5)
    print_ratios(f"{many} viewers", ratios)


def measure_unused_page(rounds: int, seconds: float) -> None:
    ratios = []
    for n in range(rounds):
        with device(web=n % 2 == 0) as one, device(web=n % 2 == 1) as other:
            with_page, without = (one, other) if one.web else (other, one)
            ratios.append(ratio(with_page, without, seconds))
    print_ratios("no viewers", ratios)
    memory: dict[bool, list[float]] = {True: [], False: []}
    for web in (False, True) * 3:
        with device(web=web, metrics=False) as one:
            time.sleep(4)
            memory[web].append(one.memory())
    more = statistics.median(memory[True]) - statistics.median(memory[False])
    print(f"no viewers: {more:.1f} MiB more, of {statistics.median(memory[True]):.1f} MiB")


def measure_reads(many: int, fps: int) -> None:
    ink, _ = rendering.page(["235789"], 480, 640, np.random.default_rng(1))
    picture = cv2.imencode(".jpg", 225 - ink // 2)[1].tobytes()
    with device(web=True, fps=fps) as one:
        link, took = http.client.HTTPConnection("127.0.0.1", one.web), []
        for _ in range(many):
            began = time.perf_counter()
            link.request("POST", "/api/read", picture)
            answer = link.getresponse()
            assert answer.status == 200 and b'"235789"' in answer.read()
            took.append(1000 * (time.perf_counter() - began))
            time.sleep(0.01)
        link.close()
    found = statistics.quantiles(took, n=100)
    print(
        f"POST /api/read, 640x480: p50 {found[49]:.1f}, p95 {found[94]:.1f}, p99 {found[98]:.1f} ms"
        f" ({many} one after another, the loop at {fps} frames per second)"
    )


def measure_first_picture(rounds: int) -> None:
    if not CHROMIUM:
        print("first picture: not measured; chromium is not installed")
        return
    from playwright.sync_api import sync_playwright

    took = []
    with sync_playwright() as driver, device(web=True) as one:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(rounds):
            with browser.new_context() as context:
                page = context.new_page()
                began = time.perf_counter()
                page.goto(f"http://127.0.0.1:{one.web}/", wait_until="commit")
                page.wait_for_selector("#live-picture img:not([hidden])")
                took.append(time.perf_counter() - began)
        browser.close()
    print(f"first picture: median {statistics.median(took):.2f} s, worst {max(took):.2f} s of {rounds}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=6.0)
    given = parser.parse_args()
    size = sum(path.stat().st_size for path in PAGE.iterdir())
    print(f"page: {size / 1000:.1f} KB in total, {', '.join(sorted(path.name for path in PAGE.iterdir()))}")
    measure_first_picture(given.rounds)
    for fps in (1, FPS):
        measure_reads(500, fps)
    measure_viewers(given.rounds, given.seconds, 10)
    measure_unused_page(given.rounds, given.seconds)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
