"""HTTPS of the live page: certificates, what is wrong with them, and a page that is served with one."""

import contextlib
import json
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
from edge.web.tls import server_context
from tests.hostile.connections import free_port, small_device
from tests.support.patience import patience

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")


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
    (folder / "text.pem").write_text("hello")
    return folder


@pytest.mark.parametrize(
    ("certificate", "key", "says"),
    [
        ("", "key.pem", "web_key: there is a key but no certificate"),
        ("none.pem", "", "web_cert: .*none.pem: cannot be read"),
        ("cert.pem", "none.pem", "web_key: .*none.pem: cannot be read"),
        ("cert.pem", "", "name the key's file with web_key"),
        ("text.pem", "key.pem", "is not a certificate"),
        ("cert.pem", "other.pem", "the key does not belong to this certificate"),
        ("cert.pem", "locked.pem", "the key has a passphrase"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(files, certificate, key, says, capfd):
    names = [name and str(files / name) for name in (certificate, key)]
    with pytest.raises(SettingsError, match=says):
        server_context(*names)
    order = ["run", "--check", "--source", "synthetic:", "--web", "127.0.0.1:8443", "--web-key", names[1]]
    assert main([*order, "--web-cert", names[0]]) == 1
    assert re.search(says, capfd.readouterr().err)


def test_certificates_that_are_right(files):
    assert server_context("", "") is None
    assert server_context(str(files / "cert.pem"), str(files / "key.pem"))
    assert server_context(str(files / "both.pem"), "")


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
