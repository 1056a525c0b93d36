"""Teach: the routes of ``/api/corrections``, which store, list and delete what digits really were."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from edge.corrections.database import FILE, Correction, Corrections, decode_glyph, decode_picture
from edge.errors import ImageError, SettingsError
from edge.system.closing import Closing
from edge.system.text import parse_json, printable
from edge.types import Pixels
from edge.web.http import JsonAnswer, error_response, read_body, whole_number
from edge.web.openapi_schemas import COUNT, MAX_NAME_LENGTH, object_schema, ref
from edge.web.operations import JSON, operation, query
from edge.web.pictures import png_uri, reduced
from edge.web.worker import RunJob

MAX_BYTES = 100_000
"""Most bytes of a correction, which has two small pictures in it. Chosen."""
MAX_CROP_SIDE = 256
"""Longer side of the stored crop of the picture, pixels; larger ones are reduced. Chosen."""
DEFAULT_CORRECTIONS = 60
"""Corrections in an answer if the request names no number. Chosen."""
MAX_CORRECTIONS = 1000
"""Most corrections in an answer. Chosen: they are held in memory."""
LAST = query(
    "last",
    "how many, the newest ones",
    type="integer",
    minimum=1,
    maximum=MAX_CORRECTIONS,
    default=DEFAULT_CORRECTIONS,
)
FIELDS = ("label", "read", "confidence", "source", "model", "glyph", "crop")
"""Fields that a correction may have."""
WANTED = "send a JSON object that has at least label and glyph"


class TeachRoutes(Closing):
    """Answers ``/api/corrections``. The database is used in one thread only, by ``run``."""

    def __init__(self, folder: Path, run: RunJob) -> None:
        """``folder`` is the state folder."""
        self._corrections, self._run = Corrections(folder / FILE), run

    def close(self) -> None:
        """Close the database."""
        self._corrections.close()

    @operation(
        "GET",
        "/api/corrections",
        "The corrections: what digits really were, newest first",
        {JSON: ref("Corrections")},
        query=(LAST,),
    )
    async def _list(self, request: Request) -> Response:
        last = whole_number(request, LAST, DEFAULT_CORRECTIONS)

        def answer() -> dict[str, Any]:
            return {
                "count": self._corrections.count(),
                "confusions": [asdict(one) for one in self._corrections.confusions()],
                "corrections": [
                    {
                        "id": number,
                        "at": one.at_text,
                        "label": one.label,
                        "read": one.read,
                        "confidence": one.confidence,
                        "source": one.source,
                        "model": one.model,
                        "glyph": png_uri(one.glyph),
                        "crop": None if one.crop is None else png_uri(one.crop),
                    }
                    for number, one in reversed(list(self._corrections.all(last)))
                ],
            }

        return JsonAnswer(await self._run(answer))

    @operation(
        "POST",
        "/api/corrections",
        "Correct a digit: store what it really was",
        {JSON: object_schema({"id": {**COUNT, "minimum": 1}})},
        status=201,
        body={JSON: ref("Correction")},
        links={"forget": {"operationId": "forget", "parameters": {"number": "$response.body#/id"}}},
    )
    async def _add(self, request: Request) -> Response:
        correction = parse_correction(await read_body(request, MAX_BYTES))
        number = await self._run(lambda: self._corrections.add(correction))
        return JsonAnswer({"id": number}, 201, {"Location": f"/api/corrections/{number}"})

    @operation(
        "DELETE",
        "/api/corrections/{number:number}",
        "Delete a correction",
        {},
        status=204,
        path_names={"number": "the id of the correction"},
        identifier="forget",
    )
    async def _remove(self, request: Request) -> Response:
        number = request.path_params["number"]
        removed = await self._run(lambda: self._corrections.remove(number))
        return Response(status_code=204) if removed else error_response(404, "there is no such correction")


def parse_correction(data: bytes) -> Correction:
    """The correction in a JSON text. Raises SettingsError, one line."""
    try:
        fields = parse_json(data)
    except ValueError as error:
        raise SettingsError(WANTED) from error
    if not isinstance(fields, dict) or "label" not in fields or "glyph" not in fields:
        raise SettingsError(WANTED)
    if unknown := next((name for name in fields if name not in FIELDS), None):
        raise SettingsError(f"{unknown[:40]}: no such field; the fields are {', '.join(FIELDS)}")
    confidence = fields.get("confidence", 0)
    if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
        raise SettingsError("confidence: must be a number from 0 to 1")
    crop = fields.get("crop")
    return Correction(
        label=_digit(fields["label"], "label"),
        read=_digit(fields.get("read"), "read"),
        confidence=float(confidence),
        source=_name(fields.get("source", ""), "source"),
        model=_name(fields.get("model", ""), "model"),
        glyph=_picture(fields["glyph"], "glyph", decode_glyph),
        crop=None if crop is None else reduced(_picture(crop, "crop", decode_picture), MAX_CROP_SIDE),
    )


def _digit(value: object, name: str) -> int | None:
    if value is not None and (isinstance(value, bool) or value not in range(10)):
        raise SettingsError(f"{name}: must be a digit from 0 to 9, or null for no digit")
    return None if value is None else int(value)  # type: ignore[call-overload]


def _name(value: object, name: str) -> str:
    if not isinstance(value, str) or len(value) > MAX_NAME_LENGTH:
        raise SettingsError(f"{name}: must be a name of at most {MAX_NAME_LENGTH} characters")
    return printable(value)


def _picture(value: object, name: str, decode: Callable[[bytes, str], Pixels]) -> Pixels:
    head, comma, encoded = value.partition(",") if isinstance(value, str) else ("", "", "")
    try:
        if head != "data:image/png;base64" or not comma:
            raise ImageError(f"{name}: must be a data URI of a PNG: data:image/png;base64,…")
        return decode(b64decode(encoded, validate=True), name)
    except Base64Error as error:
        raise SettingsError(f"{name}: is not valid base64") from error
    except ImageError as error:
        raise SettingsError(str(error)) from error
