"""The servers of ``edge run``: that of the live page and the HTTP API, and that of the metrics."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from edge.publishers.base import Publisher
from edge.system.closing import Closing
from edge.types import Event, Message, Notice
from edge.web.app import Backend, Site
from edge.web.bounded_server import BoundedServer, listen
from edge.web.http import metrics_answer
from edge.web.tls import server_context
from edge.web.tokens import CurrentTokens

MAX_CONNECTIONS = 64
"""Most connections to the page at once. Chosen: each takes a file descriptor that the camera or the store may need."""
MAX_METRICS_CONNECTIONS = 16
"""Most connections to the metrics at once. Chosen: few programs ask for them."""


class WebServer(Publisher):
    """Listens as soon as it is made. As a publisher it passes events and notices on to those who listen to them."""

    name = "web"

    def __init__(self, address: str, backend: Backend, *, folder: Path, certificate: str = "", key: str = "") -> None:
        """Listen on ``host:port``. The tokens are in the state ``folder``; new ones are made if there are none.

        ``certificate`` and ``key`` are the names of PEM files for HTTPS; without them it is HTTP. Raises SettingsError
        if one of these is wrong, PublishError if the server cannot listen on that address.
        """
        tls = server_context(certificate, key)
        self._newest_message = backend.newest_message
        listener = listen(address, "web")
        self.port: int = listener.getsockname()[1]
        """The port that it listens on; a free one if 0 was asked for."""
        try:
            tokens = CurrentTokens(folder)
            configured = address.rpartition(":")[0].strip("[]")
            self._site = Site(backend, tokens, folder=folder, host=configured, port=self.port)
        except BaseException:
            listener.close()
            raise
        # A name may have several addresses; the server listens on one of them. A certificate is for the name.
        host = configured if tls else listener.getsockname()[0]
        self.url = f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{self.port}/"
        """The page's address, for a browser on this machine."""
        self.link = f"{self.url}#token={tokens().change}"
        """The same with the token that allows changes. What follows the # is never sent over the network."""
        self._server = BoundedServer(
            self._site.app, listener, name=self.name, most=MAX_CONNECTIONS, tls=tls, on_stop=self._site.stop
        )
        self._closed = False

    def publish(self, message: Message) -> None:
        """Pass an event or a notice on to the listeners, as it was stored."""
        if isinstance(message, Event | Notice) and (text := self._newest_message()):
            self._site.messages.send(text)

    def close(self) -> None:
        """Stop the server; answers under way get a moment to finish."""
        if not self._closed:
            self._closed = True
            self._server.close()
            self._site.close()


class MetricsServer(Closing):
    """Answers Prometheus at ``http://host:port/metrics``. Listens as soon as it is made."""

    def __init__(self, address: str, text: Callable[[], bytes]) -> None:
        """Listen on ``host:port``; ``text`` returns the metrics in Prometheus' text format 0.0.4.

        Raises SettingsError if that is not an address, PublishError if it cannot be listened on.
        """

        async def answer(request: Request) -> Response:
            return metrics_answer(text())

        listener = listen(address, "metrics")
        self.port: int = listener.getsockname()[1]
        """The port that it listens on; a free one if 0 was asked for."""
        application = Starlette(routes=[Route("/metrics", answer), Route("/", answer)])
        self._server = BoundedServer(application, listener, name="metrics", most=MAX_METRICS_CONNECTIONS)

    def close(self) -> None:
        """Stop answering."""
        self._server.close()
