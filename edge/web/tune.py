"""Tune: the routes of ``/api/vision``, which preview, save and restore the settings of ``[vision]``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from edge.controls import Controls
from edge.errors import SettingsError
from edge.reading.reader import Reader
from edge.running.saved_vision import SavedVision
from edge.system.text import parse_json
from edge.vision.settings import VisionSettings
from edge.web.http import JsonAnswer, error_response, read_body
from edge.web.openapi_schemas import ref, setting_schema, short_name, vision_settings
from edge.web.operations import JSON, operation, query
from edge.web.worker import RunJob

MAX_BYTES = 10_000
"""Most bytes of the settings that are sent. Chosen."""
JSON_TYPES = {bool: "boolean", int: "integer"}
"""JSON's names of the settings' types. All other settings are strings with choices."""


class TuneRoutes:
    """Answers ``/api/vision``. The loop takes new settings between two frames."""

    def __init__(
        self,
        saved: SavedVision,
        controls: Controls,
        reader: Reader,
        preview: Callable[[VisionSettings], Awaitable[str | None]],
        run: RunJob,
    ) -> None:
        """``preview`` reads the newest frame with other settings, and returns its JSON; None before the first frame.

        ``run`` runs what waits for the disk in another thread.
        """
        self._saved, self._controls, self._reader = saved, controls, reader
        self._preview, self._run = preview, run

    def vision(self) -> VisionSettings:
        """The settings that the loop uses, or will use from the next frame on."""
        return self._controls.vision or self._reader.vision

    @operation(
        "GET", "/api/vision", "The settings that frames are cleaned with, and the limits of each", {JSON: ref("Vision")}
    )
    async def _get(self, request: Request) -> Response:
        return JsonAnswer(self._answer())

    @operation(
        "GET",
        "/api/vision/preview",
        "The newest frame, read with other settings; nothing is saved",
        {JSON: ref("View")},
        query=tuple(query(short_name(info), info.description, **setting_schema(info)) for info in vision_settings()),
    )
    async def _get_preview(self, request: Request) -> Response:
        text = await self._preview(self._saved.with_values(dict(request.query_params), self.vision()))
        if text is None:
            return error_response(503, "no frame has been read yet; try again in a second", {"Retry-After": "1"})
        return Response(text, media_type=JSON)

    @operation(
        "PUT",
        "/api/vision",
        "Save other settings; frames are cleaned with them from now on",
        {JSON: ref("Vision")},
        body={JSON: ref("Recipe")},
    )
    async def _save(self, request: Request) -> Response:
        body = await read_body(request, MAX_BYTES)
        try:
            values = parse_json(body)
        except ValueError:
            values = None
        if not isinstance(values, dict):
            raise SettingsError('send a JSON object of settings, such as {"median": 5}')
        vision = self._saved.with_values(values, self.vision())
        await self._run(lambda: self._saved.save(vision))
        self._controls.set_vision(vision)
        return JsonAnswer(self._answer())

    @operation(
        "POST",
        "/api/vision/back",
        "Restore the previous settings; a second time restores the newer ones",
        {JSON: ref("Vision")},
    )
    async def _restore(self, request: Request) -> Response:
        if not self._saved.has_previous():
            return error_response(409, "nothing has been saved here yet; save settings first")
        self._controls.set_vision(await self._run(self._saved.restore_previous))
        return JsonAnswer(self._answer())

    def _answer(self) -> dict[str, Any]:
        return {
            "vision": asdict(self.vision()),
            "configured": asdict(self._saved.configured),
            "saved": self._saved.is_saved(),
            "back": self._saved.has_previous(),
            "settings": [
                {
                    "name": short_name(info),
                    "description": info.description,
                    "default": info.default,
                    "type": JSON_TYPES.get(info.type, "string"),
                    "least": info.limits[0],
                    "most": info.limits[1],
                    "choices": info.choices,
                    "pinned": short_name(info) in self._saved.pinned,
                }
                for info in vision_settings()
            ],
        }
