"""State: the routes that answer how the device is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from edge.web.http import JsonAnswer, metrics_answer
from edge.web.openapi_schemas import TEXT, ref
from edge.web.operations import JSON, operation
from edge.web.worker import RunJob

STALE_SECONDS = 30.0
"""``/healthz`` answers 503 if the newest frame is older than this, seconds. Chosen."""


class StateRoutes:
    """Answers ``/api/status``, ``/healthz`` and ``/metrics``."""

    def __init__(
        self,
        status: Callable[[], Awaitable[dict[str, Any]]],
        *,
        frame_age: Callable[[], float | None],
        camera_state: Callable[[], str],
        metrics: Callable[[], bytes],
        run: RunJob,
    ) -> None:
        """``frame_age`` in seconds; ``metrics`` returns Prometheus' text, which ``run`` makes in another thread."""
        self._status, self._frame_age, self._camera_state = status, frame_age, camera_state
        self._text, self._run = metrics, run

    @operation("GET", "/api/status", "Statistics, and the state of each publisher", {JSON: ref("Status")})
    async def _get_status(self, request: Request) -> Response:
        return JsonAnswer({**await self._status(), "rights": request.scope["rights"]})

    @operation(
        "GET",
        "/healthz",
        "Whether the camera gives frames",
        {JSON: ref("Health")},
        more_answers={503: ("It gives no frames", {JSON: ref("Health")})},
    )
    async def _health(self, request: Request) -> Response:
        age, camera = self._frame_age(), self._camera_state()
        healthy = age is not None and age < STALE_SECONDS and camera == "running"
        return JsonAnswer({"status": "ok" if healthy else "no frames", "camera": camera}, 200 if healthy else 503)

    @operation("GET", "/metrics", "Metrics for Prometheus", {"text/plain": TEXT})
    async def _metrics(self, request: Request) -> Response:
        return metrics_answer(await self._run(self._text))
