"""The routes of the live page and of the HTTP API."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from edge.controls import Program
from edge.errors import SettingsError
from edge.publishers.base import Publisher
from edge.reading.reader import Analysis, Reader
from edge.running.live_reader import LiveReader
from edge.running.saved_vision import SavedVision
from edge.store import history
from edge.system.version import __version__
from edge.types import Frame
from edge.vision.settings import VisionSettings
from edge.web import upload
from edge.web.access import AccessControl, is_loopback
from edge.web.error_log import ErrorLog
from edge.web.http import EXCEPTION_HANDLERS, content_length, error_response, parse_json, read_body, whole_number
from edge.web.live import LiveStream, MessageStream
from edge.web.openapi import describe_api
from edge.web.pictures import describe_frame
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
DEFAULT_EVENTS = 200
"""Events in an answer if the request names no number. Chosen."""
MAX_EVENTS = 10_000
"""Most events in an answer. Chosen: they are held in memory."""
MAX_LOGIN_BYTES = 1000
"""Most bytes of a login: a JSON object with a token. Chosen."""
CLOSE_SECONDS = 0.1
"""Seconds to wait at the end for what a thread is doing. Chosen: stopping must not take long."""
STALE_SECONDS = 30.0
"""``/healthz`` answers 503 if the newest frame is older than this, seconds. Chosen."""


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
    publishers: Iterable[Publisher] = ()
    events: Path | None = None
    """The database of events, or None if events are not stored."""
    newest_message: Callable[[], str | None] = lambda: None
    """Returns the JSON of the newest event or notice, as it was stored."""
    metrics: Callable[[], bytes] = lambda: b""
    """Returns the metrics as Prometheus text."""


class Site:
    """The web application. A server runs ``Site.app``."""

    def __init__(self, backend: Backend, tokens: Tokens, *, folder: Path, host: str, port: int) -> None:
        """``folder`` is the state folder; ``host`` and ``port`` are the address that the server listens on."""
        self._backend, self._tokens, self._host = backend, tokens, host
        self._upload_reader = UploadReader(backend.reader)
        # Two threads: a picture that is slow to read delays other pictures, and nothing else.
        self._pictures, self._others = Worker("web-read"), Worker("web-work")
        self._upload_limit, self._error_log = upload.UploadLimit(), ErrorLog()
        self.messages = MessageStream()
        self._live = LiveStream(lambda: backend.live_reader.newest, self._frame_json, self._status, self._error_log)
        self._teach = TeachRoutes(folder, self._others.run)
        tune = TuneRoutes(
            backend.saved_vision, backend.program.controls, backend.reader, self._preview_json, self._others.run
        )
        routes = [
            *self._teach.routes,
            *tune.routes,
            Route("/", self._index),
            Route("/page/{name}", self._page_file),
            Route("/healthz", self._health),
            Route("/metrics", self._metrics),
            Route("/api/openapi.json", self._openapi),
            Route("/api/login", self._login, methods=["POST"]),
            Route("/api/read", self._read, methods=["POST"]),
            Route("/api/reading", self._newest_reading),
            Route("/api/live", self._live_events),
            Route("/api/status", self._get_status),
            Route("/api/events", self._events),
            Route("/api/history", self._history),
        ]
        self._access = AccessControl(
            Starlette(routes=routes, exception_handlers={**EXCEPTION_HANDLERS, Exception: self._unexpected_error}),
            host=host,
            port=port,
            tokens=tokens,
        )
        self.app = self._access

    async def stop(self) -> None:
        """End all streams, and all requests that wait for a thread."""
        self._pictures.cancel_waiting()
        self._others.cancel_waiting()
        self.messages.stop()
        await self._live.stop()

    def close(self) -> None:
        """End the threads, and close the model and the database. A thread that is still busy keeps what it uses."""
        if self._pictures.close(CLOSE_SECONDS):
            self._upload_reader.close()
        if self._others.close(CLOSE_SECONDS):
            self._teach.close()

    # --- the page

    async def _index(self, request: Request) -> Response:
        return Response(_content("index.html"), media_type="text/html", headers={"Cache-Control": "no-cache"})

    async def _page_file(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in PAGE_FILES:
            raise HTTPException(404)
        return Response(_content(name), media_type=PAGE_FILES[name], headers={"Cache-Control": "no-cache"})

    async def _openapi(self, request: Request) -> Response:
        return JSONResponse(describe_api(default_events=DEFAULT_EVENTS, max_events=MAX_EVENTS))

    async def _login(self, request: Request) -> Response:
        try:
            token = parse_json(await read_body(request, MAX_LOGIN_BYTES))["token"]
            rights = self._tokens.rights(token)
        except (ValueError, KeyError, TypeError, AttributeError):
            return error_response(400, 'send a JSON object with the token: {"token": "…"}')
        if rights == "none":
            return error_response(401, "this token is wrong; run edge token on the device to see the tokens")
        answer = JSONResponse({"rights": rights})
        answer.set_cookie(self._access.cookie, token, max_age=365 * 86_400, httponly=True, samesite="strict")
        return answer

    # --- the API

    async def _read(self, request: Request) -> Response:
        if request.headers.get("content-type", "").startswith("multipart/"):
            return error_response(415, "send the bytes of the image file, not a form: curl --data-binary @photo.jpg")
        with self._upload_limit.reserve(content_length(request, upload.MAX_BYTES)):
            data = await read_body(request, upload.MAX_BYTES, upload.UPLOAD_SECONDS)

            def read() -> str:
                frame = Frame(upload.decode(data, "picture"), "web")
                analysis = self._upload_reader.analyse(frame)
                if "stages" in request.query_params:
                    return _view_json(frame, analysis)
                return json.dumps(analysis.reading.as_dict())

            return Response(await self._pictures.run(read), media_type="application/json")

    async def _newest_reading(self, request: Request) -> Response:
        newest = self._backend.live_reader.newest
        if newest is None:
            return error_response(503, "no frame has been read yet; try again in a second", {"Retry-After": "1"})
        return JSONResponse(newest[1].reading.as_dict())

    async def _live_events(self, request: Request) -> Response:
        return _stream(request, self._live.events)

    async def _get_status(self, request: Request) -> Response:
        return JSONResponse({**await self._status(), "rights": request.scope["rights"]})

    async def _events(self, request: Request) -> Response:
        if "text/event-stream" in request.headers.get("accept", ""):
            return _stream(request, self.messages.events)
        last = whole_number(request, "last", DEFAULT_EVENTS, MAX_EVENTS)
        texts = await self._others.run(lambda: list(self._stored_events(None, None, last)))
        return Response(f'{{"events": [{", ".join(texts)}]}}', media_type="application/json")

    async def _history(self, request: Request) -> Response:
        query = request.query_params
        now = datetime.now(UTC)
        since = history.parse_time(query["since"], now) if "since" in query else None
        until = history.parse_time(query["until"], now) if "until" in query else None
        last = whole_number(request, "last", None, MAX_EVENTS)
        kind = query.get("format", "jsonl")
        if kind not in ("jsonl", "csv"):
            raise SettingsError(f"format: {kind[:40]!r} is unknown; use jsonl or csv")
        stored = self._stored_events(since, until, last)

        def next_lines() -> list[str]:
            return [history.csv_line(text) + "\r\n" if kind == "csv" else text + "\n" for text in islice(stored, 500)]

        # Read before the answer begins, so that a damaged database is still answered with an error.
        first = await self._others.run(next_lines)

        async def lines() -> AsyncIterator[str]:
            if kind == "csv":
                yield history.csv_line(None) + "\r\n"
            part = first
            while part:
                yield "".join(part)
                part = await self._others.run(next_lines)

        headers = {"Content-Disposition": f'attachment; filename="events.{kind}"'}
        media_type = "text/csv" if kind == "csv" else "application/jsonl"
        return StreamingResponse(lines(), media_type=media_type, headers=headers)

    async def _health(self, request: Request) -> Response:
        age = self._backend.live_reader.frame_age()
        camera = self._backend.program.camera_state()
        healthy = age is not None and age < STALE_SECONDS and camera == "running"
        return JSONResponse({"status": "ok" if healthy else "no frames", "camera": camera}, 200 if healthy else 503)

    async def _metrics(self, request: Request) -> Response:
        text = await self._others.run(self._backend.metrics)
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    # --- what the answers are made of

    async def _status(self) -> dict[str, Any]:
        program = self._backend.program
        deliveries = [(publisher.name, publisher.delivery()) for publisher in self._backend.publishers]
        return {
            **program.stats(),
            "version": __version__,
            "device": program.device,
            "source": self._backend.source,
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

    async def _frame_json(self, newest: tuple[Frame, Analysis]) -> str:
        return str(await self._others.run(lambda: _view_json(*newest)))

    async def _preview_json(self, vision: VisionSettings) -> str | None:
        newest = self._backend.live_reader.newest
        if newest is None:
            return None
        frame = newest[0]
        with self._upload_limit.reserve():
            return str(await self._pictures.run(lambda: _view_json(frame, self._upload_reader.analyse(frame, vision))))

    def _stored_events(self, since: datetime | None, until: datetime | None, last: int | None) -> Iterator[str]:
        if self._backend.events is None or not self._backend.events.exists():
            return iter(())
        return history.read(self._backend.events, since, until, last)

    async def _unexpected_error(self, request: Request, error: Exception) -> Response:
        self._error_log.log(f"answering {request.url.path[:80]!r}", error)
        return error_response(500, "the program has a bug; see the device's log")


def _view_json(frame: Frame, analysis: Analysis) -> str:
    return json.dumps(describe_frame(frame.pixels, analysis))


def _stream(request: Request, events: Callable[[], AsyncIterator[str]]) -> Response:
    """Server-sent events. A HEAD request gets none, and none are made for it."""
    if request.method == "HEAD":
        return Response(media_type="text/event-stream")
    return StreamingResponse(events(), media_type="text/event-stream")
