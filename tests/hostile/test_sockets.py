"""A real ``edge run`` that may open few files, and those who connect to it and do harm."""

import contextlib
import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.hostile.connections import ask, attack, connect, free_port, many, small_device
from tests.support.patience import patience
from tests.support.web import ROOT

pytestmark = pytest.mark.slow
STREAM = b"GET /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
SLOW_LOGIN = b"POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n"
MOST_DESCRIPTORS = 150


@contextlib.contextmanager
def running(folder, **options):
    """A device that has a frame; it must end well and print nothing but its address."""
    web, metrics = free_port(), free_port()
    with small_device(folder, web, metrics, **options) as process:
        connect(web).close()
        until = time.monotonic() + patience(30)
        while ask(web, "/healthz")[0] != 200:
            assert time.monotonic() < until
            time.sleep(0.1)
        yield process, web, metrics
        process.terminate()
        assert process.wait(patience(20)) == 0
        assert [line for line in process.stderr if "the live page is at" not in line] == []


def descriptors(process):
    return many(f"/proc/{process.pid}/fd")


def test_connections_from_a_cold_start(tmp_path):
    seen = attack(tmp_path, connections=3000)
    assert (seen.status, seen.said, seen.scraped) == (0, [], True)
    assert seen.descriptors <= MOST_DESCRIPTORS and seen.threads <= 16
    assert seen.share >= 0.99 and seen.events


def test_stalled_viewers_and_slow_logins_leave_room_for_those_who_watch_the_device(tmp_path):
    with running(tmp_path) as (process, web, metrics):
        busy = [connect(web) for _ in range(64)]
        for number, link in enumerate(busy):
            link.sendall(STREAM if number % 2 else SLOW_LOGIN)
        time.sleep(0.5)
        for _ in range(10):
            begun = time.monotonic()
            assert ask(web, "/healthz")[0] == ask(web, "/metrics")[0] == ask(metrics, "/metrics")[0] == 200
            assert time.monotonic() - begun < patience(2)
        status, body = ask(web, "/api/status")
        assert status == 503 and "too many requests" in json.loads(body)["error"]
        assert descriptors(process) <= MOST_DESCRIPTORS
        for link in busy:
            link.close()
        until = time.monotonic() + patience(10)
        while ask(web, "/api/status")[0] != 200:
            assert time.monotonic() < until
            time.sleep(0.1)


def test_one_client_leaves_the_page_to_others(tmp_path):
    with running(tmp_path) as (_, web, _):
        busy = [connect(web, source="127.0.0.66") for _ in range(64)]
        for link in busy:
            with contextlib.suppress(OSError):
                link.sendall(STREAM)
        time.sleep(0.5)
        assert ask(web, "/api/status")[0] == 200
        for link in busy:
            link.close()


def test_downloads_that_are_not_read_do_not_hold_the_store(tmp_path):
    with running(tmp_path) as (process, web, _):
        for _ in range(3):
            links = [connect(web) for _ in range(30)]
            for link in links:
                link.sendall(b"GET /api/history HTTP/1.1\r\nHost: localhost\r\n\r\n")
            time.sleep(0.3)
            assert descriptors(process) <= MOST_DESCRIPTORS
            for link in links:
                link.close()
        assert ask(web, "/api/history")[0] == 200


def test_viewers_who_come_and_go_leave_nothing_behind(tmp_path):
    with running(tmp_path) as (process, web, _):
        for round_of_viewers in range(15):
            links = [connect(web) for _ in range(20)]
            for link in links:
                link.sendall(STREAM)
            for link in links:
                assert link.recv(1000).startswith(b"HTTP/1.1 200")
            for link in links:
                link.close()
            if not round_of_viewers:
                before = descriptors(process)
        until = time.monotonic() + patience(10)
        while descriptors(process) > before:
            assert time.monotonic() < until
            time.sleep(0.1)


def test_with_few_files_it_still_reads_and_answers(tmp_path):
    with running(tmp_path, open_files=64) as (process, web, _):
        links = [connect(web) for _ in range(100)]
        assert ask(web, "/healthz")[0] == 200 and descriptors(process) < 60
        for link in links:
            link.close()


def test_nothing_is_imported_for_the_first_time_by_a_request(tmp_path):
    folder, web, metrics = tmp_path / "state", free_port(), free_port()
    command = [
        sys.executable, "-X", "importtime", "-m", "edge.cli", "run", "--source", "synthetic:?fps=10&hold=5",
        "--web", f"127.0.0.1:{web}", "--metrics", f"127.0.0.1:{metrics}", "--state", str(folder), "--publish",
        f"jsonl:{tmp_path / 'out'}",
    ]  # fmt: skip
    log = tmp_path / "log"
    with log.open("w") as stderr:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr, cwd=ROOT)
    connect(web).close()
    while ask(web, "/healthz")[0] != 200:
        time.sleep(0.1)
    time.sleep(1)
    before = log.read_text()
    token = json.loads((folder / "web-tokens.json").read_text())["change"]
    picture = next((ROOT / "docs" / "page").glob("*.png")).read_bytes()
    requests = [
        *[("GET", path, None) for path in ("/", "/page/page.js", "/healthz", "/metrics", "/api/openapi.json")],
        *[("GET", path, None) for path in ("/api/status", "/api/reading", "/api/events", "/api/corrections")],
        *[("GET", f"/api/history?{query}", None) for query in ("", "format=csv&since=1h", "since=x", "last=0")],
        *[("GET", f"/api/vision{path}", None) for path in ("", "/preview?median=3", "/preview?median=99")],
        *[("GET", path, None) for path in ("/api/vision/preview?medain=3", "/nothing")],
        ("POST", "/api/read?stages", picture), ("POST", "/api/read", b"hello"), ("POST", "/api/read", b""),
        ("PUT", "/api/vision", b'{"median": 3}'), ("PUT", "/api/vision", b'{"median": true}'),
        ("POST", "/api/vision/back", b""), ("POST", "/api/login", b'{"token": "x"}'),
        ("POST", "/api/corrections", b'{"label": 7}'), ("DELETE", "/api/corrections/1", None),
    ]  # fmt: skip
    for method, path, body in requests:
        headers = {"Authorization": f"Bearer {token}"}
        request = urllib.request.Request(f"http://127.0.0.1:{web}{path}", body, headers, method=method)
        with contextlib.suppress(urllib.error.HTTPError):
            urllib.request.urlopen(request, timeout=patience(20)).close()
    with connect(web) as link:
        link.sendall(STREAM)
        assert link.recv(100)
    late = [line.rpartition("|")[2].strip() for line in log.read_text()[len(before) :].splitlines()]
    process.terminate()
    assert process.wait(patience(20)) == 0
    assert late == []


def test_the_unit_limits_open_files():
    unit = (Path(ROOT) / "systemd" / "edge.service").read_text()
    assert "\nLimitNOFILE=1024\n" in unit
