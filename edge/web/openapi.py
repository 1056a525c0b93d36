"""Describes the HTTP API as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0), from the schemas and settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from edge.settings import SettingInfo, all_settings
from edge.system.version import __version__
from edge.web.teach import DEFAULT_CORRECTIONS, MAX_CORRECTIONS, MAX_NAME_LENGTH

SCHEMA_FOLDER = Path(__file__).parent.parent / "schema"
JSON, STREAM = "application/json", "text/event-stream"
DIGIT = {"type": ["integer", "null"], "minimum": 0, "maximum": 9}
STATS = (
    *("version", "device", "uptime_seconds", "camera", "model", "frames", "fps", "dropped_frames"),
    *("temperature_celsius", "throttled"),
)
"""Fields of the status that are described in ``edge/schema/stats.json``."""
PNG = {"type": "string", "description": "A data URI of a PNG: data:image/png;base64,…"}
PROBABILITY = {"type": "number", "minimum": 0, "maximum": 1}
COUNT = {"type": "integer", "minimum": 0}
TEXT = {"type": "string"}
BOOLEAN = {"type": "boolean"}

Schema = dict[str, Any]
"""A part of the description, as JSON."""


def describe_api(*, default_events: int, max_events: int) -> Schema:
    """The whole description. The arguments are the default and the largest number of events in an answer."""
    last = _query("last", "how many, the newest ones", type="integer", minimum=1, maximum=max_events)
    time_forms = "a date, a time as in RFC 3339, or 2h for two hours ago"
    previewed = [_query(_name(info), info.description, **_parameter_schema(info)) for info in _vision()]
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
                    {JSON: {"anyOf": [_ref("Reading"), _ref("View")]}},
                    parameters=[stages],
                    body={
                        # Whatever the type says, the bytes decide how they are decoded.
                        "application/octet-stream": picture,
                        "image/jpeg": picture,
                        "image/png": picture,
                    },
                )
            ),
            "/api/reading": _path_item(get=_operation("The newest Reading of the camera", {JSON: _ref("Reading")})),
            "/api/live": _path_item(
                get=_operation(
                    "A stream of events: view, a View of the newest frame, and status, a Status without rights",
                    {STREAM: TEXT},
                )
            ),
            "/api/status": _path_item(
                get=_operation("Statistics, and the state of each publisher", {JSON: _ref("Status")})
            ),
            "/api/events": _path_item(
                get=_operation(
                    f"The newest events, {default_events} by default; as {STREAM}, each event when it happens",
                    {JSON: _object({"events": _list({"anyOf": [_ref("Event"), _ref("Notice")]})}), STREAM: TEXT},
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
                    {JSON: _ref("Corrections")},
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
                    {JSON: _object({"id": {**COUNT, "minimum": 1}})},
                    status=201,
                    body={JSON: _ref("Correction")},
                    links={"forget": {"operationId": "forget", "parameters": {"number": "$response.body#/id"}}},
                ),
            ),
            "/api/corrections/{number}": _path_item(
                delete=_operation("Delete a correction", {}, status=204, parameters=[number], operation_id="forget")
            ),
            "/api/vision": _path_item(
                get=_operation(
                    "The settings that frames are cleaned with, and the limits of each", {JSON: _ref("Vision")}
                ),
                put=_operation(
                    "Save other settings; frames are cleaned with them from now on",
                    {JSON: _ref("Vision")},
                    body={JSON: _ref("Recipe")},
                ),
            ),
            "/api/vision/preview": _path_item(
                get=_operation(
                    "The newest frame, read with other settings; nothing is saved",
                    {JSON: _ref("View")},
                    parameters=previewed,
                )
            ),
            "/api/vision/back": _path_item(
                post=_operation(
                    "Restore the previous settings; a second time restores the newer ones", {JSON: _ref("Vision")}
                )
            ),
            "/api/login": _path_item(
                post=_operation(
                    "Log in: the answer sets a cookie with the token",
                    {JSON: _object({"rights": {"enum": ["view", "change"]}})},
                    body={JSON: _object({"token": TEXT})},
                )
            ),
            "/healthz": _path_item(
                get=_operation(
                    "Whether the camera gives frames",
                    {JSON: _ref("Health")},
                    more_answers={"503": _answer("It gives no frames", {JSON: _ref("Health")})},
                )
            ),
            "/metrics": _path_item(get=_operation("Metrics for Prometheus", {"text/plain": TEXT})),
        },
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "edge-digits-PORT"},
            },
            "schemas": _schemas(),
        },
    }


def _schemas() -> Schema:
    vision = {_name(info): {"description": info.description, **_parameter_schema(info)} for info in _vision()}
    fields = {"label": DIGIT, "read": DIGIT, "confidence": PROBABILITY, "source": TEXT, "model": TEXT, "glyph": PNG}
    listed = {
        **fields,
        "id": COUNT,
        "at": {"type": "string", "format": "date-time"},
        "crop": {"type": ["string", "null"]},
    }
    name = {"type": "string", "maxLength": MAX_NAME_LENGTH}
    stats = _load_schema("stats")["properties"]
    publisher = {
        "name": TEXT,
        "connected": BOOLEAN,
        "backlog": COUNT,
        "oldest_seconds": {"type": "number", "minimum": 0},
        "problem": _text("What is wrong now, in one line; empty if nothing is."),
    }
    confusion = _object({"read": DIGIT, "label": DIGIT, "count": {**COUNT, "minimum": 1}})
    return {
        "Error": {**_object({"error": TEXT}), "additionalProperties": False},
        "Health": _object(
            {
                "status": {"enum": ["ok", "no frames"], "description": "ok if the camera gives frames."},
                "camera": _text("The state of the camera, as in a Status."),
            }
        ),
        "Reading": _load_schema("reading"),
        "Event": _as_stored(_load_schema("event")),
        "Notice": _as_stored(_load_schema("notice")),
        "View": _object(
            {
                "reading": _ref("Reading"),
                "size": {**_list({"type": "integer"}), "description": "Width and height of the frame, pixels."},
                "polarity": _text("Whether the ink is dark or light."),
                "pictures": {
                    **_object({name: TEXT for name in ("grey", "even", "ink")}),
                    "description": "Data URIs: the frame in grey, with the lighting evened out, and the detected ink.",
                },
                "candidates": {
                    **_list({"type": "object"}),
                    "description": "All that may be a digit, in reading order: its box, what the model got, and"
                    " the most likely classes with their probabilities.",
                },
                "more": {**COUNT, "description": "How many candidates are left out because there are too many."},
                "stages_ms": {
                    "type": "object",
                    "additionalProperties": {"type": "number"},
                    "description": "Milliseconds of each stage.",
                },
            }
        ),
        "Status": _object(
            {
                **{name: stats[name] for name in STATS},
                "source": _text("The source's URI, without a password."),
                "paused": {**BOOLEAN, "description": "Whether reading is paused."},
                "min_confidence": {
                    **PROBABILITY,
                    "description": "A mark whose best digit is less probable than this is not read.",
                },
                "open": {
                    "type": "boolean",
                    "description": "Whether viewing needs no token, because only the device itself can reach the page.",
                },
                "publishers": _list(_object(publisher)),
                "rights": {"enum": ["view", "change"], "description": "What the sender of this request may do."},
            }
        ),
        "Recipe": {"type": "object", "properties": vision, "additionalProperties": False},
        "Vision": _object(
            {
                "vision": {**_ref("Recipe"), "description": "The settings in use."},
                "configured": {**_ref("Recipe"), "description": "The settings of file, environment and flags."},
                "saved": {**BOOLEAN, "description": "Whether settings were saved here."},
                "back": {**BOOLEAN, "description": "Whether there are previous settings to restore."},
                "settings": {**_list({"type": "object"}), "description": "Name, meaning, limits and default of each."},
            }
        ),
        "Correction": {
            "type": "object",
            "properties": {
                **fields,
                "label": {**DIGIT, "description": "What it really is; null if it is not a digit."},
                "read": {**DIGIT, "description": "What it was read as; null if it was not read."},
                "confidence": {**PROBABILITY, "description": "How probable that was for the model."},
                "source": name,
                "model": name,
                "glyph": {
                    **PNG,
                    "description": "A data URI of a PNG, 28x28, grey, light ink on black: what the model got.",
                },
                "crop": {
                    "type": ["string", "null"],
                    "description": "A data URI of a PNG: the part of the picture with the digit, or null.",
                },
            },
            "required": ["label", "glyph"],
            "additionalProperties": False,
        },
        "Corrections": _object({"count": COUNT, "confusions": _list(confusion), "corrections": _list(_object(listed))}),
    }


def _vision() -> list[SettingInfo]:
    return [info for info in all_settings() if info.name.startswith("vision.")]


def _name(info: SettingInfo) -> str:
    return info.name.removeprefix("vision.")


def _parameter_schema(info: SettingInfo) -> Schema:
    if info.choices:
        return {"type": "string", "enum": list(info.choices)}
    if info.type is bool:
        return {"type": "boolean"}
    return {"type": "integer", "minimum": info.limits[0], "maximum": info.limits[1]}


def _load_schema(name: str) -> Schema:
    schema: Schema = _without_prefix_items(json.loads((SCHEMA_FOLDER / f"{name}.json").read_text("utf-8")))
    # References in a schema with an $id would be resolved against that.
    return {key: value for key, value in schema.items() if key not in ("$schema", "$id")}


def _without_prefix_items(schema: Any) -> Any:
    """The schema without ``prefixItems``, which few client generators know: a box becomes a list of four integers."""
    if isinstance(schema, list):
        return [_without_prefix_items(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "prefixItems" in schema:
        items = schema["prefixItems"]
        simpler = {**schema, "items": items[0], "minItems": len(items), "maxItems": len(items)}
        return {key: value for key, value in simpler.items() if key != "prefixItems"}
    return {key: _without_prefix_items(value) for key, value in schema.items()}


def _as_stored(schema: Schema) -> Schema:
    """The schema of an event or notice as it is stored and sent: with its device and its number."""
    definitions = json.loads((SCHEMA_FOLDER / "mqtt.json").read_text("utf-8"))["$defs"]
    stored = definitions["stored"]
    return {
        **schema,
        "properties": {**schema["properties"], **stored["properties"], "device": definitions["device"]},
        "required": [*schema["required"], *stored["required"]],
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _text(description: str) -> Schema:
    return {"type": "string", "description": description}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


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
            "default": _answer("An error, in one line", {JSON: _ref("Error")}),
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
