"""Clients by their address: how many requests of each may be answered at once."""

from __future__ import annotations

import contextlib
import ipaddress
from collections import Counter
from collections.abc import Iterator
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from edge.web.http import error_response

MAX_BUSY = 48
"""Most requests that are answered at once. Chosen: of the 64 connections, 16 are left to those who ask for /healthz or
/metrics, which this does not count."""
MAX_BUSY_OF_CLIENT = 24
"""Most of them from one client. Chosen: four browsers of six connections each; a proxy is one client."""
MAX_BUSY_WITHOUT_RIGHTS = 24
"""Most of them without any right, or to log in: both may be slow to arrive. Chosen: the others are left to those who
are logged in."""
MAX_BUSY_OF_CLIENT_WITHOUT_RIGHTS = 12
"""Most of these from one client. Chosen: two browsers that load the page before their users log in."""
ALWAYS_ANSWERED = ("/healthz", "/metrics")
"""Paths that watch the device: they are answered however many others are."""
LOGIN_PATH = "/api/login"
NETWORK_BITS = 64
"""Bits of an IPv6 address that name a client's network, within which it may choose its addresses (RFC 4291)."""


def client_of(address: tuple[Any, ...] | None) -> str:
    """Who is at an address: an IPv4 address, a neighbour's IPv6 address, or the network of an IPv6 address."""
    try:
        found = ipaddress.ip_address(address[0].partition("%")[0] if address else "")
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    # All neighbours are in the same network.
    return str(found if found.is_link_local else ipaddress.ip_network((found, NETWORK_BITS), strict=False))


class BusyLimit:
    """ASGI middleware: answers 503 at once while too many requests are being answered. Needs ``scope["rights"]``."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._all = _Busy(MAX_BUSY, MAX_BUSY_OF_CLIENT)
        self._without_rights = _Busy(MAX_BUSY_WITHOUT_RIGHTS, MAX_BUSY_OF_CLIENT_WITHOUT_RIGHTS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle an ASGI connection."""
        if scope["path"] in ALWAYS_ANSWERED:
            await self._app(scope, receive, send)
            return
        client = client_of(scope["client"])
        counts = [self._all]
        # On the device itself all may view; who logs in has no session yet all the same.
        if scope["rights"] == "none" or scope["path"] == LOGIN_PATH:
            counts.append(self._without_rights)
        if any(count.is_full(client) for count in counts):
            # Closed, because the unread body would be taken for the next request.
            headers = {"Retry-After": "1", "Connection": "close"}
            answer = error_response(503, "too many requests at once; come again in a second", headers)
            await answer(scope, receive, send)
            return
        with contextlib.ExitStack() as stack:
            for count in counts:
                stack.enter_context(count.one_more(client))
            await self._app(scope, receive, send)


class _Busy:
    """How many requests of each client are being answered."""

    def __init__(self, most: int, most_of_client: int) -> None:
        self._most, self._most_of_client = most, most_of_client
        self._of: Counter[str] = Counter()

    def is_full(self, client: str) -> bool:
        return self._of.total() >= self._most or self._of[client] >= self._most_of_client

    @contextlib.contextmanager
    def one_more(self, client: str) -> Iterator[None]:
        self._of[client] += 1
        try:
            yield
        finally:
            self._of[client] -= 1
            if not self._of[client]:
                del self._of[client]
