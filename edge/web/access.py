"""Who may ask for what: Host and Origin, tokens, and what a browser is told about the page.

A page of another site must not speak to this one through its visitor's browser: by its Origin (cross-site requests), or
by a name of its own that it lets point here (DNS rebinding), which the Host header tells.
"""

from __future__ import annotations

import ipaddress
import platform

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge.web.tokens import Rights, Tokens

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy: everything from here, nothing inline, in nobody's frame."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""What every answer says."""
OPEN = ("/", "/healthz", "/api/login", "/api/openapi.json")
"""Whoever reaches the port may ask for these, and for what lies below:"""
OPEN_FOLDER = "/page/"
LOOKING = ("/api/read",)
"""POST, and yet nothing is changed by it."""
SAFE = ("GET", "HEAD")


class AccessControl:
    """Stands before the application; what it lets in has ``scope["rights"]``."""

    def __init__(self, app: ASGIApp, *, host: str, port: int, tokens: Tokens) -> None:
        """``host`` is the address that is listened at: away from this machine itself, a token is asked for."""
        self._app, self._host, self._tokens = app, host.lower(), tokens
        self.cookie = f"edge-digits-{port}"
        """The cookie's name: a machine's ports share their cookies."""
        self._anonymous: Rights = "view" if is_loopback(host) else "none"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        scope["rights"] = self.rights(headers)

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    said.setdefault(name, value)
                said.setdefault("Cache-Control", "no-store")
            await send(message)

        refused = self.refusal(scope["method"], scope["path"], headers, scope["rights"])
        await (refused or self._app)(scope, receive, sent)

    def rights(self, headers: Headers) -> Rights:
        """What the bearer of a token may do, or who comes without one."""
        given = headers.get("authorization", "")
        kind, _, token = given.partition(" ")
        if kind.lower() != "bearer":
            # Not http.cookies: that gives up where another program's cookie is not to its taste.
            token = cookie_parser(headers.get("cookie", "")).get(self.cookie, "")
        return self._tokens.rights(token.strip()) if token else self._anonymous

    def refusal(self, method: str, path: str, headers: Headers, rights: Rights) -> JSONResponse | None:
        """Why a request is not let in, or None."""
        host = headers.get("host", "")
        if not self.knows(host):
            return problem(421, f"{host[:80]!r} is none of this device's names; use its IP address or host name")
        origin = headers.get("origin")
        if origin is not None and origin.lower() not in (f"http://{host.lower()}", f"https://{host.lower()}"):
            return problem(403, "a page of another site may not ask this device")
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and not _is_visit(method, headers):
            return problem(403, "a page of another site may not ask this device")
        if path in OPEN or path.startswith(OPEN_FOLDER):
            return None
        if rights == "none":
            return problem(
                401, "a token is needed: edge token says it on the device", {"WWW-Authenticate": 'Bearer realm="edge"'}
            )
        if method not in SAFE and path not in LOOKING and rights != "change":
            return problem(403, "this needs the token that may change things: edge token says it on the device")
        return None

    def knows(self, host: str) -> bool:
        """Whether a Host header names this device: by address, which no one can rebind, or by a name of its own."""
        name = host.lower()
        if name.startswith("["):
            name = name[1:].partition("]")[0]
        elif name.count(":") == 1:
            name = name.partition(":")[0]
        if name == "localhost" or name == self._host:
            return True
        try:
            ipaddress.ip_address(name)
            return True
        except ValueError:
            # shed, shed.local, shed.fritz.box: never where no token is asked for.
            own = platform.node().partition(".")[0].lower()
            return self._anonymous == "none" and bool(own) and name.partition(".")[0] == own


def problem(status: int, text: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """What went wrong, in one line, as JSON."""
    return JSONResponse({"error": text}, status, headers)


def is_loopback(host: str) -> bool:
    """Whether only this machine itself can reach what listens at this address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _is_visit(method: str, headers: Headers) -> bool:
    """A link on another page that leads here: the browser shows the page itself, and tells the other one nothing."""
    return method == "GET" and headers.get("sec-fetch-mode") == "navigate"
