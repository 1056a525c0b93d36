"""Describes the HTTP API as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0): its paths, and what they answer."""

from __future__ import annotations

from typing import Any

from edge.system.version import __version__
from edge.web.openapi_schemas import (
    COUNT,
    TEXT,
    Schema,
    component_schemas,
    list_schema,
    object_schema,
    ref,
    setting_schema,
    short_name,
    vision_settings,
)
from edge.web.teach import DEFAULT_CORRECTIONS, MAX_CORRECTIONS

JSON, STREAM = "application/json", "text/event-stream"


def describe_api(*, default_events: int, max_events: int) -> Schema:
    """The whole description. The arguments are the default and the largest number of events in an answer."""
    last = _query("last", "how many, the newest ones", type="integer", minimum=1, maximum=max_events)
    time_forms = "a date, a time as in RFC 3339, or 2h for two hours ago"
    previewed = [_query(short_name(info), info.description, **setting_schema(info)) for info in vision_settings()]
    number = {
        "name": "number",
        "in": "path",
        "required": True,
        "description": "the id of the correction",
        "schema": {"type": "integer", "minimum": 0},
    }
    picture = {"type": "string", "format": "binary"}
    stages = _query(
        "stages", "also answer with the stages that led to the reading, as a View", type="string", enum=[""]
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "edge-digits",
            "version": __version__,
            "description": "A device that reads handwritten digits. If it listens on 127.0.0.1, viewing needs no token;"
            " otherwise it does. Changes always need the token that allows changes. To see both tokens, run edge token"
            " on the device.",
        },
        "security": [{}, {"bearer": []}, {"cookie": []}],
        "paths": {
            "/api/read": _path_item(
                post=_operation(
                    "Read a picture",
                    {JSON: {"anyOf": [ref("Reading"), ref("View")]}},
                    parameters=[stages],
                    body={
                        # Whatever the type says, the bytes decide how they are decoded.
                        "application/octet-stream": picture,
                        "image/jpeg": picture,
                        "image/png": picture,
                    },
                )
            ),
            "/api/reading": _path_item(get=_operation("The newest Reading of the camera", {JSON: ref("Reading")})),
            "/api/live": _path_item(
                get=_operation(
                    "A stream of events: view, a View of the newest frame, and status, a Status without rights",
                    {STREAM: TEXT},
                )
            ),
            "/api/status": _path_item(
                get=_operation("Statistics, and the state of each publisher", {JSON: ref("Status")})
            ),
            "/api/events": _path_item(
                get=_operation(
                    f"The newest events, {default_events} by default; as {STREAM}, each event when it happens",
                    {
                        JSON: object_schema({"events": list_schema({"anyOf": [ref("Event"), ref("Notice")]})}),
                        STREAM: TEXT,
                    },
                    parameters=[last],
                )
            ),
            "/api/history": _path_item(
                get=_operation(
                    "A file of all stored events, oldest first",
                    {"application/jsonl": TEXT, "text/csv": TEXT},
                    parameters=[
                        _query("since", f"from this time on: {time_forms}", type="string"),
                        _query("until", f"up to this time: {time_forms}", type="string"),
                        last,
                        _query("format", "format of the file", type="string", enum=["jsonl", "csv"], default="jsonl"),
                    ],
                )
            ),
            "/api/corrections": _path_item(
                get=_operation(
                    "The corrections: what digits really were, newest first",
                    {JSON: ref("Corrections")},
                    parameters=[
                        _query(
                            "last",
                            "how many, the newest ones",
                            type="integer",
                            minimum=1,
                            maximum=MAX_CORRECTIONS,
                            default=DEFAULT_CORRECTIONS,
                        )
                    ],
                ),
                post=_operation(
                    "Correct a digit: store what it really was",
                    {JSON: object_schema({"id": {**COUNT, "minimum": 1}})},
                    status=201,
                    body={JSON: ref("Correction")},
                    links={"forget": {"operationId": "forget", "parameters": {"number": "$response.body#/id"}}},
                ),
            ),
            "/api/corrections/{number}": _path_item(
                delete=_operation("Delete a correction", {}, status=204, parameters=[number], operation_id="forget")
            ),
            "/api/vision": _path_item(
                get=_operation(
                    "The settings that frames are cleaned with, and the limits of each", {JSON: ref("Vision")}
                ),
                put=_operation(
                    "Save other settings; frames are cleaned with them from now on",
                    {JSON: ref("Vision")},
                    body={JSON: ref("Recipe")},
                ),
            ),
            "/api/vision/preview": _path_item(
                get=_operation(
                    "The newest frame, read with other settings; nothing is saved",
                    {JSON: ref("View")},
                    parameters=previewed,
                )
            ),
            "/api/vision/back": _path_item(
                post=_operation(
                    "Restore the previous settings; a second time restores the newer ones", {JSON: ref("Vision")}
                )
            ),
            "/api/login": _path_item(
                post=_operation(
                    "Log in: the answer sets a cookie with the token",
                    {JSON: object_schema({"rights": {"enum": ["view", "change"]}})},
                    body={JSON: object_schema({"token": TEXT})},
                )
            ),
            "/healthz": _path_item(
                get=_operation(
                    "Whether the camera gives frames",
                    {JSON: ref("Health")},
                    more_answers={"503": _answer("It gives no frames", {JSON: ref("Health")})},
                )
            ),
            "/metrics": _path_item(get=_operation("Metrics for Prometheus", {"text/plain": TEXT})),
        },
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "edge-digits-PORT"},
            },
            "schemas": component_schemas(),
        },
    }


def _query(name: str, description: str, **schema: Any) -> Schema:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _answer(description: str, content: Schema) -> Schema:
    return {
        "description": description,
        **({"content": {kind: {"schema": schema} for kind, schema in content.items()}} if content else {}),
    }


def _path_item(**operations: Schema) -> Schema:
    return operations


def _operation(
    summary: str,
    content: Schema,
    *,
    status: int = 200,
    parameters: list[Schema] | None = None,
    body: Schema | None = None,
    more_answers: Schema | None = None,
    links: Schema | None = None,
    operation_id: str = "",
) -> Schema:
    answer = _answer(summary, content)
    if links:
        answer["links"] = links
    operation: Schema = {
        "summary": summary,
        "responses": {
            str(status): answer,
            **(more_answers or {}),
            "default": _answer("An error, in one line", {JSON: ref("Error")}),
        },
    }
    if operation_id:
        operation["operationId"] = operation_id
    if parameters:
        operation["parameters"] = parameters
    if body:
        operation["requestBody"] = {
            "required": True,
            "content": {kind: {"schema": schema} for kind, schema in body.items()},
        }
    return operation
