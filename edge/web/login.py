"""Log in: the route of ``/api/login``, which exchanges a token for a session."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from edge.system.text import parse_json
from edge.web.http import JsonAnswer, error_response, read_body
from edge.web.openapi_schemas import object_schema
from edge.web.operations import JSON, operation

MAX_BYTES = 10_000
"""Most bytes of a login: a JSON object with a token. Chosen: JSON may write a character with twelve bytes."""
TOKEN_LENGTH = 500
"""Most characters of a token. Chosen: those of ``edge token`` have 32."""


class LoginRoutes:
    """Answers ``/api/login``."""

    def __init__(self, log_in: Callable[[str, Scope], JsonAnswer]) -> None:
        """``log_in`` gives the answer to a token."""
        self._log_in = log_in

    @operation(
        "POST",
        "/api/login",
        "Log in: the answer sets a cookie, with which the browser stays logged in for a while",
        {JSON: object_schema({"rights": {"enum": ["view", "change"]}})},
        body={JSON: object_schema({"token": {"type": "string", "maxLength": TOKEN_LENGTH}})},
    )
    async def _login(self, request: Request) -> Response:
        body = await read_body(request, MAX_BYTES)
        try:
            token = parse_json(body)["token"]
            if len(token.encode()) > TOKEN_LENGTH:
                raise ValueError("too long")
        except (ValueError, KeyError, TypeError, AttributeError):
            return error_response(400, 'send a JSON object with the token: {"token": "…"}')
        return self._log_in(token, request.scope)
