"""The webhook, against real HTTP servers on 127.0.0.1, good and bad ones."""

import base64
import contextlib
import hmac
import json
import logging
import socket
import ssl
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

from edge.controls import Program
from edge.errors import BusyError, PublishError, SettingsError
from edge.publishers import find_channel, open_publisher, webhook
from edge.publishers.webhook import Webhook, public_name, retry_after_seconds, signature, split
from edge.store.store import Store
from edge.types import Notice
from tests.support.patience import patience

PROGRAM = Program(device="shed")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Entry(NamedTuple):
    position: int
    boot_id: str = "3f2a"
    seq: int = 7
    text: str = '{"event": "appeared", "text": "42", "source": "dé.jpg"}'


class Far:
    """A server that gives the answers it is told, then always 200, and records the requests."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.answers: deque[Callable[[BaseHTTPRequestHandler], None]] = deque()
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.connections = 0
        far = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                far.connections += 1
                super().setup()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                far.got.append((self.path, dict(self.headers), body))
                far.answers.popleft()(self) if far.answers else answer(200)(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: object, client: object) -> None:
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def answer(status: int, body: bytes = b"", **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def write(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return write


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def half_an_answer(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 2")
    handler.close_connection = True


def garbage(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"\x16\x03\x01 SSH-2.0-OpenSSH_9.2\r\n\r\n")
    handler.close_connection = True


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Send a byte now and then: the answer takes a minute."""
    with contextlib.suppress(OSError):
        for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 1000 + b"\r\nContent-Length: 0\r\n\r\n":
            handler.wfile.write(bytes([byte]))
            time.sleep(0.05)
    handler.close_connection = True


def hang(handler: BaseHTTPRequestHandler) -> None:
    """An answer after a minute, or none where the other side has gone."""
    handler.connection.settimeout(patience(60))
    with contextlib.suppress(OSError):
        if handler.rfile.read(1) == b"":
            return
        answer(200)(handler)


@pytest.fixture
def far() -> Iterator[Far]:
    server = Far()
    yield server
    server.close()


@pytest.fixture
def hook(far: Far) -> Iterator[Webhook]:
    channel = Webhook(f"http://127.0.0.1:{far.port}/in?key=abc", PROGRAM)
    channel.connect()
    yield channel
    channel.close()


def test_a_signature_is_that_of_the_published_examples():
    """Those of Svix' documentation ("Verifying webhooks manually") and of Standard Webhooks' own libraries."""
    secret = base64.b64decode("plJ3nmyCDGBKInavdOK15jsl")
    body = b'{"event_type":"ping","data":{"success":true}}'
    wanted = "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="
    assert signature(secret, "msg_loFOjxBNrRLzqYUf", 1731705121, body) == wanted
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    wanted = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}') == wanted


def test_an_event_is_posted_as_it_is_stored(far, hook):
    entries = [Entry(1, seq=7), Entry(2, seq=8)]
    assert list(hook.send(entries)) == ["", ""]
    assert [path for path, _, _ in far.got] == ["/in?key=abc"] * 2
    assert [body.decode() for _, _, body in far.got] == [entry.text for entry in entries]
    headers = far.got[0][1]
    assert headers["Content-Type"] == "application/json"
    assert headers["webhook-id"] == "3f2a-7"
    assert headers["Idempotency-Key"] == '"3f2a-7"'
    assert headers["User-Agent"].startswith("edge-digits/")
    assert "webhook-signature" not in headers
    assert far.connections == 1


def test_a_request_is_signed_with_the_secret_of_a_file(far, tmp_path):
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")
    channel = Webhook(f"http://127.0.0.1:{far.port}/", PROGRAM, secret_file=str(file))
    assert list(channel.send([Entry(1)])) == [""]
    channel.close()
    _, headers, body = far.got[0]
    signed = b"%b.%b.%b" % (headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body)
    wanted = hmac.new(base64.b64decode(SECRET.removeprefix("whsec_")), signed, "sha256").digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(wanted).decode()}"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60


def test_systemds_credential_is_the_secret_where_no_file_is_named(far, tmp_path, monkeypatch):
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    unsigned = Webhook(f"http://127.0.0.1:{far.port}/", PROGRAM)
    (tmp_path / "webhook-secret").write_text(SECRET)
    signed = Webhook(f"http://127.0.0.1:{far.port}/", PROGRAM)
    for channel in (unsigned, signed):
        assert list(channel.send([Entry(1)])) == [""]
        channel.close()
    assert ["webhook-signature" in headers for _, headers, _ in far.got] == [False, True]


@pytest.mark.parametrize("content", ["", "whsec_", "not base64 at all!", "whsec_c2hvcnQ=", "\xff"])
def test_what_is_no_secret_is_refused_and_not_shown(tmp_path, content):
    file = tmp_path / "secret"
    file.write_text(content, "latin-1")
    with pytest.raises(SettingsError, match="openssl rand -base64 32") as caught:
        Webhook("https://example.com/", PROGRAM, secret_file=str(file))
    assert "c2hvcnQ" not in str(caught.value)
    assert "not base64" not in str(caught.value)
    with pytest.raises(SettingsError, match="No such file"):
        Webhook("https://example.com/", PROGRAM, secret_file=str(tmp_path / "none"))


def test_the_login_of_the_url_is_sent_and_never_shown(far):
    channel = Webhook(f"http://pi:s%40cret@127.0.0.1:{far.port}/deep/path", PROGRAM)
    assert list(channel.send([Entry(1)])) == [""]
    channel.close()
    assert far.got[0][1]["Authorization"] == "Basic " + base64.b64encode(b"pi:s@cret").decode()
    assert "127.0.0.1" in channel.name
    for part in ("pi:", "s%40cret", "s@cret", "deep"):
        assert part not in channel.name


@pytest.mark.parametrize("host", ["a..b", ".a", "a" * 70])
def test_what_cannot_be_the_name_of_a_host_is_refused(host):
    with pytest.raises(SettingsError, match="a webhook's URL is invalid"):
        Webhook(f"https://{host}/", PROGRAM)


def test_two_urls_of_one_host_have_two_names():
    assert public_name("https://hooks.example.com/a") != public_name("https://hooks.example.com/b")
    assert public_name("https://u:one@example.com/a") == public_name("https://u:two@example.com/a")


@pytest.mark.parametrize("status", [400, 409, 413, 415, 422])
def test_a_refused_event_does_not_block_the_next(far, hook, status):
    far.answers.extend([answer(status), answer(200)])
    first, second = hook.send([Entry(1, seq=1), Entry(2, seq=2)])
    assert str(status) in first
    assert second == ""


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (500, "check the server"),
        (502, "check the server"),
        (408, "check the server"),
        (429, "check the server"),
        (401, "check password and secret"),
        (403, "check password and secret"),
        (404, "check the path"),
        (410, "check the path"),
        (301, "it has moved"),
        (308, "it has moved"),
    ],
)
def test_any_other_failure_is_tried_again(far, hook, status, says):
    far.answers.append(answer(status, b"<html>", Location=f"http://127.0.0.1:{far.port}/elsewhere"))
    sending = hook.send([Entry(1)])
    with pytest.raises(PublishError, match=f"answers {status} .*{says}"):
        next(sending)
    assert list(hook.send([Entry(1)])) == [""]
    assert [path for path, _, _ in far.got] == ["/in?key=abc"] * 2
    assert len({headers["webhook-id"] for _, headers, _ in far.got}) == 1


def test_a_server_can_ask_to_wait(far, hook):
    far.answers.append(answer(503, Retry_After="7"))
    with pytest.raises(BusyError) as caught:
        next(hook.send([Entry(1)]))
    assert caught.value.seconds == 7


def test_retry_after_is_a_number_or_a_date():
    now = datetime(2026, 11, 23, 8, 0, 0, tzinfo=UTC)
    assert retry_after_seconds("7", now) == 7
    assert retry_after_seconds("Mon, 23 Nov 2026 08:01:00 GMT", now) == 60
    assert retry_after_seconds("Mon, 23 Nov 2026 07:00:00 GMT", now) == 0
    assert retry_after_seconds("9" * 400, now) == webhook.RETRY_AFTER_MAX_SECONDS
    for nothing in ("", "soon", "-5", "1e9", "٣", "Mon, 99 Nov 2026"):
        assert retry_after_seconds(nothing, now) == 0


@pytest.mark.parametrize(
    ("bad", "says"),
    [(hang_up, "closed the connection"), (half_an_answer, "not HTTP|closed"), (garbage, "the answer is not HTTP")],
)
def test_a_broken_answer_is_reported_and_tried_again(far, bad, says):
    channel = Webhook(f"http://127.0.0.1:{far.port}/", PROGRAM)
    far.answers.append(bad)
    with pytest.raises(PublishError, match=says):
        next(channel.send([Entry(1)]))
    channel.close()
    channel.connect()
    assert list(channel.send([Entry(1)])) == [""]
    channel.close()


def test_an_idle_connection_that_the_server_closed_is_no_error(far, hook):
    far.answers.append(answer(200, Connection="close"))
    assert list(hook.send([Entry(1, seq=1)])) == [""]
    assert list(hook.send([Entry(2, seq=2)])) == [""]
    # Without a word, and only after the answer: as servers do with what is idle.
    far.answers.append(lambda handler: (answer(200)(handler), hang_up(handler))[0])
    assert list(hook.send([Entry(3, seq=3)])) == [""]
    time.sleep(0.1)
    assert list(hook.send([Entry(4, seq=4)])) == [""]
    assert [headers["webhook-id"][-1] for _, headers, _ in far.got] == ["1", "2", "3", "4"]
    assert far.connections == 3


def test_a_long_answer_is_not_read_to_its_end(far, hook):
    far.answers.append(answer(200, b"x" * 10_000_000))
    assert list(hook.send([Entry(1)])) == [""]
    assert list(hook.send([Entry(2)])) == [""]
    assert far.connections == 2


@pytest.mark.parametrize("slow", [drip, hang])
def test_an_answer_that_does_not_come_is_given_up(far, monkeypatch, slow):
    monkeypatch.setattr(webhook, "ANSWER_SECONDS", 0.3)
    channel = Webhook(f"http://127.0.0.1:{far.port}/", PROGRAM)
    far.answers.append(slow)
    with pytest.raises(PublishError, match="has not answered within"):
        next(channel.send([Entry(1)]))
    channel.close()


def test_a_wait_for_an_answer_can_be_stopped(far, hook):
    far.answers.append(lambda handler: (hook.stop(), hang(handler))[1])
    with pytest.raises(PublishError):
        next(hook.send([Entry(1)]))


def test_an_unreachable_server():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        channel = Webhook(f"http://127.0.0.1:{taken.getsockname()[1]}/", PROGRAM)
        with pytest.raises(PublishError, match="cannot be reached .*refused"):
            channel.connect()
    with pytest.raises(PublishError, match="cannot be reached"):
        Webhook("http://no-such-host.invalid/", PROGRAM).connect()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that is its own authority, with its key."""
    folder = tmp_path_factory.mktemp("tls")
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test"]
    request += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(folder / "key.pem")]
    done = subprocess.run([*request, "-out", str(folder / "ca.pem")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def secure(authority: Path) -> Iterator[Far]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "ca.pem", authority / "key.pem")
    server = Far(context)
    yield server
    server.close()


def test_tls_is_verified_against_the_authority_that_is_named(secure, authority):
    url = f"https://127.0.0.1:{secure.port}/"
    with pytest.raises(PublishError, match="certificate is not trusted .*#ca=FILE"):
        Webhook(url, PROGRAM).connect()
    channel = Webhook(url, PROGRAM, ca=str(authority / "ca.pem"))
    channel.connect()
    assert list(channel.send([Entry(1), Entry(2)])) == ["", ""]
    channel.close()
    with pytest.raises(PublishError, match="certificate is not trusted .*mismatch|not valid for"):
        Webhook(url.replace("127.0.0.1", "localhost"), PROGRAM, ca=str(authority / "ca.pem")).connect()
    with pytest.raises(SettingsError, match="is not a PEM file"):
        Webhook(url, PROGRAM, ca=str(Path(__file__)))


def test_a_port_without_tls_is_said_as_such(far):
    with pytest.raises(PublishError, match=r"^https://127\.0\.0\.1:\d+/\(\w+\): seems not to use TLS; .* http://$"):
        Webhook(f"https://127.0.0.1:{far.port}/", PROGRAM).connect()


def test_options_follow_a_hash_and_the_query_is_the_far_sides():
    parts = split("https://example.com/in?secret_file=theirs&x=1#ca=/etc/ca.pem&secret_file=/run/s")
    assert parts.what == "https://example.com/in?secret_file=theirs&x=1"
    assert parts.options == {"ca": "/etc/ca.pem", "secret_file": "/run/s"}
    assert split("http://example.com/").options == {}


@pytest.mark.parametrize(
    "wrong",
    [
        "https://",
        "https:///path",
        "https://u:hush@example.com:99999/hush",
        "https://example.com/hush#nonsense",
        "https://example.com/hush#cat=x",
        "http://example.com/hush#ca=/etc/ca.pem",
        "https://example.com/hush hush",
    ],
)
def test_a_wrong_uri_is_one_line_that_shows_no_secret(wrong):
    with pytest.raises(SettingsError) as caught:
        find_channel(wrong)
    assert "hush" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_the_courier_delivers_everything_in_order_whatever_the_server_does(far, tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    far.answers.extend([answer(500), hang_up, answer(200), answer(422), garbage, half_an_answer])
    store = Store(tmp_path / "events.db", device="shed")
    with store, open_publisher(f"http://127.0.0.1:{far.port}/in", program=PROGRAM, outlet=store.outlet) as courier:
        for n in range(6):
            store.append(Notice("camera", "running", f"camera {n}", datetime.now(UTC), None))
        until = time.monotonic() + patience(30)
        while courier.delivery().backlog and time.monotonic() < until:
            time.sleep(0.02)
        delivery = courier.delivery()
    assert (delivery.sent, delivery.refused) == (5, 1)
    bodies = [json.loads(body) for _, _, body in far.got]
    assert list(dict.fromkeys(body["name"] for body in bodies)) == [f"camera {n}" for n in range(6)]
    assert all(
        headers["webhook-id"] == f"{body['boot_id']}-{body['seq']}"
        for (_, headers, _), body in zip(far.got, bodies, strict=True)
    )
    assert "answers 422" in caplog.text


def test_a_key_that_was_damaged_in_the_store_is_sent_all_the_same(far, hook):
    assert list(hook.send([Entry(1, boot_id="3f\ufffd\n")])) == [""]
    assert far.got[0][1]["webhook-id"] == "3f? / -7"
