"""Downloads of the history: how many at once, and that none keeps the database open after it ended."""

import contextlib
import json
import socket
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.applications import Starlette

from edge.store.store import Store
from edge.types import Notice
from edge.web.bounded_server import BoundedServer, listen
from edge.web.events import MAX_DOWNLOADS, EventRoutes
from edge.web.http import EXCEPTION_HANDLERS
from edge.web.live import MessageStream
from edge.web.operations import routes_of
from edge.web.worker import Worker
from tests.support.patience import patience

EVENTS = 1500
DOWNLOAD = b"GET /api/history HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """A history of some megabytes: more than the kernel takes for a client that does not read."""
    path = tmp_path_factory.mktemp("events") / "events.db"
    with Store(path, device="test") as store:
        for number in range(EVENTS):
            store.append(Notice("camera", "stalled", "v4l2:", datetime.now(UTC), f"{number} {'x' * 6000}"))
    return path


@pytest.fixture
def port(database):
    """Where the routes are served."""
    worker = Worker("test-work")
    routes = routes_of([EventRoutes(database, MessageStream(), worker)])
    listener = listen("127.0.0.1:0", "web")
    application = Starlette(routes=routes, exception_handlers=EXCEPTION_HANDLERS)
    with BoundedServer(application, listener, name="test", most=20):
        yield listener.getsockname()[1]
    assert worker.close(patience(5))


@contextlib.contextmanager
def download(port):
    with socket.create_connection(("127.0.0.1", port), patience(20)) as link:
        link.sendall(DOWNLOAD)
        yield link


def opened(database):
    """How often this process has the database open."""
    names = []
    for number in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            names.append(number.readlink())
    return names.count(database)


def soon(true):
    until = time.monotonic() + patience(20)
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_download_has_all_events(port, database):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/history", timeout=patience(20)) as answer:
        assert answer.status == 200 and 'filename="events.jsonl"' in answer.headers["Content-Disposition"]
        events = [json.loads(line) for line in answer]
    assert [event["reason"].split()[0] for event in events] == [str(number) for number in range(EVENTS)]
    soon(lambda: opened(database) == 0)


def test_few_have_the_database_open_and_more_are_asked_to_come_again(port, database):
    """Warnings are errors: a database that is closed in a wrong thread would fail this test."""
    with contextlib.ExitStack() as stack:
        links = [stack.enter_context(download(port)) for _ in range(MAX_DOWNLOADS)]
        for link in links:
            assert link.recv(100).startswith(b"HTTP/1.1 200")
        with download(port) as more:
            assert more.recv(1000).startswith(b"HTTP/1.1 503")
        assert opened(database) == MAX_DOWNLOADS
    soon(lambda: opened(database) == 0)
    with download(port) as link:
        assert link.recv(100).startswith(b"HTTP/1.1 200")
