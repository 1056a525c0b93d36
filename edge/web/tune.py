"""Tune: the settings of ``[vision]`` tried on the newest frame, saved, and taken back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from edge.controls import Controls
from edge.errors import SettingsError
from edge.reading.reader import Reader
from edge.running.saved_vision import SavedVision
from edge.settings import all_settings
from edge.vision.settings import VisionSettings
from edge.web.access import problem
from edge.web.teach import Do
from edge.web.upload import body, parsed

MOST_BYTES = 10_000
KINDS = {bool: "boolean", int: "integer"}
"""The others are words of a few."""


class Tune:
    """Answers ``/api/vision``; the loop takes a new vision between two frames."""

    def __init__(
        self,
        saved: SavedVision,
        controls: Controls,
        reader: Reader,
        preview: Callable[[VisionSettings], Awaitable[str | None]],
        do: Do,
    ) -> None:
        """``preview`` gives the JSON of the newest frame as it is read by another vision; None before the first.

        ``do`` does what waits for the disk.
        """
        self._saved, self._controls, self._reader = saved, controls, reader
        self._preview, self._do = preview, do
        self.routes = [
            Route("/api/vision", self._say, methods=["GET"]),
            Route("/api/vision", self._save, methods=["PUT"]),
            Route("/api/vision/preview", self._try, methods=["GET"]),
            Route("/api/vision/back", self._back, methods=["POST"]),
        ]

    def vision(self) -> VisionSettings:
        """What the loop reads by, or will with the next frame."""
        return self._controls.vision or self._reader.vision

    async def _say(self, request: Request) -> Response:
        return JSONResponse(self._said())

    async def _try(self, request: Request) -> Response:
        shown = await self._preview(self._saved.with_values(dict(request.query_params), self.vision()))
        if shown is None:
            return problem(503, "no frame was read yet", {"Retry-After": "1"})
        return Response(shown, media_type="application/json")

    async def _save(self, request: Request) -> Response:
        try:
            values = parsed(await body(request, MOST_BYTES))
        except ValueError:
            values = None
        if not isinstance(values, dict):
            raise SettingsError('a JSON object of settings is wanted: {"median": 5}')
        vision = self._saved.with_values(values, self.vision())
        await self._do(lambda: self._saved.save(vision))
        self._controls.set_vision(vision)
        return JSONResponse(self._said())

    async def _back(self, request: Request) -> Response:
        if not self._saved.has_previous():
            return problem(409, "nothing was saved here yet")
        self._controls.set_vision(await self._do(self._saved.restore_previous))
        return JSONResponse(self._said())

    def _said(self) -> dict[str, Any]:
        return {
            "vision": asdict(self.vision()),
            "configured": asdict(self._saved.configured),
            "saved": self._saved.is_saved(),
            "back": self._saved.has_previous(),
            "settings": [
                {
                    "name": info.name.removeprefix("vision."),
                    "description": info.description,
                    "default": info.default,
                    "type": KINDS.get(info.type, "string"),
                    "least": info.limits[0],
                    "most": info.limits[1],
                    "choices": info.choices,
                    "pinned": info.name.removeprefix("vision.") in self._saved.pinned,
                }
                for info in all_settings()
                if info.name.startswith("vision.")
            ],
        }
