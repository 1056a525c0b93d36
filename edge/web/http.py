"""Reads a request's body, JSON and query within limits, and answers streams of events and errors."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from edge.errors import EdgeError, ImageError, SettingsError, StateError

BODY_SECONDS = 5.0
"""Seconds in which a body that is not a picture has to arrive. Chosen: such bodies are small."""


class RequestError(EdgeError, ValueError):
    """A request is not accepted; ``status`` is the HTTP status that says why."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def content_length(request: Request, max_bytes: int) -> int:
    """The size of the body as its header says, or ``max_bytes``. Raises RequestError if it is more than that."""
    header = request.headers.get("content-length", "")
    size = int(header) if header.isdecimal() else max_bytes
    if size > max_bytes:
        raise _too_large(max_bytes)
    return size


async def read_body(request: Request, max_bytes: int, seconds: float = BODY_SECONDS) -> bytes:
    """The whole body. Raises RequestError if it is too large, takes too long or is cut off."""
    content_length(request, max_bytes)
    parts, size = [], 0
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                size += len(part)
                if size > max_bytes:
                    raise _too_large(max_bytes)
                parts.append(part)
    except TimeoutError as error:
        raise RequestError(408, f"the body did not arrive within {seconds:.0f} s; send it again") from error
    except ClientDisconnect as error:
        raise RequestError(400, "the connection was closed before the whole body arrived") from error
    return b"".join(parts)


def whole_number(request: Request, parameter: Mapping[str, Any], default: int | None = None) -> int | None:
    """The value of a parameter of the query, within the limits of its description. Raises SettingsError."""
    name, least, most = parameter["name"], parameter["schema"]["minimum"], parameter["schema"]["maximum"]
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and 1 <= len(text) <= 6 and least <= int(text) <= most):
        raise SettingsError(f"{name}: {text[:40]!r} is not a whole number from {least} to {most}")
    return int(text)


def event_stream(request: Request, events: Callable[[], AsyncIterator[str]]) -> Response:
    """Server-sent events, while the sender may view. A HEAD request gets none, and none are made for it."""
    if request.method == "HEAD":
        return Response(media_type="text/event-stream")

    async def allowed() -> AsyncIterator[str]:
        async for text in events():
            if not request.scope["may_view"]():
                return
            yield text

    return StreamingResponse(allowed(), media_type="text/event-stream")


class JsonAnswer(JSONResponse):
    """JSON, also of text that is not Unicode: the name of a file or device may have any bytes."""

    def render(self, content: Any) -> bytes:
        """The body of the answer."""
        # A backslash and the code is what JSON writes for such a character too.
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8", "backslashreplace")


def error_response(status: int, text: str, headers: dict[str, str] | None = None) -> JsonAnswer:
    """An error in one line, as JSON."""
    return JsonAnswer({"error": text}, status, headers)


def metrics_answer(text: bytes) -> Response:
    """Metrics for Prometheus, in its text format 0.0.4."""
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4")


def _too_large(max_bytes: int) -> RequestError:
    return RequestError(413, f"too large: send at most {max_bytes:,} bytes")


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    text = "there is nothing at this address" if error.status_code == 404 else error.detail
    return error_response(error.status_code, text, dict(error.headers or {}))


async def _request_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    retry = {"Retry-After": "1"} if error.status == 503 else {}
    # Closed, because the unread rest of the body would be taken for the next request.
    return error_response(error.status, str(error), {"Connection": "close", **retry})


def _answers(status: int) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, error: Exception) -> Response:
        return error_response(status, str(error))

    return answer


EXCEPTION_HANDLERS: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
    HTTPException: _http_error,
    RequestError: _request_error,
    ImageError: _answers(422),
    SettingsError: _answers(400),
    StateError: _answers(503),
}
"""How Starlette answers each error that is raised on purpose."""
