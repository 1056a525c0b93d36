"""Describes the HTTP API as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0), from its declared operations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from edge.system.version import __version__
from edge.web.access import needed_rights
from edge.web.openapi_schemas import component_schemas, ref
from edge.web.operations import JSON, Operation, Schema, operations_of
from edge.web.tokens import Rights

SECURITY: dict[Rights, list[Schema]] = {
    "none": [],
    "view": [{}, {"bearer": []}, {"cookie": []}],
    "change": [{"bearer": []}, {"cookie": []}],
}
"""Rights that an operation needs -> its ``security``. Viewing needs no token on the device itself."""
PATH_TYPES = {"number": {"type": "integer", "minimum": 0}}
"""The convertor in a path -> schema of the parameter."""


def describe_api(owners: Iterable[type]) -> Schema:
    """The whole description, of the operations that these classes declare."""
    paths: Schema = {}
    for one in operations_of(owners):
        paths.setdefault(one.described_path, {})[one.method.lower()] = _described(one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "edge-digits",
            "version": __version__,
            "description": "A device that reads handwritten digits. If it listens on 127.0.0.1, viewing needs no token;"
            " otherwise it does. Changes always need the token that allows changes. To see both tokens, run edge token"
            " on the device.",
        },
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "edge-digits-PORT"},
            },
            "schemas": component_schemas(),
        },
    }


def _described(one: Operation) -> Schema:
    answer = _answer(one.summary, one.answers)
    if one.links:
        answer["links"] = one.links
    described: Schema = {
        "summary": one.summary,
        "security": SECURITY[needed_rights(one.method, one.path)],
        "responses": {
            str(one.status): answer,
            **{str(status): _answer(*of) for status, of in one.more_answers.items()},
            "default": _answer("An error, in one line", {JSON: ref("Error")}),
        },
    }
    if one.identifier:
        described["operationId"] = one.identifier
    in_path = [
        {"name": name, "in": "path", "required": True, "description": one.path_names[name], "schema": PATH_TYPES[kind]}
        for name, kind in re.findall(r"\{(\w+):(\w+)\}", one.path)
    ]
    if parameters := [*in_path, *one.query]:
        described["parameters"] = parameters
    if one.body:
        described["requestBody"] = {"required": True, "content": _content(one.body)}
    return described


def _answer(description: str, answers: Mapping[str, Schema]) -> Schema:
    return {"description": description, **({"content": _content(answers)} if answers else {})}


def _content(schemas: Mapping[str, Schema]) -> Schema:
    return {kind: {"schema": schema} for kind, schema in schemas.items()}
