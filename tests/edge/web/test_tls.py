"""HTTPS of the live page: certificates, what is wrong with them, and a page that is served with one."""

import contextlib
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
import urllib.request

import pytest

from edge.cli import main
from edge.errors import SettingsError
from edge.web.bounded_server import MAX_HANDSHAKES, BoundedServer, listen
from edge.web.tls import server_context
from tests.hostile.connections import free_port, small_device
from tests.support.patience import patience

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")

LARGE = bytes(10_000_000)
"""More than the kernel takes at once, bytes."""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with a self-signed certificate for localhost, its key, and other keys."""
    folder = tmp_path_factory.mktemp("tls")

    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
    openssl(
        "req", "-x509", *curve, "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "2",
        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
    )  # fmt: skip
    openssl("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", "other.pem")
    openssl("ec", "-in", "key.pem", "-aes128", "-passout", "pass:secret", "-out", "locked.pem")
    (folder / "both.pem").write_text((folder / "cert.pem").read_text() + (folder / "key.pem").read_text())
    openssl(
        "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-keyout", "weak-key.pem", "-out", "weak.pem", "-subj", "/CN=x"
    )
    (folder / "text.pem").write_text("hello")
    os.mkfifo(folder / "pipe.pem")
    return folder


@pytest.mark.parametrize(
    ("certificate", "key", "says"),
    [
        ("", "key.pem", "web_key: there is a key but no certificate"),
        ("none.pem", "", "web_cert: .*none.pem: cannot be read"),
        ("cert.pem", "none.pem", "web_key: .*none.pem: cannot be read"),
        ("cert.pem", "", "name the key's file with web_key"),
        ("text.pem", "key.pem", "is not a certificate"),
        ("pipe.pem", "key.pem", "web_cert: .*pipe.pem: is not a file"),
        ("cert.pem", ".", "web_key: .*: is not a file"),
        ("weak.pem", "weak-key.pem", "does not accept it .*too small.*; make one"),
        ("cert\0.pem", "", "web_cert: .*cert.{1,4}.pem: cannot be read"),
        ("~nosuchuser/cert.pem", "", "web_cert: ~nosuchuser/cert.pem: cannot be read .No such file"),
        ("cert.pem", "other.pem", "the key does not belong to this certificate"),
        ("cert.pem", "locked.pem", "the key has a passphrase"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(files, certificate, key, says, capfd):
    names = [name if name.startswith("~") else name and str(files / name) for name in (certificate, key)]
    with pytest.raises(SettingsError, match=says):
        server_context(*names)
    order = ["run", "--check", "--source", "synthetic:", "--web", "127.0.0.1:8443", "--web-key", names[1]]
    assert main([*order, "--web-cert", names[0]]) == 1
    assert re.search(says, capfd.readouterr().err)


def test_certificates_that_are_right(files):
    assert server_context("", "") is None
    assert server_context(str(files / "cert.pem"), str(files / "key.pem"))
    assert server_context(str(files / "both.pem"), "")


async def large_answer(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": LARGE})


@pytest.fixture
def port(files):
    """Where such an answer is served with HTTPS."""
    listener = listen("127.0.0.1:0", "web")
    port = listener.getsockname()[1]
    with BoundedServer(large_answer, listener, name="test", most=64, tls=server_context(str(files / "both.pem"), "")):
        yield port


def received(link, pause=0.0):
    """What comes on a connection after a request, over TLS."""
    context = ssl._create_unverified_context()
    with context.wrap_socket(link) as secured:
        secured.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        parts = []
        while part := secured.recv(200_000):
            parts.append(part)
            time.sleep(pause)
        return b"".join(parts)


def test_who_begins_many_handshakes_does_not_end_those_of_others(port):
    link = socket.create_connection(("127.0.0.1", port), patience(20))
    silent = [socket.create_connection(("127.0.0.1", port), 5, ("127.0.0.5", 0)) for _ in range(3 * MAX_HANDSHAKES)]
    time.sleep(0.3)
    assert len(received(link)) > len(LARGE)
    for one in silent:
        one.close()


def test_a_slow_reader_gets_a_large_answer_whole(port):
    link = socket.socket()
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    link.settimeout(patience(20))
    link.connect(("127.0.0.1", port))
    assert len(received(link, pause=0.001)) > len(LARGE)


@pytest.mark.slow
def test_the_page_is_served_with_https(files, tmp_path):
    port, metrics = free_port(), free_port()
    more = ["--web-cert", str(files / "both.pem")]
    trusted = ssl.create_default_context(cafile=files / "cert.pem")

    def ask(path, data=None):
        request = urllib.request.Request(f"https://localhost:{port}{path}", data)
        return urllib.request.urlopen(request, timeout=patience(20), context=trusted)

    with small_device(tmp_path, port, metrics, more=more) as process:
        assert f"https://127.0.0.1:{port}/" in process.stderr.readline()
        # Handshakes that are begun and never finished leave room for others.
        stalled = [socket.create_connection(("127.0.0.1", port), 5) for _ in range(80)]
        begun = time.monotonic()
        assert ask("/").status == 200 and time.monotonic() - begun < patience(4)
        token = json.loads((tmp_path / "state" / "web-tokens.json").read_text())["change"]
        answer = ask("/api/login", json.dumps({"token": token}).encode())
        assert "; Secure" in answer.headers["Set-Cookie"]
        with pytest.raises(OSError), contextlib.closing(socket.create_connection(("127.0.0.1", port), 5)) as plain:
            plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            if b"HTTP" not in plain.recv(100):
                raise ConnectionError("no HTTP without TLS")
        for link in stalled:
            link.close()
        assert ask("/").status == 200
        process.terminate()
        assert process.wait(patience(20)) == 0 and process.stderr.read() == ""
