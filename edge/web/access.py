"""Access control: checks the Host and Origin headers and the token, and adds security headers to all answers.

Another site must not use this API through the browser of its visitor. The Origin header shows cross-site requests; the
Host header shows DNS rebinding, where that site lets a name of its own point to this device.
"""

from __future__ import annotations

import ipaddress
import platform

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge.web.http import error_response
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


class AccessControl:
    """ASGI middleware: refuses a request, or passes it on to the application with ``scope["rights"]``."""

    def __init__(self, app: ASGIApp, *, host: str, port: int, tokens: Tokens) -> None:
        """``host``, ``port``: where the server listens. If other machines can reach it, a token is needed."""
        self._app, self._host, self._tokens = app, host.lower(), tokens
        self.cookie = f"edge-digits-{port}"
        """Name of the cookie with the token. The port is in it because all ports of a machine share their cookies."""
        self._anonymous: Rights = "view" if is_loopback(host) else "none"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle an ASGI connection."""
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        scope["rights"] = self.rights(headers)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer_headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    answer_headers.setdefault(name, value)
                answer_headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refusal = self.refusal(scope["method"], scope["path"], headers, scope["rights"])
        await (refusal or self._app)(scope, receive, send_with_headers)

    def rights(self, headers: Headers) -> Rights:
        """What a request may do, by the token in its Authorization header or cookie."""
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            # Not http.cookies: it gives up at a malformed cookie of another program.
            token = cookie_parser(headers.get("cookie", "")).get(self.cookie, "")
        return self._tokens.rights(token.strip()) if token else self._anonymous

    def refusal(self, method: str, path: str, headers: Headers, rights: Rights) -> JSONResponse | None:
        """The answer to a request that is refused, or None."""
        host = headers.get("host", "")
        if not self.is_own_name(host):
            return error_response(421, f"{host[:80]!r} is not a name of this device; use its IP address or host name")
        origin = headers.get("origin")
        if origin is not None and origin.lower() not in (f"http://{host.lower()}", f"https://{host.lower()}"):
            return error_response(403, "requests from pages of other sites are refused; open the page of this device")
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and not _is_navigation(method, headers):
            return error_response(403, "requests from pages of other sites are refused; open the page of this device")
        if path in PUBLIC_PATHS or path.startswith(PUBLIC_FOLDER):
            return None
        if rights == "none":
            text = "a token is needed; run edge token on the device to see it"
            return error_response(401, text, {"WWW-Authenticate": 'Bearer realm="edge"'})
        if method not in VIEW_METHODS and path not in VIEW_POSTS and rights != "change":
            return error_response(
                403, "this needs the token that allows changes; run edge token on the device to see it"
            )
        return None

    def is_own_name(self, host: str) -> bool:
        """Whether a Host header names this device: by an IP address, which cannot be rebound, or by its host name."""
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
            # Such as shed, shed.local or shed.fritz.box. Refused if no token is needed: then only addresses are safe.
            node = platform.node().partition(".")[0].lower()
            return self._anonymous == "none" and bool(node) and name.partition(".")[0] == node


def is_loopback(host: str) -> bool:
    """Whether only this machine itself can reach a server that listens on this address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _is_navigation(method: str, headers: Headers) -> bool:
    """Whether the user follows a link on another page to this one: that page learns nothing of the answer."""
    return method == "GET" and headers.get("sec-fetch-mode") == "navigate"
