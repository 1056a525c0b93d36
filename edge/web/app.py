"""The web application: the page and the HTTP API, of their parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from edge.controls import Program
from edge.publishers.base import Publisher
from edge.reading.aim import Aim, aim_of
from edge.reading.reader import Analysis, Reader
from edge.running.live_reader import LiveReader
from edge.running.saved_vision import SavedVision
from edge.system.version import __version__
from edge.types import Frame
from edge.web.access import AccessControl, is_loopback
from edge.web.clients import BusyLimit
from edge.web.error_log import ErrorLog
from edge.web.events import EventRoutes
from edge.web.http import EXCEPTION_HANDLERS, JsonAnswer, error_response
from edge.web.live import MessageStream
from edge.web.login import LoginRoutes
from edge.web.openapi import describe_api
from edge.web.operations import Schema, routes_of
from edge.web.read import ReadRoutes
from edge.web.state import StateRoutes
from edge.web.teach import TeachRoutes
from edge.web.tokens import Tokens
from edge.web.tune import TuneRoutes
from edge.web.upload_reader import UploadReader
from edge.web.worker import Worker

PAGE_FOLDER = Path(__file__).parent / "page"
PAGE_FILES = {"page.css": "text/css", "icon.svg": "image/svg+xml"} | dict.fromkeys(
    ("page.js", "common.js", "analysis.js", "live.js", "draw.js", "events.js", "teach.js", "tune.js"), "text/javascript"
)
"""The files that ``index.html`` loads, and their media types."""
API = (ReadRoutes, StateRoutes, EventRoutes, TeachRoutes, TuneRoutes, LoginRoutes)
"""The classes that answer the HTTP API, in the order of its description."""
CLOSE_SECONDS = 0.1
"""Seconds to wait at the end for what a thread is doing. Chosen: stopping must not take long."""


@cache
def description() -> Schema:
    """The HTTP API as OpenAPI."""
    return describe_api(API)


@cache
def _content(name: str) -> bytes:
    """A file of the page, from memory: to open each of ten files in a thread takes longer than to send them."""
    return (PAGE_FOLDER / name).read_bytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """The parts of the running program that the page shows and controls."""

    program: Program
    live_reader: LiveReader
    reader: Reader
    """The loop's reader."""
    saved_vision: SavedVision
    """The settings of ``[vision]`` that the page may change."""
    source: str = ""
    """The source's URI, without a password."""
    aim: Callable[[Frame, Analysis], Aim] = aim_of
    """How well the camera is aimed, by a frame that was read."""
    publishers: Iterable[Publisher] = ()
    events: Path | None = None
    """The database of events, or None if events are not stored."""
    newest_message: Callable[[], str | None] = lambda: None
    """Returns the JSON of the newest event or notice, as it was stored."""
    metrics: Callable[[], bytes] = lambda: b""
    """Returns the metrics as Prometheus text."""


class Site:
    """The web application. A server runs ``Site.app``."""

    def __init__(self, backend: Backend, tokens: Callable[[], Tokens], *, folder: Path, host: str, port: int) -> None:
        """``tokens`` returns the present tokens; ``folder`` is the state folder.

        ``host`` and ``port`` are the address that the server listens on.
        """
        self._backend, self._host = backend, host
        self._upload_reader = UploadReader(backend.reader)
        # Three threads: a picture that is slow to read delays other pictures, a locked database delays the state of the
        # publishers, and neither delays anything else.
        self._pictures, self._states, self._others = Worker("web-read"), Worker("web-state"), Worker("web-work")
        self._error_log = ErrorLog()
        self.messages = MessageStream()
        self._read = ReadRoutes(
            lambda: backend.live_reader.newest,
            self._upload_reader,
            self._status,
            backend.aim,
            self._error_log,
            run_picture=self._pictures.run,
            run=self._others.run,
        )
        state = StateRoutes(
            self._status,
            frame_age=backend.live_reader.frame_age,
            camera_state=backend.program.camera_state,
            metrics=backend.metrics,
            run=self._states.run,
        )
        self._teach = TeachRoutes(folder, self._others.run)
        tune = TuneRoutes(
            backend.saved_vision, backend.program.controls, backend.reader, self._read.preview_json, self._others.run
        )
        events = EventRoutes(backend.events, self.messages, self._others)
        login = LoginRoutes(lambda token, scope: self.app.log_in(token, scope))
        routes = [
            Route("/", self._index),
            Route("/page/{name}", self._page_file),
            Route("/api/openapi.json", self._openapi),
            *routes_of([self._read, state, events, self._teach, tune, login]),
        ]
        application = Starlette(
            routes=routes, exception_handlers={**EXCEPTION_HANDLERS, Exception: self._unexpected_error}
        )
        self.app = AccessControl(BusyLimit(application), host=host, port=port, tokens=tokens)

    async def stop(self) -> None:
        """End all streams, and all requests that wait for a thread."""
        for worker in (self._pictures, self._states, self._others):
            worker.cancel_waiting()
        self.messages.stop()
        await self._read.live.stop()

    def close(self) -> None:
        """End the threads, and close the model and the database. A thread that is still busy keeps what it uses."""
        if self._pictures.close(CLOSE_SECONDS):
            self._upload_reader.close()
        self._states.close(CLOSE_SECONDS)
        if self._others.close(CLOSE_SECONDS):
            self._teach.close()

    async def _index(self, request: Request) -> Response:
        return Response(_content("index.html"), media_type="text/html", headers={"Cache-Control": "no-cache"})

    async def _page_file(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in PAGE_FILES:
            raise HTTPException(404)
        return Response(_content(name), media_type=PAGE_FILES[name], headers={"Cache-Control": "no-cache"})

    async def _openapi(self, request: Request) -> Response:
        return JsonAnswer(description())

    async def _status(self) -> dict[str, Any]:
        # A publisher may wait for the store.
        return dict(await self._states.run(self._present_status))

    def _present_status(self) -> dict[str, Any]:
        program = self._backend.program
        deliveries = [(publisher.name, publisher.delivery()) for publisher in self._backend.publishers]
        return {
            **program.stats(),
            "version": __version__,
            "device": program.device,
            "source": self._backend.source,
            "camera_problem": program.camera_problem() or None,
            "paused": program.controls.paused,
            "min_confidence": self._backend.reader.min_confidence,
            "open": is_loopback(self._host),
            "publishers": [
                {
                    "name": name,
                    "connected": one.connected,
                    "backlog": one.backlog,
                    "oldest_seconds": round(one.oldest_seconds, 1),
                    "problem": one.problem,
                }
                for name, one in deliveries
                if one
            ],
        }

    async def _unexpected_error(self, request: Request, error: Exception) -> Response:
        self._error_log.log(f"answering {request.url.path[:80]!r}", error)
        return error_response(500, "the program has a bug; see the device's log")
