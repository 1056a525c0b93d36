"""Events: the routes that answer what happened, and when it happens."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Generator, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from edge.errors import SettingsError
from edge.store import history
from edge.web.http import RequestError, event_stream, whole_number
from edge.web.live import MessageStream
from edge.web.openapi_schemas import TEXT, list_schema, object_schema, ref
from edge.web.operations import JSON, STREAM, operation, query
from edge.web.worker import Worker

DEFAULT_EVENTS = 200
"""Events in an answer if the request names no number. Chosen."""
MAX_EVENTS = 10_000
"""Most events in an answer. Chosen: they are held in memory."""
MAX_DOWNLOADS = 4
"""Most downloads of the history at once. Chosen: each has the database open, which takes three file descriptors."""
DOWNLOAD_ROWS = 500
"""Events that are read from the database at once. Chosen."""
LAST = query("last", "how many, the newest ones", type="integer", minimum=1, maximum=MAX_EVENTS)
TIME_FORMS = "a date, a time as in RFC 3339, or 2h for two hours ago"
TIME = {
    "anyOf": [
        {"type": "string", "format": "date"},
        {"type": "string", "format": "date-time"},
        {"type": "string", "pattern": "^[0-9]{1,4}[smhdw]$"},
    ]
}
"""Schema of such a time."""
FORMATS = {"jsonl": "application/jsonl", "csv": "text/csv"}
"""Formats of a download, and their media types; the first is the default."""


class EventRoutes:
    """Answers ``/api/events`` and ``/api/history``."""

    def __init__(self, database: Path | None, messages: MessageStream, worker: Worker) -> None:
        """``database`` has the events, None if they are not stored; ``worker`` runs what waits for the disk."""
        self._database, self._messages, self._worker = database, messages, worker
        self._downloads = 0

    @operation(
        "GET",
        "/api/events",
        f"The newest events, {DEFAULT_EVENTS} by default; as {STREAM}, each event when it happens",
        {
            JSON: object_schema({"events": list_schema({"anyOf": [ref("Event"), ref("Notice")]})}),
            STREAM: TEXT,
        },
        query=(LAST,),
    )
    async def _events(self, request: Request) -> Response:
        if STREAM in request.headers.get("accept", ""):
            return event_stream(request, self._messages.events)
        last = whole_number(request, LAST, DEFAULT_EVENTS)
        texts = await self._worker.run(lambda: list(self._stored(None, None, last)))
        return Response(f'{{"events": [{", ".join(texts)}]}}', media_type=JSON)

    @operation(
        "GET",
        "/api/history",
        "A file of all stored events, oldest first",
        {kind: TEXT for kind in FORMATS.values()},
        query=(
            query("since", f"from this time on: {TIME_FORMS}", **TIME),
            query("until", f"up to this time: {TIME_FORMS}", **TIME),
            LAST,
            query("format", "format of the file", type="string", enum=list(FORMATS), default=next(iter(FORMATS))),
        ),
    )
    async def _history(self, request: Request) -> Response:
        query, now = request.query_params, datetime.now(UTC)
        since = history.parse_time(query["since"], now) if "since" in query else None
        until = history.parse_time(query["until"], now) if "until" in query else None
        last = whole_number(request, LAST)
        kind = query.get("format", "jsonl")
        if kind not in FORMATS:
            raise SettingsError(f"format: {kind[:40]!r} is unknown; use jsonl or csv")
        stored = self._stored(since, until, last)

        def next_lines() -> list[str]:
            rows = islice(stored, DOWNLOAD_ROWS)
            return [history.csv_line(text) + "\r\n" if kind == "csv" else text + "\n" for text in rows]

        with contextlib.ExitStack() as stack:
            stack.enter_context(self._one_more_download())
            # In the thread that opens the database.
            stack.callback(self._worker.post, stored.close)
            # Read before the answer begins, so that a damaged database is still answered with an error.
            first = await self._worker.run(next_lines)
            at_the_end = stack.pop_all()

        async def lines() -> AsyncIterator[str]:
            if kind == "csv":
                yield history.csv_line(None) + "\r\n"
            part = first
            while part:
                yield "".join(part)
                part = await self._worker.run(next_lines)

        headers = {"Content-Disposition": f'attachment; filename="events.{kind}"'}
        return _Download(lines(), at_the_end, media_type=FORMATS[kind], headers=headers)

    @contextlib.contextmanager
    def _one_more_download(self) -> Iterator[None]:
        if self._downloads >= MAX_DOWNLOADS:
            raise RequestError(503, "too many downloads at once; come again in a moment")
        self._downloads += 1
        try:
            yield
        finally:
            self._downloads -= 1

    def _stored(self, since: datetime | None, until: datetime | None, last: int | None) -> Generator[str, None, None]:
        if self._database is not None and self._database.exists():
            yield from history.read(self._database, since, until, last)


class _Download(StreamingResponse):
    """A file that is sent in parts; ``at_the_end`` is closed however that ends."""

    def __init__(self, lines: AsyncIterator[str], at_the_end: contextlib.ExitStack, **options: Any) -> None:
        super().__init__(lines, **options)
        self._at_the_end = at_the_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._at_the_end:
            await super().__call__(scope, receive, send)
