"""The bounded server with small applications: how many connections it has, and which of them it ends."""

import asyncio
import contextlib
import gc
import http.client
import resource
import socket
import sys
import threading
import time
from unittest.mock import Mock

import pytest

from edge.web import bounded_server, connection
from edge.web.bounded_server import BoundedServer, affordable, listen
from tests.hostile.connections import many
from tests.support.patience import patience

MOST = 12
LARGE = bytes(range(256)) * 40_000
"""More than the kernel takes at once, bytes."""
MANY = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3000


class Application:
    """Answers ``/``; at ``/stream`` it sends for ever, at ``/slow`` it waits for a body that never comes, and at
    ``/large`` and ``/late`` it answers with much, or after a while."""

    async def __call__(self, scope, receive, send):
        if scope["path"] == "/slow":
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        if scope["path"] == "/late":
            await asyncio.sleep(0.2)
        endless = scope["path"] == "/stream"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while endless:
            await send({"type": "http.response.body", "body": b"x" * 50_000, "more_body": True})
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": LARGE if scope["path"] == "/large" else b"here"})


@pytest.fixture
def serving(monkeypatch):
    """Serves the application, with short deadlines; returns the server and its port."""
    with contextlib.ExitStack() as stack:

        def serve(request_seconds=5.0, write_seconds=10.0, application=None):
            for module in (bounded_server, connection):
                monkeypatch.setattr(module, "REQUEST_SECONDS", request_seconds)
            monkeypatch.setattr(bounded_server, "WRITE_SECONDS", write_seconds)
            listener = listen("127.0.0.1:0", "web")
            port = listener.getsockname()[1]
            server = BoundedServer(application or Application(), listener, name="test", most=MOST)
            stack.enter_context(server)
            return server, port

        yield serve


def connect(port, path="", source="127.0.0.1"):
    link = socket.create_connection(("127.0.0.1", port), patience(20), source_address=(source, 0))
    if path:
        link.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n".encode())
    return link


def ask(port, source="127.0.0.1"):
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=patience(20), source_address=(source, 0))
    with contextlib.closing(link):
        link.request("GET", "/")
        return link.getresponse().read()


def ended(link):
    """Whether the server has ended this connection."""
    link.setblocking(False)
    try:
        return link.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def soon(true):
    until = time.monotonic() + patience(20)
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_there_are_never_more_connections_than_allowed(serving):
    _, port = serving()
    assert ask(port) == b"here"
    before = many("/proc/self/fd")
    links = [connect(port) for _ in range(5 * MOST)]
    most = 0
    for _ in range(20):
        # The other ends are descriptors of this process too.
        most = max(most, many("/proc/self/fd") - before - len(links))
        time.sleep(0.02)
    assert most <= MOST + 2
    assert ask(port) == b"here"
    for link in links:
        link.close()


def test_the_client_that_has_most_connections_loses_one(serving):
    _, port = serving()
    one = connect(port, source="127.0.0.9")
    time.sleep(0.1)
    links = [connect(port) for _ in range(2 * MOST)]
    soon(lambda: sum(map(ended, links)) >= MOST)
    assert not ended(one)
    for link in [one, *links]:
        link.close()


def test_a_client_with_busy_connections_gets_no_more_and_leaves_room_for_others(serving):
    _, port = serving()
    busy = [connect(port, "/slow") for _ in range(MOST)]
    time.sleep(0.3)
    more = connect(port)
    soon(lambda: ended(more))
    assert not any(map(ended, busy))
    for number in range(3):
        assert ask(port, source=f"127.0.0.{20 + number}") == b"here"
    soon(lambda: any(map(ended, busy)))
    for link in [*busy, more]:
        link.close()
    soon(lambda: ask(port) == b"here")


def test_clients_that_share_the_connections_keep_busy_ones(serving):
    _, port = serving()
    busy = [connect(port, "/slow", source=f"127.0.0.{20 + number}") for number in range(MOST)]
    time.sleep(0.3)
    more = connect(port)
    soon(lambda: ended(more))
    assert not any(map(ended, busy))
    for link in [*busy, more]:
        link.close()


def test_who_asks_ahead_and_reads_nothing_does_not_keep_others_out(serving):
    _, port = serving()
    stopping = threading.Event()

    def ask_ahead():
        links = []
        while not stopping.is_set():
            links = [link for link in links if not ended(link)]
            with contextlib.suppress(OSError):
                while len(links) < MOST:
                    links.append(connect(port, source="127.0.0.5"))
                    links[-1].setblocking(False)
                    links[-1].send(MANY)
            time.sleep(0.01)
        for link in links:
            link.close()

    attacker = threading.Thread(target=ask_ahead)
    attacker.start()
    try:
        time.sleep(0.5)
        answers = [ask(port) for _ in range(30)]
    finally:
        stopping.set()
        attacker.join()
    assert answers == [b"here"] * 30


@pytest.mark.parametrize("kept", ["keep-alive", "close"])
def test_a_slow_reader_gets_a_large_answer_whole(serving, kept):
    server, port = serving(request_seconds=0.3)
    link = socket.socket()
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    link.settimeout(patience(20))
    link.connect(("127.0.0.1", port))
    link.sendall(f"GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: {kept}\r\n\r\n".encode())
    soon(lambda: server._server.server_state.connections)
    many_idle = [connect(port) for _ in range(2 * MOST)]
    received, begun = bytearray(), time.monotonic()
    while not received.endswith(b"0\r\n\r\n") and (part := link.recv(200_000)):
        received += part
        time.sleep(0.02)
    assert time.monotonic() - begun > 0.6, "not so fast that it shows nothing"
    assert len(received) > len(LARGE)
    for one in [link, *many_idle]:
        one.close()


def test_who_says_that_no_more_comes_is_still_answered(serving):
    server, port = serving()
    for path, body, answered in (("/late", "{}", True), ("/slow", "{", False)):
        link = connect(port)
        link.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{body}".encode())
        link.shutdown(socket.SHUT_WR)
        answer = b""
        while part := link.recv(1000):
            answer += part
        assert (b"here" in answer) == answered
        link.close()
    soon(lambda: not server._server.server_state.connections)


def test_who_does_not_read_is_disconnected(serving):
    server, port = serving(write_seconds=0.5)
    link = connect(port, "/stream")
    connections = server._server.server_state.connections
    soon(lambda: len(connections) == 1)
    soon(lambda: not connections)
    link.close()


def test_who_reads_slowly_stays_connected(serving):
    _, port = serving(write_seconds=0.5)
    link = connect(port, "/stream")
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        assert link.recv(500_000)
        time.sleep(0.02)
    link.close()


def test_a_head_that_trickles_in_is_not_waited_for(serving):
    _, port = serving(request_seconds=0.5)
    link = connect(port)
    begun = time.monotonic()
    with pytest.raises(OSError):
        for letter in b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 1000:
            link.sendall(bytes([letter]))
            time.sleep(0.02)
    assert time.monotonic() - begun < patience(5)
    link.close()


@pytest.mark.parametrize(
    ("open_files", "most"), [(resource.RLIM_INFINITY, 64), (1024, 64), (256, 64), (200, 36), (64, 8)]
)
def test_a_low_limit_of_open_files_allows_fewer(monkeypatch, open_files, most):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (open_files, open_files))
    assert affordable(64) == most


def test_a_server_that_gets_no_sockets_or_thread_fails_at_once_and_quietly(monkeypatch):
    unheard = []
    monkeypatch.setattr(sys, "unraisablehook", unheard.append)

    for owner, name, error in ((socket, "socketpair", OSError), (threading.Thread, "start", RuntimeError)):
        listener = listen("127.0.0.1:0", "web")
        with monkeypatch.context() as bad:
            bad.setattr(owner, name, Mock(side_effect=error))
            with pytest.raises(error):
                BoundedServer(Application(), listener, name="test", most=MOST)
        gc.collect()
        assert listener.fileno() == -1 and not unheard
