"""Access control around a small application: names of the device, sessions, and wrong tokens."""

import asyncio
import json
import platform

import pytest

from edge.web import access
from edge.web.access import AccessControl, host_names, needed_rights
from edge.web.attempts import MAX_WRONG
from edge.web.sessions import IDLE_SECONDS, RENEW_SECONDS
from edge.web.tokens import CurrentTokens, Tokens, load_tokens, renew_tokens

TOKENS = Tokens("change" * 5, "view" * 8)
NOW = 1_764_000_000
SURROGATE = rb'{"change": "\ud800%s", "view": "%s"}' % (b"x" * 30, b"y" * 30)


async def application(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["rights"].encode()})


class Door:
    """Access control at an address, and what it answers."""

    def __init__(self, host="0.0.0.0", tokens=lambda: TOKENS):
        self.control = AccessControl(application, host=host, port=8080, tokens=tokens)

    def ask(self, path="/api/status", *, method="GET", client="10.0.0.1", scheme="http", **headers):
        """Status, headers, body."""
        seen = []

        async def send(message):
            seen.append(message)

        headers = {"host": "10.0.0.7:8080", **headers}
        scope = {
            "type": "http", "method": method, "path": path, "client": (client, 5), "scheme": scheme,
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }  # fmt: skip
        asyncio.run(self.control(scope, None, send))
        fields = {name.decode().lower(): value.decode() for name, value in seen[0]["headers"]}
        return seen[0]["status"], fields, seen[-1]["body"].decode()

    def log_in(self, token, *, client="10.0.0.1", scheme="http"):
        return self.control.log_in(token, {"client": (client, 5), "scheme": scheme})

    def cookie(self, token):
        return self.log_in(token).headers["set-cookie"].partition(";")[0]


@pytest.fixture
def clock(monkeypatch):
    """The time of day and the clock that cannot jump, both in seconds since NOW."""

    class Clock:
        seconds = 0.0

        def time(self):
            return NOW + self.seconds

        def monotonic(self):
            return self.seconds

    made = Clock()
    monkeypatch.setattr(access, "time", made)
    return made


@pytest.fixture
def shed(monkeypatch, tmp_path):
    """This machine is called shed, in the network fritz.box."""
    monkeypatch.setattr(platform, "node", lambda: "Shed")
    resolver = tmp_path / "resolv.conf"
    resolver.write_text("# from the router\nnameserver 192.168.178.1\nsearch fritz.box home.example.\n\nsearch\n")
    monkeypatch.setattr(access, "RESOLVER", resolver)


@pytest.mark.parametrize(
    "host",
    [
        "shed",
        "SHED.local",
        "shed.fritz.box:8080",
        "shed.home.example",
        "localhost",
        "10.0.0.7",
        "[::1]:8080",
        "[fe80::1]",
    ],
)
def test_its_own_names_are_answered(shed, host):
    assert Door().ask("/healthz", host=host)[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        *("[::1]evil.com", "[::1]:80evil.com", "[::1", "::1", "[evil.com]", "[10.0.0.7]", "10.0.0.7.evil.com"),
        *("shed.evil.com", "shed.", "shed.fritz.box.evil.com", "notshed", "evil.com", "localhost.evil.com", ""),
        *("10.0.0.7:80:80", "10.0.0.7:http", "10.0.0.7:123456", "10.0.0.7@evil.com", "010.0.0.7", "0x7f.1", "shed:"),
    ],
)
def test_other_names_are_not_answered(shed, host):
    status, _, body = Door().ask("/healthz", host=host)
    assert status == 421 and "not a name of this device" in json.loads(body)["error"]


def test_at_home_only_addresses_are_answered(shed):
    at_home = Door("127.0.0.1")
    assert at_home.ask(host="localhost:1")[0] == at_home.ask(host="127.0.0.1")[0] == 200
    assert at_home.ask(host="shed")[0] == at_home.ask(host="shed.local")[0] == 421
    assert Door("Digits.example").ask("/healthz", host="digits.example")[0] == 200, "the name in the setting"


def test_without_a_resolver_it_has_its_own_name(shed, monkeypatch, tmp_path):
    monkeypatch.setattr(access, "RESOLVER", tmp_path / "none")
    assert set(host_names()) == {"shed", "shed.local"}


def test_a_login_gives_a_session_and_not_the_token(clock):
    door = Door()
    header = door.log_in(TOKENS.change).headers["set-cookie"]
    assert TOKENS.change not in header and f"Max-Age={IDLE_SECONDS}" in header and "HttpOnly" in header
    assert "Secure" not in header and "Secure" in door.log_in(TOKENS.view, scheme="https").headers["set-cookie"]
    for token, rights in ((TOKENS.change, "change"), (TOKENS.view, "view")):
        assert door.ask(cookie=door.cookie(token))[2] == rights
        # What earlier versions had in the cookie.
        assert door.ask(cookie=f"edge-digits-8080={token}")[0] == 401


def test_a_session_is_renewed_while_it_is_used(clock):
    door = Door()
    cookie = door.cookie(TOKENS.view)
    assert "set-cookie" not in door.ask(cookie=cookie)[1]
    clock.seconds = RENEW_SECONDS
    renewed = door.ask(cookie=cookie)[1]["set-cookie"].partition(";")[0]
    clock.seconds = IDLE_SECONDS
    assert door.ask(cookie=cookie)[0] == 401 and door.ask(cookie=renewed)[0] == 200


def test_other_cookies_of_the_same_name_do_no_harm(clock):
    door = Door()
    good, name = door.cookie(TOKENS.change), "edge-digits-8080"
    bad = [f"{name}=", name, f"{name}=change.1.2.{'0' * 64}", f"{name}=\x01\x7f", "=", ";", f"{name}=\xff"]
    for cookie in ("; ".join([*bad, good]), "; ".join([good, *bad]), ";".join([*(100 * bad), good])):
        assert door.ask(cookie=cookie)[2] == "change"
    assert door.ask(cookie="; ".join(bad))[0] == 401
    assert door.ask(cookie=good.replace("8080", "8081"))[0] == 401, "that of another port"
    others = Door(tokens=lambda: Tokens("other" * 6, "view" * 8))
    assert others.ask(cookie=good)[0] == 401, "that of another device"


def test_a_session_that_may_view_changes_nothing(clock):
    door = Door()
    cookie = door.cookie(TOKENS.view)
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "get"):
        assert door.ask("/api/vision", method=method, cookie=cookie)[0] == 403
    change = cookie.replace("=view.", "=change.")
    assert door.ask("/api/vision", method="PUT", cookie=change)[0] == 401
    assert door.ask("/api/vision", method="PUT", cookie=cookie, authorization=f"Bearer {TOKENS.view}")[0] == 403


def test_new_tokens_end_sessions_at_once(tmp_path):
    door = Door(tokens=CurrentTokens(tmp_path))
    old = load_tokens(tmp_path)
    cookie = door.cookie(old.view)
    assert door.ask(cookie=cookie)[0] == 200
    new = renew_tokens(tmp_path)
    assert door.ask(cookie=cookie)[0] == door.ask(authorization=f"Bearer {old.view}")[0] == 401
    assert door.ask(authorization=f"Bearer {new.view}")[0] == 200


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"[" * 50_000, SURROGATE])
def test_a_damaged_file_of_tokens_changes_nothing(tmp_path, content):
    tokens = CurrentTokens(tmp_path)
    before = tokens()
    (tmp_path / "web-tokens.json").write_bytes(content)
    assert tokens() == before
    (tmp_path / "web-tokens.json").unlink()
    assert tokens() == before


def test_wrong_tokens_are_limited_and_forgiven(clock):
    door = Door()
    cookie = door.cookie(TOKENS.view)
    for number in range(MAX_WRONG):
        wrong = door.log_in("wrong") if number % 2 else None
        assert wrong.status_code == 401 if wrong else door.ask(authorization="Bearer wrong")[0] == 401
    refused = door.log_in("wrong")
    assert refused.status_code == 429 and refused.headers["retry-after"] == "6"
    status, headers, body = door.ask(authorization="Bearer wrong")
    assert (status, headers["retry-after"]) == (429, "6") and "try again in 6 s" in json.loads(body)["error"]
    assert door.log_in("wrong", client="10.0.0.2").status_code == 401, "others may try"
    assert door.log_in(TOKENS.view).status_code == door.ask(authorization=f"Bearer {TOKENS.view}")[0] == 200
    assert door.ask(cookie=cookie)[0] == door.ask("/healthz", authorization="Bearer wrong")[0] == 200
    clock.seconds = 6.0
    assert door.log_in("wrong").status_code == 401


def test_what_a_request_needs():
    needs = {(method, path): needed_rights(method, path) for method in ("GET", "POST") for path in ("/", "/api/vision")}
    assert needs == {
        ("GET", "/"): "none",
        ("POST", "/"): "none",
        ("GET", "/api/vision"): "view",
        ("POST", "/api/vision"): "change",
    }
    assert needed_rights("POST", "/api/read") == "view" and needed_rights("GET", "/page/x.js") == "none"
