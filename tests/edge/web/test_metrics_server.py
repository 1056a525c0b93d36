"""The server of the metrics: what it answers, where it listens, and that few can keep it busy."""

import http.client
import re
import socket
import time
from collections.abc import Iterator

import pytest

from edge.cli import main
from edge.errors import PublishError
from edge.web.server import MAX_METRICS_CONNECTIONS, MetricsServer
from tests.support.patience import patience


@pytest.fixture
def server() -> Iterator[MetricsServer]:
    with MetricsServer("127.0.0.1:0", lambda: b"edge_digits_frames_total 7\n") as made:
        yield made


def ask(port: int, path: str = "/metrics", method: str = "GET") -> tuple[int, str, bytes]:
    """Status, media type, body."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=patience(20))
    link.request(method, path)
    answer = link.getresponse()
    said = answer.status, answer.headers["Content-Type"], answer.read()
    link.close()
    return said


def test_it_answers_as_prometheus_wants(server: MetricsServer) -> None:
    status, kind, body = ask(server.port)
    assert (status, body) == (200, b"edge_digits_frames_total 7\n")
    assert kind.startswith("text/plain; version=0.0.4")
    assert ask(server.port, "/")[0] == 200 and ask(server.port, "/other")[0] == 404


def test_it_is_only_asked(server: MetricsServer) -> None:
    assert {ask(server.port, method=method)[0] for method in ("POST", "PUT", "DELETE")} == {405}


def test_idle_connections_do_not_keep_it_busy(server: MetricsServer) -> None:
    idle = [socket.create_connection(("127.0.0.1", server.port), 20) for _ in range(3 * MAX_METRICS_CONNECTIONS)]
    begun = time.monotonic()
    assert ask(server.port)[0] == 200 and time.monotonic() - begun < 3
    for link in idle:
        link.close()


def test_a_port_that_is_taken_is_one_line(server: MetricsServer, capfd) -> None:  # type: ignore[no-untyped-def]
    address = f"127.0.0.1:{server.port}"
    with pytest.raises(PublishError, match=f"{address}: cannot listen there .*in use"):
        MetricsServer(address, bytes)
    assert main(["run", "--source", "synthetic:", "--frames", "1", "--metrics", address]) == 1
    out, error = capfd.readouterr()
    assert out == ""
    assert re.fullmatch(f"edge: metrics: {address}: .*\n", error)


def test_it_listens_where_it_is_told_and_ends() -> None:
    made = MetricsServer("127.0.0.1:0", bytes)
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.2", made.port), 5)
    made.close()
    made.close()
    with pytest.raises(ConnectionError):
        socket.create_connection(("127.0.0.1", made.port), 5)
