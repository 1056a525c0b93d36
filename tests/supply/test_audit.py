"""An audit is believed only if the service answered for every version; OSV is played by a server of this test."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.supply import audit
from tests.supply.lock import BUILD_LOCK, LOCK, LOCK_32, read
from tests.support.patience import patience

pytest.importorskip("pip_audit", reason="pip-audit is not installed here; make check brings it")
VERSIONS = {(one.name, one.version) for path in (LOCK, LOCK_32, BUILD_LOCK) for one in read(path)}


class Service(BaseHTTPRequestHandler):
    """Answers as OSV does; ``asked`` is what it was asked for, ``known`` a package with a vulnerability."""

    asked: list[tuple[str, str]] = []
    known = ""
    status = 200

    def do_POST(self) -> None:
        query = json.loads(self.rfile.read(int(self.headers["content-length"])))
        name = query["package"]["name"]
        self.asked.append((name, query["version"]))
        ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99"}]}]
        affected = [{"package": {"name": name, "ecosystem": "PyPI"}, "ranges": ranges}]
        vulnerability = {"id": "PYSEC-2026-1", "summary": "bad", "affected": affected, "schema_version": "1.0.0"}
        body = json.dumps({"vulns": [vulnerability]} if name == self.known else {}).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[tuple[str, type[Service]]]:
    handler = type("Fresh", (Service,), {"asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", handler
        server.shutdown()


def run(url: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.supply.audit", "--osv-url", url]
    return subprocess.run(command, capture_output=True, text=True, timeout=patience(120), cwd=LOCK.parents[1])


def test_every_version_is_asked_for_also_those_of_other_machines(service: tuple[str, type[Service]]) -> None:
    url, handler = service
    done = run(url)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"audit: {len(VERSIONS)} versions asked for, 0 known vulnerabilities\n"
    assert set(handler.asked) == VERSIONS and len(handler.asked) == len(VERSIONS)
    assert {name for name, _ in VERSIONS} >= {"tflite-runtime", "ai-edge-litert", "hatchling"}


@pytest.mark.slow
def test_a_known_vulnerability_fails_the_audit(service: tuple[str, type[Service]]) -> None:
    url, handler = service
    handler.known = "uvicorn"
    done = run(url)
    assert done.returncode == 1
    assert "uvicorn" in done.stdout and ": PYSEC-2026-1, fixed in 99\n" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("status", [0, 503])
def test_a_service_that_does_not_answer_fails_the_audit_in_one_line(
    service: tuple[str, type[Service]], status: int
) -> None:
    url, handler = service
    handler.status = status
    # Nothing listens on port 9.
    done = run(url if status else "http://127.0.0.1:9/")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("audit: nothing can be said, as the service did not answer (")
    assert done.stderr.count("\n") == 1


def test_a_version_that_was_skipped_fails_the_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = read(LOCK)[:2]
    answers = [{"name": first.name, "version": first.version, "vulns": []}]
    answers.append({"name": second.name, "skip_reason": "not found"})
    said = json.dumps({"dependencies": answers})
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, said, ""))
    with pytest.raises(audit.AuditError, match=f"^not complete: {second.name} {second.version} skipped$"):
        audit.ask([first, second])


def test_each_round_has_a_package_once() -> None:
    parts = audit.rounds(read(LOCK))
    assert sum(map(len, parts)) == len(read(LOCK)) and len(parts) == 2
    assert all(len({one.name for one in part}) == len(part) for part in parts)
