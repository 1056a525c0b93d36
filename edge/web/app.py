"""What is asked for, and what is answered: the page and the HTTP API."""

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
from edge.errors import ImageError, SettingsError, StateError
from edge.publishers.base import Publisher
from edge.reading.reader import Analysis, Reader
from edge.running.live_reader import LiveReader
from edge.running.saved_vision import SavedVision
from edge.store import history
from edge.system.version import __version__
from edge.types import Frame
from edge.vision.settings import VisionSettings
from edge.web.access import AccessControl, is_loopback, problem
from edge.web.error_log import ErrorLog
from edge.web.live import Live, Told
from edge.web.openapi import described
from edge.web.pictures import view
from edge.web.teach import Teach, whole
from edge.web.tokens import Tokens
from edge.web.tune import Tune
from edge.web.upload import MOST_BYTES, SECONDS, Line, UploadError, announced, body, parsed, picture
from edge.web.upload_reader import UploadReader
from edge.web.worker import Worker

PAGE = Path(__file__).parent / "page"
FILES = {"page.css": "text/css", "icon.svg": "image/svg+xml"} | dict.fromkeys(
    ("page.js", "common.js", "analysis.js", "live.js", "draw.js", "events.js", "teach.js", "tune.js"), "text/javascript"
)
"""What the page is made of beside itself."""
SHOWN_EVENTS = 200
MOST_EVENTS = 10_000
"""Events of one answer, where nothing else is asked for, and at most."""
CLOSE_SECONDS = 0.1
"""What a thread is at in the end is waited for so long."""
STALE_SECONDS = 30.0
"""A service that has had no frame for so long is not healthy."""


@cache
def _content(name: str) -> bytes:
    """A file of the page: from memory, as a thread to open each of ten files takes longer than to send them."""
    return (PAGE / name).read_bytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What the page shows."""

    program: Program
    live_reader: LiveReader
    reader: Reader
    """The loop's."""
    saved_vision: SavedVision
    """What the page may change of how frames are cleaned."""
    source: str = ""
    """Its URI, without a password."""
    publishers: Iterable[Publisher] = ()
    events: Path | None = None
    """The file of events; None where there are none."""
    told: Callable[[], str | None] = lambda: None
    """The JSON of the newest event or notice, as it was stored."""
    metrics: Callable[[], bytes] = lambda: b""
    """Prometheus's text."""


class Site:
    """The application; ``Site.app`` is what a server runs."""

    def __init__(self, sources: Sources, tokens: Tokens, *, folder: Path, host: str, port: int) -> None:
        """``folder`` is the state folder, ``host`` and ``port`` are where it is listened at."""
        self._of, self._tokens, self._host = sources, tokens, host
        self._upload_reader = UploadReader(sources.reader)
        # A picture that somebody sent holds up other pictures, and nothing else.
        self._pictures, self._others = Worker("web-read"), Worker("web-work")
        self._line, self._faults = Line(), ErrorLog()
        self.told = Told()
        self._live = Live(lambda: sources.live_reader.newest, self._shown, self._status, self._faults)
        self._teach = Teach(folder, self._others.do)
        tune = Tune(sources.saved_vision, sources.program.controls, sources.reader, self._tried, self._others.do)
        routes = [
            *self._teach.routes,
            *tune.routes,
            Route("/", self._page),
            Route("/page/{name}", self._file),
            Route("/healthz", self._health),
            Route("/metrics", self._metrics),
            Route("/api/openapi.json", self._describe),
            Route("/api/login", self._login, methods=["POST"]),
            Route("/api/read", self._read, methods=["POST"]),
            Route("/api/reading", self._reading),
            Route("/api/live", self._look),
            Route("/api/status", self._say_status),
            Route("/api/events", self._events),
            Route("/api/history", self._history),
        ]
        self._guard = AccessControl(
            Starlette(
                routes=routes,
                exception_handlers={
                    HTTPException: _http_problem,
                    UploadError: _upload_problem,
                    ImageError: _image_problem,
                    SettingsError: _usage_problem,
                    StateError: _state_problem,
                    Exception: self._fault,
                },
            ),
            host=host,
            port=port,
            tokens=tokens,
        )
        self.app = self._guard

    async def stop(self) -> None:
        """End all streams, and whatever waits for a thread."""
        self._pictures.let_go()
        self._others.let_go()
        self.told.stop()
        await self._live.stop()

    def close(self) -> None:
        """Let go of threads, model and file; what a thread still works on after a moment, it keeps."""
        if self._pictures.close(CLOSE_SECONDS):
            self._upload_reader.close()
        if self._others.close(CLOSE_SECONDS):
            self._teach.close()

    # --- the page

    async def _page(self, request: Request) -> Response:
        return Response(_content("index.html"), media_type="text/html", headers={"Cache-Control": "no-cache"})

    async def _file(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in FILES:
            raise HTTPException(404)
        return Response(_content(name), media_type=FILES[name], headers={"Cache-Control": "no-cache"})

    async def _describe(self, request: Request) -> Response:
        return JSONResponse(described(shown_events=SHOWN_EVENTS, most_events=MOST_EVENTS))

    async def _login(self, request: Request) -> Response:
        try:
            token = parsed(await body(request, 1000))["token"]
            rights = self._tokens.rights(token)
        except (ValueError, KeyError, TypeError, AttributeError):
            return problem(400, 'a JSON object with the token is wanted: {"token": "…"}')
        if rights == "none":
            return problem(401, "this is no token of this device: edge token says them there")
        answer = JSONResponse({"rights": rights})
        answer.set_cookie(self._guard.cookie, token, max_age=365 * 86_400, httponly=True, samesite="strict")
        return answer

    # --- the API

    async def _read(self, request: Request) -> Response:
        if request.headers.get("content-type", "").startswith("multipart/"):
            return problem(415, "send the bytes of the image file as they are: curl --data-binary @photo.jpg")
        with self._line.place(announced(request)):
            data = await body(request, MOST_BYTES, SECONDS)

            def read() -> str:
                frame = Frame(picture(data, "picture"), "web")
                analysis = self._upload_reader.analyse(frame)
                if "stages" in request.query_params:
                    return _view(frame, analysis)
                return json.dumps(analysis.reading.as_dict())

            return Response(await self._pictures.do(read), media_type="application/json")

    async def _reading(self, request: Request) -> Response:
        newest = self._of.live_reader.newest
        if newest is None:
            return problem(503, "no frame was read yet", {"Retry-After": "1"})
        return JSONResponse(newest[1].reading.as_dict())

    async def _look(self, request: Request) -> Response:
        return _stream(request, self._live.look)

    async def _say_status(self, request: Request) -> Response:
        return JSONResponse({**await self._status(), "rights": request.scope["rights"]})

    async def _events(self, request: Request) -> Response:
        if "text/event-stream" in request.headers.get("accept", ""):
            return _stream(request, self.told.listen)
        last = whole(request, "last", SHOWN_EVENTS, MOST_EVENTS)
        texts = await self._others.do(lambda: list(self._past(None, None, last)))
        return Response(f'{{"events": [{", ".join(texts)}]}}', media_type="application/json")

    async def _history(self, request: Request) -> Response:
        asked = request.query_params
        now = datetime.now(UTC)
        since = history.parse_time(asked["since"], now) if "since" in asked else None
        until = history.parse_time(asked["until"], now) if "until" in asked else None
        last = whole(request, "last", None, MOST_EVENTS)
        kind = asked.get("format", "jsonl")
        if kind not in ("jsonl", "csv"):
            raise SettingsError(f"format: {kind[:40]!r} is none; jsonl or csv")
        past = self._past(since, until, last)

        def some() -> list[str]:
            return [history.csv_line(text) + "\r\n" if kind == "csv" else text + "\n" for text in islice(past, 500)]

        # What is wrong with the file is known before an answer begins.
        first = await self._others.do(some)

        async def lines() -> AsyncIterator[str]:
            if kind == "csv":
                yield history.csv_line(None) + "\r\n"
            part = first
            while part:
                yield "".join(part)
                part = await self._others.do(some)

        said = {"Content-Disposition": f'attachment; filename="events.{kind}"'}
        return StreamingResponse(lines(), media_type="text/csv" if kind == "csv" else "application/jsonl", headers=said)

    async def _health(self, request: Request) -> Response:
        age = self._of.live_reader.frame_age()
        camera = self._of.program.camera_state()
        well = age is not None and age < STALE_SECONDS and camera == "running"
        said = {"status": "ok" if well else "no frames", "camera": camera}
        return JSONResponse(said, 200 if well else 503)

    async def _metrics(self, request: Request) -> Response:
        text = await self._others.do(self._of.metrics)
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    # --- what is said

    async def _status(self) -> dict[str, Any]:
        program = self._of.program
        deliveries = [(publisher.name, publisher.delivery()) for publisher in self._of.publishers]
        return {
            **program.stats(),
            "version": __version__,
            "device": program.device,
            "source": self._of.source,
            "paused": program.controls.paused,
            "min_confidence": self._of.reader.min_confidence,
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

    async def _shown(self, newest: tuple[Frame, Analysis]) -> str:
        return str(await self._others.do(lambda: _view(*newest)))

    async def _tried(self, vision: VisionSettings) -> str | None:
        newest = self._of.live_reader.newest
        if newest is None:
            return None
        frame = newest[0]
        with self._line.place():
            return str(await self._pictures.do(lambda: _view(frame, self._upload_reader.analyse(frame, vision))))

    def _past(self, since: datetime | None, until: datetime | None, last: int | None) -> Iterator[str]:
        if self._of.events is None or not self._of.events.exists():
            return iter(())
        return history.read(self._of.events, since, until, last)

    async def _fault(self, request: Request, error: Exception) -> Response:
        self._faults.say(f"answering {request.url.path[:80]!r}", error)
        return problem(500, "something went wrong on the device; its log says what")


def _view(frame: Frame, analysis: Analysis) -> str:
    return json.dumps(view(frame.pixels, analysis))


def _stream(request: Request, events: Callable[[], AsyncIterator[str]]) -> Response:
    """Who asks for the head alone gets no events, and has none made."""
    if request.method == "HEAD":
        return Response(media_type="text/event-stream")
    return StreamingResponse(events(), media_type="text/event-stream")


async def _http_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    text = "there is no such thing here" if error.status_code == 404 else error.detail
    return problem(error.status_code, text, dict(error.headers or {}))


async def _upload_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, UploadError)
    # What was not read of it would be taken for the next request.
    later = {"Retry-After": "1"} if error.status == 503 else {}
    return problem(error.status, str(error), {"Connection": "close", **later})


async def _image_problem(request: Request, error: Exception) -> Response:
    return problem(422, str(error))


async def _usage_problem(request: Request, error: Exception) -> Response:
    return problem(400, str(error))


async def _state_problem(request: Request, error: Exception) -> Response:
    return problem(503, str(error))
