"""Clients by their address: how many requests of each may be answered at once."""

from __future__ import annotations

import ipaddress
from collections import Counter

from starlette.types import ASGIApp, Receive, Scope, Send

from edge.web.http import error_response

MAX_BUSY = 48
"""Most requests that are answered at once. Chosen: of the 64 connections, 16 are left to those who ask for /healthz or
/metrics, which this does not count."""
MAX_BUSY_OF_CLIENT = 24
"""Most of them from one client. Chosen: four browsers of six connections each; a proxy is one client."""
ALWAYS_ANSWERED = ("/healthz", "/metrics")
"""Paths that watch the device: they are answered however many others are."""
NETWORK_BITS = 64
"""Bits of an IPv6 address that name a client's network, within which it may choose its addresses (RFC 4291)."""


def client_of(address: tuple[str, int] | None) -> str:
    """Who is at an address: an IPv4 address, or the network of an IPv6 address."""
    try:
        found = ipaddress.ip_address(address[0].partition("%")[0] if address else "")
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    mapped = found.ipv4_mapped
    return str(mapped or ipaddress.ip_network((found, NETWORK_BITS), strict=False))


class BusyLimit:
    """ASGI middleware: answers 503 at once while too many requests are being answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._busy: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle an ASGI connection."""
        if scope["path"] in ALWAYS_ANSWERED:
            await self._app(scope, receive, send)
            return
        client = client_of(scope["client"])
        if self._busy.total() >= MAX_BUSY or self._busy[client] >= MAX_BUSY_OF_CLIENT:
            # Closed, because the unread body would be taken for the next request.
            headers = {"Retry-After": "1", "Connection": "close"}
            answer = error_response(503, "too many requests at once; come again in a second", headers)
            await answer(scope, receive, send)
            return
        self._busy[client] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._busy[client] -= 1
            if not self._busy[client]:
                del self._busy[client]
