"""Operations of the HTTP API: each handler is declared with its route and its description, in one place."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

JSON, STREAM = "application/json", "text/event-stream"
"""Media types of answers."""

Schema = dict[str, Any]
"""A part of the description, as JSON."""
Handler = Callable[[Request], Awaitable[Response]]
Method = TypeVar("Method", bound=Callable[..., Awaitable[Response]])


class _Number(Convertor[int]):
    """A number in a path. Longer ones are in no database, and Python refuses to read very long ones."""

    regex = "[0-9]{1,18}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("number", _Number())


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What a request is for, what it takes, and what it answers."""

    method: str
    path: str
    """As Starlette has it: ``/api/corrections/{number:number}``."""
    summary: str
    answers: Mapping[str, Schema]
    """Media type -> schema of the answer; empty if the answer has no body."""
    status: int = 200
    """The answer's HTTP status."""
    more_answers: Mapping[int, tuple[str, Mapping[str, Schema]]] = field(default_factory=dict)
    """Other answers that are not errors: HTTP status -> summary, and media type -> schema."""
    query: tuple[Schema, ...] = ()
    """Parameters of the query, as OpenAPI has them."""
    path_names: Mapping[str, str] = field(default_factory=dict)
    """What each parameter in the path means."""
    body: Mapping[str, Schema] = field(default_factory=dict)
    """Media type -> schema of the request's body."""
    identifier: str = ""
    links: Schema = field(default_factory=dict)

    @property
    def described_path(self) -> str:
        """The path as OpenAPI has it: ``/api/corrections/{number}``."""
        return re.sub(r"\{(\w+):\w+\}", r"{\1}", self.path)


def operation(
    method: str, path: str, summary: str, answers: Mapping[str, Schema], **more: Any
) -> Callable[[Method], Method]:
    """Declare what the decorated handler answers; the arguments are the fields of ``Operation``."""
    declared = Operation(method=method, path=path, summary=summary, answers=answers, **more)

    def declare(handler: Method) -> Method:
        handler.operation = declared  # type: ignore[attr-defined]
        return handler

    return declare


def operations_of(owners: Iterable[type]) -> Iterator[Operation]:
    """The operations that the methods of these classes are declared with, in their order."""
    for owner in owners:
        for handler in vars(owner).values():
            if isinstance(declared := getattr(handler, "operation", None), Operation):
                yield declared


def routes_of(owners: Iterable[object]) -> list[Route]:
    """The routes to the operations of these objects: one for each path, so that it knows all methods of the path."""
    handlers: dict[str, dict[str, Handler]] = {}
    for owner in owners:
        for name, handler in vars(type(owner)).items():
            if isinstance(declared := getattr(handler, "operation", None), Operation):
                handlers.setdefault(declared.path, {})[declared.method] = getattr(owner, name)
    return [Route(path, _by_method(found), methods=list(found)) for path, found in handlers.items()]


def _by_method(handlers: Mapping[str, Handler]) -> Handler:
    async def answer(request: Request) -> Response:
        return await handlers["GET" if request.method == "HEAD" else request.method](request)

    return answer


def query(name: str, description: str, **schema: Any) -> Schema:
    """A parameter of the query."""
    return {"name": name, "in": "query", "description": description, "schema": schema}
