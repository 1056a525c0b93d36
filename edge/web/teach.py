"""Teach: what somebody says that a digit really was is kept, told, and taken back."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as NoBase64
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from edge.corrections.database import FILE, Correction, Corrections, glyph_of, picture_of
from edge.errors import ImageError, SettingsError
from edge.system.closing import Closing
from edge.types import Pixels
from edge.web.access import problem
from edge.web.upload import body, parsed

MOST_BYTES = 100_000
"""Of one correction: two small pictures."""
CROP_SIDE = 256
"""Longer side of the place in the picture, pixels, at most."""
SHOWN, MOST_SHOWN = 60, 1000
"""Corrections of one answer, where nothing else is asked for, and at most."""
FIELDS = ("label", "read", "confidence", "source", "model", "glyph", "crop")
LONGEST = 500
"""Characters of a name."""

Do = Callable[[Callable[[], Any]], Awaitable[Any]]


class Teach(Closing):
    """Answers ``/api/corrections``; what is done with the file is done by ``do``, in one thread."""

    def __init__(self, folder: Path, do: Do) -> None:
        """``folder`` is the state folder."""
        self._corrections, self._do = Corrections(folder / FILE), do
        self.routes = [
            Route("/api/corrections", self._all, methods=["GET"]),
            Route("/api/corrections", self._add, methods=["POST"]),
            Route("/api/corrections/{number:int}", self._remove, methods=["DELETE"]),
        ]

    def close(self) -> None:
        """Let go of the file."""
        self._corrections.close()

    async def _add(self, request: Request) -> Response:
        one = correction(await body(request, MOST_BYTES))
        number = await self._do(lambda: self._corrections.add(one))
        return JSONResponse({"id": number}, 201, {"Location": f"/api/corrections/{number}"})

    async def _remove(self, request: Request) -> Response:
        number = request.path_params["number"]
        # SQLite counts to that.
        there = number < 2**63 and await self._do(lambda: self._corrections.remove(number))
        return Response(status_code=204) if there else problem(404, "there is no such correction")

    async def _all(self, request: Request) -> Response:
        last = whole(request, "last", SHOWN, MOST_SHOWN)

        def said() -> dict[str, Any]:
            return {
                "count": self._corrections.count(),
                "confusions": [asdict(one) for one in self._corrections.confusions()],
                "corrections": [
                    {
                        "id": number,
                        "at": one.moment,
                        "label": one.label,
                        "read": one.read,
                        "confidence": one.confidence,
                        "source": one.source,
                        "model": one.model,
                        "glyph": _uri(one.glyph),
                        "crop": None if one.crop is None else _uri(one.crop),
                    }
                    for number, one in reversed(list(self._corrections.all(last)))
                ],
            }

        return JSONResponse(await self._do(said))


def correction(data: bytes) -> Correction:
    """The JSON of one. Raises SettingsError, one line."""
    try:
        said = parsed(data)
    except ValueError as error:
        raise SettingsError("a JSON object is wanted, with label and glyph at least") from error
    if not isinstance(said, dict) or "label" not in said or "glyph" not in said:
        raise SettingsError("a JSON object is wanted, with label and glyph at least")
    if unknown := next((name for name in said if name not in FIELDS), None):
        raise SettingsError(f"{unknown[:40]}: no such field; {', '.join(FIELDS)}")
    sure = said.get("confidence", 0)
    if isinstance(sure, bool) or not isinstance(sure, int | float) or not 0 <= sure <= 1:
        raise SettingsError("confidence: a number from 0 to 1 is wanted")
    crop = said.get("crop")
    return Correction(
        label=_digit(said["label"], "label"),
        read=_digit(said.get("read"), "read"),
        confidence=float(sure),
        source=_name(said.get("source", ""), "source"),
        model=_name(said.get("model", ""), "model"),
        glyph=_picture(said["glyph"], "glyph", glyph_of),
        crop=None if crop is None else _small(_picture(crop, "crop", picture_of)),
    )


def whole(request: Request, name: str, default: int | None, most: int) -> int | None:
    """A whole number from 1 that is asked for in the query. Raises SettingsError."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and 1 <= len(text) <= 6 and 1 <= int(text) <= most):
        raise SettingsError(f"{name}: {text[:40]!r} is no whole number from 1 to {most}")
    return int(text)


def _digit(value: object, name: str) -> int | None:
    if value is not None and (isinstance(value, bool) or value not in range(10)):
        raise SettingsError(f"{name}: a digit from 0 to 9 is wanted, or null where there is none")
    return None if value is None else int(value)  # type: ignore[call-overload]


def _name(value: object, name: str) -> str:
    if not isinstance(value, str) or len(value) > LONGEST or not value.isprintable():
        raise SettingsError(f"{name}: a name of at most {LONGEST} characters is wanted")
    return value


def _picture(value: object, name: str, of: Callable[[bytes, str], Pixels]) -> Pixels:
    head, comma, packed = value.partition(",") if isinstance(value, str) else ("", "", "")
    try:
        if head != "data:image/png;base64" or not comma:
            raise ImageError(f"{name}: a data URI of a PNG is wanted: data:image/png;base64,…")
        return of(b64decode(packed, validate=True), name)
    except NoBase64 as error:
        raise SettingsError(f"{name}: is no base64") from error
    except ImageError as error:
        raise SettingsError(str(error)) from error


def _small(pixels: Pixels) -> Pixels:
    scale = CROP_SIDE / max(pixels.shape)
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else pixels


def _uri(pixels: Pixels) -> str:
    return f"data:image/png;base64,{b64encode(cv2.imencode('.png', pixels)[1].tobytes()).decode()}"
