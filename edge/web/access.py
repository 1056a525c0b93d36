"""Access control: checks the Host and Origin headers and the token, and adds security headers to all answers.

Another site must not use this API through the browser of its visitor. The Origin header shows cross-site requests; the
Host header shows DNS rebinding, where that site lets a name of its own point to this device.
"""

from __future__ import annotations

import ipaddress
import platform
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge.web.attempts import Attempts
from edge.web.clients import client_of
from edge.web.http import JsonAnswer, error_response
from edge.web.sessions import Session
from edge.web.tokens import Rights, Tokens

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Header of that name: everything comes from this server, nothing is inline, and no other page may frame this one."""
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Headers of every answer."""
PUBLIC_PATHS = ("/", "/healthz", "/api/login", "/api/openapi.json")
"""Paths that need no token."""
PUBLIC_FOLDER = "/page/"
"""Paths that begin like this need no token either."""
VIEW_POSTS = ("/api/read",)
"""Paths of POST requests that change nothing, so that the right to view is enough."""
VIEW_METHODS = ("GET", "HEAD")
"""Methods of requests that change nothing."""
RESOLVER = Path("/etc/resolv.conf")
"""Names the domain of this network (resolv.conf(5))."""


class AccessControl:
    """ASGI middleware: refuses a request, or passes it on with ``scope["rights"]`` and ``scope["may_view"]``.

    The last is a function, for answers without end: whether the sender may still view.
    """

    def __init__(self, app: ASGIApp, *, host: str, port: int, tokens: Callable[[], Tokens]) -> None:
        """``host``, ``port``: where the server listens. If other machines can reach it, a token is needed.

        ``tokens`` returns the present ones.
        """
        self._app, self._host, self._tokens = app, host.lower(), tokens
        self._cookie = f"edge-digits-{port}"
        # The port is in its name because all ports of a machine share their cookies.
        self._anonymous: Rights = "view" if is_loopback(host) else "none"
        self._attempts = Attempts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle an ASGI connection."""
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        session = None if _bearer(headers) else self._session(headers)
        scope["rights"] = rights = self._rights(headers)
        scope["may_view"] = lambda: self._rights(headers) != "none"
        renewed = session and session.renewed(time.time())

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer_headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    answer_headers.setdefault(name, value)
                answer_headers.setdefault("Cache-Control", "no-store")
                if renewed:
                    answer_headers.append("Set-Cookie", self._set_cookie(renewed, scope))
            await send(message)

        refusal = self._refusal(scope, headers, rights)
        await (refusal or self._app)(scope, receive, send_with_headers)

    def log_in(self, token: str, scope: Scope) -> JsonAnswer:
        """The answer to a login with this token: its rights and a cookie, or an error."""
        rights = self._tokens().rights(token)
        if rights == "none":
            wrong = error_response(401, "this token is wrong; run edge token on the device to see the tokens")
            return self._too_many_tokens(scope) or wrong
        cookie = self._set_cookie(Session.begin(rights, time.time()), scope)
        return JsonAnswer({"rights": rights}, headers={"Set-Cookie": cookie})

    def _set_cookie(self, session: Session, scope: Scope) -> str:
        cookie, seconds = session.cookie(self._tokens()), session.ends - int(time.time())
        secure = "; Secure" if scope["scheme"] == "https" else ""
        return f"{self._cookie}={cookie}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Strict{secure}"

    def _session(self, headers: Headers) -> Session | None:
        # Not http.cookies: it gives up at a malformed cookie of another program. Such a program may also set one of the
        # same name for another path: the browser sends both.
        for cookie in headers.get("cookie", "").split(";"):
            name, _, value = cookie.partition("=")
            if name.strip() == self._cookie:
                session = Session.from_cookie(value.strip(), self._tokens(), time.time())
                if session:
                    return session
        return None

    def _rights(self, headers: Headers) -> Rights:
        """What a request may do, by the token in its Authorization header or the session of its cookie."""
        if token := _bearer(headers):
            return self._tokens().rights(token)
        session = self._session(headers)
        return session.rights if session else self._anonymous

    def _refusal(self, scope: Scope, headers: Headers, rights: Rights) -> JsonAnswer | None:
        """The answer to a request that is refused, or None."""
        method, path, host = scope["method"], scope["path"], headers.get("host", "")
        if not self.is_own_name(host):
            return error_response(421, f"{host[:80]!r} is not a name of this device; use its IP address or host name")
        origin = headers.get("origin")
        if origin is not None and origin.lower() not in (f"http://{host.lower()}", f"https://{host.lower()}"):
            return error_response(403, "requests from pages of other sites are refused; open the page of this device")
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and not _is_navigation(method, headers):
            return error_response(403, "requests from pages of other sites are refused; open the page of this device")
        needed = needed_rights(method, path)
        if needed == "none":
            return None
        if rights == "none":
            if _bearer(headers) and (too_many := self._too_many_tokens(scope)):
                return too_many
            text = "a token is needed; run edge token on the device to see it"
            return error_response(401, text, {"WWW-Authenticate": 'Bearer realm="edge"'})
        if needed == "change" and rights != "change":
            return error_response(
                403, "this needs the token that allows changes; run edge token on the device to see it"
            )
        return None

    def _too_many_tokens(self, scope: Scope) -> JsonAnswer | None:
        """The answer to one more wrong token if its client has sent too many, or None.

        A right one is accepted all the same: nobody can guess it, and its owner may share an address with others.
        """
        client, now = client_of(scope["client"]), time.monotonic()
        if seconds := self._attempts.wait_seconds(client, now):
            text = f"too many wrong tokens; try again in {seconds} s"
            return error_response(429, text, {"Retry-After": str(seconds)})
        self._attempts.add(client, now)
        return None

    def is_own_name(self, host: str) -> bool:
        """Whether a Host header names this device: by an IP address, which cannot be rebound, or by its host name."""
        found = re.fullmatch(r"(?:\[([0-9a-f:.]+)\]|([^\[\]:]+))(?::[0-9]{1,5})?", host.lower())
        if not found:
            return False
        address, name = found.groups()
        try:
            ipaddress.IPv6Address(address) if address else ipaddress.IPv4Address(name)
            return True
        except ValueError:
            if name is None:
                return False
        # Its host names are refused if no token is needed: then only addresses are safe.
        return name in ("localhost", self._host) or (self._anonymous == "none" and name in host_names())


def needed_rights(method: str, path: str) -> Rights:
    """The rights that a request needs."""
    if path in PUBLIC_PATHS or path.startswith(PUBLIC_FOLDER):
        return "none"
    return "view" if method in VIEW_METHODS or path in VIEW_POSTS else "change"


def host_names() -> Iterator[str]:
    """The names by which others may know this machine: ``shed``, ``shed.local``, ``shed.fritz.box``."""
    full = platform.node().lower()
    short = full.partition(".")[0]
    if not short:
        return
    yield from (short, full, f"{short}.local")
    try:
        lines = RESOLVER.read_text("utf-8", "replace").lower().splitlines()
    except OSError:
        return
    for line in lines:
        word, *domains = line.split() or [""]
        if word in ("search", "domain"):
            yield from (f"{short}.{domain.strip('.')}" for domain in domains)


def is_loopback(host: str) -> bool:
    """Whether only this machine itself can reach a server that listens on this address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _bearer(headers: Headers) -> str:
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _is_navigation(method: str, headers: Headers) -> bool:
    """Whether the user follows a link on another page to this one: that page learns nothing of the answer."""
    return method == "GET" and headers.get("sec-fetch-mode") == "navigate"
