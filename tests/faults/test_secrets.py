"""No secret appears in output, metrics, stored files or the process list, whatever goes wrong."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.mosquitto import Broker, eventually, free_port, password_file
from tests.support.patience import patience

ROOT = Path(__file__).parent.parent.parent
CANARIES = {name: f"canary-{name}-7f3a9" for name in ("file", "uri", "login", "path", "key")}
"""Secrets to look for: MQTT passwords (from a file and in the URI), and a webhook's login, path and query."""
SIGNING = base64.b64encode(b"canary-signing-7f3a9-canary").decode()


class Hook:
    """A web server that only counts its requests."""

    def __init__(self, status: int) -> None:
        self.asked = 0
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                hook.asked += 1
                self.send_response(status)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


def edge(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "edge.cli", *arguments]


@pytest.fixture
def hook(request):
    one = Hook(request.param)
    yield one
    one.server.shutdown()
    one.server.server_close()


@pytest.fixture
def broker(tmp_path, request):
    """A broker that accepts the users, one that refuses them, or a port where nothing listens."""
    right = request.param != "refuses"
    passwords = {name: CANARIES[name] if right else "another" for name in ("file", "uri")}
    known = password_file(tmp_path / "known", **passwords)
    one = Broker(tmp_path / "broker", "allow_anonymous false", f"password_file {known}")
    if request.param == "down":
        one.kill()
    yield one
    one.kill()


@pytest.mark.parametrize(
    ("broker", "hook", "until"),
    [
        ("up", 204, lambda seen, hook: seen("_connected{", " 1.0", 3) and hook.asked),
        ("refuses", 401, lambda seen, hook: seen("refuses user", "", 2) and seen("answers 401", "", 1)),
        ("down", 500, lambda seen, hook: seen("nothing listens", "", 2) and seen("answers 500", "", 1)),
    ],
    indirect=["broker", "hook"],
    ids=["up", "refuses", "down"],
)
def test_no_secret_is_shown(broker, hook, until, tmp_path):
    (tmp_path / "password").write_text(CANARIES["file"] + "\n")
    (tmp_path / "signing").write_text(f"whsec_{SIGNING}\n")
    mqtt, far = f"127.0.0.1:{broker.port}", f"127.0.0.1:{hook.server.server_port}"
    publish = [
        f"mqtt://file@{mqtt}/home?password_file={tmp_path}/password",
        f"mqtt://uri:{CANARIES['uri']}@{mqtt}/shed",
        f"http://joe:{CANARIES['login']}@{far}/{CANARIES['path']}?key={CANARIES['key']}#secret_file={tmp_path}/signing",
    ]
    metrics, state = free_port(), tmp_path / "state"
    config = tmp_path / "edge.toml"
    config.write_text(
        f'source = "synthetic:?fps=20&hold=30&difficulty=0&seed=3"\npublish = {publish}\n'
        f'metrics = "127.0.0.1:{metrics}"\nstate = "{state}"\n'
    )
    printed = tmp_path / "printed"
    shown = {}

    def measured() -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=patience(5)) as answer:
                return answer.read().decode()
        except OSError:
            return ""

    def seen(words: str, ending: str, times: int) -> bool:
        lines = (printed.read_text() + measured()).splitlines()
        return sum(words in line and line.endswith(ending) for line in lines) >= times

    command = edge("run", "--debug", "--config", str(config))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    with printed.open("wb") as out:
        running = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=out, stderr=out)
        try:
            eventually(lambda: until(seen, hook))
            assert "edge" in (measures := measured())
            shown["metrics"] = measures
            line = Path(f"/proc/{running.pid}/cmdline")
            shown["the process"] = line.read_text() if line.exists() else " ".join(command)
            running.send_signal(signal.SIGTERM)
            assert running.wait(patience(20)) == 0
        finally:
            running.kill()
            running.wait()
    shown["printed"] = printed.read_text()
    kept = [file for file in state.rglob("*") if file.is_file()]
    assert state / "events.db" in kept
    shown |= {str(file): file.read_bytes().decode("latin-1") for file in kept}
    others = [
        ("run", "--check", "--debug", "--config", str(config)),
        ("doctor", "--debug", "--config", str(config)),
        ("doctor", "--json", "--config", str(config)),
        ("history", "--json", "--config", str(config)),
    ]
    for one in others:
        done = subprocess.run(
            edge(*one), cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=patience(120)
        )
        assert done.stdout, done.stderr
        shown[" ".join(one)] = done.stdout + done.stderr
    login = base64.b64encode(f"joe:{CANARIES['login']}".encode()).decode()
    for where, text in shown.items():
        for secret in (*CANARIES.values(), SIGNING, "canary-signing", login):
            assert secret not in text, where
