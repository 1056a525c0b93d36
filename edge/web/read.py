"""Read: the routes that answer what was read, in a picture that is sent or in the newest frame."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from edge.reading.aim import Aim
from edge.reading.reader import Analysis
from edge.types import Frame
from edge.vision.settings import VisionSettings
from edge.web import upload
from edge.web.error_log import ErrorLog
from edge.web.http import JsonAnswer, content_length, error_response, event_stream, read_body
from edge.web.live import LiveStream
from edge.web.openapi_schemas import TEXT, ref
from edge.web.operations import JSON, STREAM, operation, query
from edge.web.pictures import describe_frame
from edge.web.upload_reader import UploadReader
from edge.web.worker import RunJob

PICTURE = {"type": "string", "format": "binary"}
STAGES = query("stages", "also answer with the stages that led to the reading, as a View", type="string")
Newest = tuple[Frame, Analysis]
"""The newest frame, and what was read in it."""


class ReadRoutes:
    """Answers ``/api/read``, ``/api/reading`` and ``/api/live``."""

    def __init__(
        self,
        newest: Callable[[], Newest | None],
        upload_reader: UploadReader,
        status: Callable[[], Awaitable[dict[str, Any]]],
        aim: Callable[[Frame, Analysis], Aim],
        error_log: ErrorLog,
        *,
        run_picture: RunJob,
        run: RunJob,
    ) -> None:
        """``newest`` returns the newest frame; ``status`` is part of the stream.

        ``aim`` tells how well the camera is aimed, by a frame that was read.

        ``run_picture`` runs what needs ``upload_reader`` in its thread, ``run`` everything else that is slow.
        """
        self._newest, self._upload_reader = newest, upload_reader
        self._aim = aim
        self._run_picture, self._run = run_picture, run
        self._upload_limit = upload.UploadLimit()
        self.live = LiveStream(newest, self._frame_json, self._aim_json, status, error_log)

    async def preview_json(self, vision: VisionSettings) -> str | None:
        """The newest frame read with other settings, as JSON; None before the first frame."""
        newest = self._newest()
        if newest is None:
            return None
        frame = newest[0]
        with self._upload_limit.reserve():
            return str(await self._run_picture(lambda: _view_json(frame, self._upload_reader.analyse(frame, vision))))

    @operation(
        "POST",
        "/api/read",
        "Read a picture",
        {JSON: {"anyOf": [ref("Reading"), ref("View")]}},
        query=(STAGES,),
        # Whatever the type says, the bytes decide how they are decoded.
        body={"application/octet-stream": PICTURE, "image/jpeg": PICTURE, "image/png": PICTURE},
    )
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

            return Response(await self._run_picture(read), media_type=JSON)

    @operation("GET", "/api/reading", "The newest Reading of the camera", {JSON: ref("Reading")})
    async def _newest_reading(self, request: Request) -> Response:
        newest = self._newest()
        if newest is None:
            return error_response(503, "no frame has been read yet; try again in a second", {"Retry-After": "1"})
        return JsonAnswer(newest[1].reading.as_dict())

    @operation(
        "GET",
        "/api/live",
        "A stream of events: view, a View of the newest frame, aim, its Aim, and status, a Status without rights",
        {STREAM: TEXT},
    )
    async def _live_events(self, request: Request) -> Response:
        return event_stream(request, self.live.events)

    @operation("GET", "/api/aim", "How well the newest frame shows the page, and the next step", {JSON: ref("Aim")})
    async def _newest_aim(self, request: Request) -> Response:
        newest = self._newest()
        if newest is None:
            return error_response(503, "no frame has been read yet; try again in a second", {"Retry-After": "1"})
        return Response(await self._aim_json(newest), media_type=JSON)

    async def _aim_json(self, newest: Newest) -> str:
        return str(await self._run(lambda: json.dumps(self._aim(*newest).as_dict())))

    async def _frame_json(self, newest: Newest) -> str:
        return str(await self._run(lambda: _view_json(*newest)))


def _view_json(frame: Frame, analysis: Analysis) -> str:
    return json.dumps(describe_frame(frame.pixels, analysis))
