"""The HTTP API's description: OpenAPI 3.1, https://spec.openapis.org/oas/v3.1.0, made of the same schemas and settings
that everything else here is made of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from edge.settings import SettingInfo, all_settings
from edge.system.version import __version__
from edge.web.teach import MOST_SHOWN, SHOWN

SCHEMAS = Path(__file__).parent.parent / "schema"
JSON, STREAM = "application/json", "text/event-stream"
DIGIT = {"type": ["integer", "null"], "minimum": 0, "maximum": 9}
STATS = (
    *("version", "device", "uptime_seconds", "camera", "model", "frames", "fps", "dropped_frames"),
    *("temperature_celsius", "throttled"),
)
"""What a status has of ``edge/schema/stats.json``."""
PNG = {"type": "string", "description": "A data URI of a PNG: data:image/png;base64,…"}
SHARE = {"type": "number", "minimum": 0, "maximum": 1}
COUNT = {"type": "integer", "minimum": 0}
TEXT = {"type": "string"}
YES = {"type": "boolean"}

Made = dict[str, Any]


def described(*, shown_events: int, most_events: int) -> Made:
    """The whole description; the numbers are how many events an answer has, unasked and at most."""
    last = _query("last", "the newest so many", type="integer", minimum=1, maximum=most_events)
    moment = "a date, RFC 3339, or 2h for two hours ago"
    tries = [_query(_name(info), info.description, **_takes(info)) for info in _vision()]
    number = {"name": "number", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 0}}
    picture = {"type": "string", "format": "binary"}
    stages = _query("stages", "every stage that led to it, too: a View", type="string", enum=[""])
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "edge-digits",
            "version": __version__,
            "description": "A device that reads handwritten digits. From 127.0.0.1 everybody may look; from elsewhere a"
            " token is needed, and another one wherever something is changed: edge token says both on the device.",
        },
        "security": [{}, {"bearer": []}, {"cookie": []}],
        "paths": {
            "/api/read": _paths(
                post=_of(
                    "Read a picture",
                    {JSON: {"anyOf": [_ref("Reading"), _ref("View")]}},
                    parameters=[stages],
                    takes={
                        # The bytes alone tell which it is.
                        "application/octet-stream": picture,
                        "image/jpeg": picture,
                        "image/png": picture,
                    },
                )
            ),
            "/api/reading": _paths(get=_of("The newest Reading", {JSON: _ref("Reading")})),
            "/api/live": _paths(get=_of("Events view, a View, and status, a Status without rights", {STREAM: TEXT})),
            "/api/status": _paths(get=_of("How it gets on", {JSON: _ref("Status")})),
            "/api/events": _paths(
                get=_of(
                    f"The newest events, {shown_events} of them unasked; as they happen as {STREAM}",
                    {JSON: _object({"events": _list({"anyOf": [_ref("Event"), _ref("Notice")]})}), STREAM: TEXT},
                    parameters=[last],
                )
            ),
            "/api/history": _paths(
                get=_of(
                    "A file of events, oldest first",
                    {"application/jsonl": TEXT, "text/csv": TEXT},
                    parameters=[
                        _query("since", f"from this time on: {moment}", type="string"),
                        _query("until", f"up to this time: {moment}", type="string"),
                        last,
                        _query("format", "of the file", type="string", enum=["jsonl", "csv"], default="jsonl"),
                    ],
                )
            ),
            "/api/corrections": _paths(
                get=_of(
                    "What people said that digits really were, newest first",
                    {JSON: _ref("Corrections")},
                    parameters=[
                        _query("last", "so many", type="integer", minimum=1, maximum=MOST_SHOWN, default=SHOWN)
                    ],
                ),
                post=_of(
                    "Say what a digit really was",
                    {JSON: _object({"id": {**COUNT, "minimum": 1}})},
                    status=201,
                    takes={JSON: _ref("Correction")},
                    links={"forget": {"operationId": "forget", "parameters": {"number": "$response.body#/id"}}},
                ),
            ),
            "/api/corrections/{number}": _paths(
                delete=_of("Take one back", {}, status=204, parameters=[number], operation="forget")
            ),
            "/api/vision": _paths(
                get=_of("How frames are cleaned, and what may be changed of it", {JSON: _ref("Vision")}),
                put=_of("Clean them so from now on", {JSON: _ref("Vision")}, takes={JSON: _ref("Recipe")}),
            ),
            "/api/vision/preview": _paths(
                get=_of(
                    "The newest frame, cleaned otherwise; nothing is changed", {JSON: _ref("View")}, parameters=tries
                )
            ),
            "/api/vision/back": _paths(post=_of("Clean them as before; again: as after that", {JSON: _ref("Vision")})),
            "/api/login": _paths(
                post=_of(
                    "Have a token kept in a cookie",
                    {JSON: _object({"rights": {"enum": ["view", "change"]}})},
                    takes={JSON: _object({"token": TEXT})},
                )
            ),
            "/healthz": _paths(
                get=_of(
                    "Whether frames come",
                    {JSON: _ref("Health")},
                    more={"503": _answer("None do", {JSON: _ref("Health")})},
                )
            ),
            "/metrics": _paths(get=_of("For Prometheus", {"text/plain": TEXT})),
        },
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "edge-digits-PORT"},
            },
            "schemas": _schemas(),
        },
    }


def _schemas() -> Made:
    vision = {_name(info): {"description": info.description, **_takes(info)} for info in _vision()}
    given = {"label": DIGIT, "read": DIGIT, "confidence": SHARE, "source": TEXT, "model": TEXT, "glyph": PNG}
    shown = {
        **given,
        "id": COUNT,
        "at": {"type": "string", "format": "date-time"},
        "crop": {"type": ["string", "null"]},
    }
    name = {"type": "string", "maxLength": 500}
    stats = _file("stats")["properties"]
    publisher = {
        "name": TEXT,
        "connected": YES,
        "backlog": COUNT,
        "oldest_seconds": {"type": "number", "minimum": 0},
        "problem": {"type": "string", "description": "What is wrong now, one line; empty where nothing is."},
    }
    confusion = _object({"read": DIGIT, "label": DIGIT, "count": {**COUNT, "minimum": 1}})
    return {
        "Error": {**_object({"error": TEXT}), "additionalProperties": False},
        "Health": _object({"status": {"enum": ["ok", "no frames"]}, "camera": TEXT}),
        "Reading": _file("reading"),
        "Event": _sent(_file("event")),
        "Notice": _sent(_file("notice")),
        "View": _object(
            {
                "reading": _ref("Reading"),
                "size": _list({"type": "integer"}),
                "polarity": TEXT,
                "pictures": _object({name: TEXT for name in ("grey", "even", "ink")}),
                "candidates": _list({"type": "object"}),
                "more": COUNT,
                "stages_ms": {"type": "object", "additionalProperties": {"type": "number"}},
            }
        ),
        "Status": _object(
            {
                **{name: stats[name] for name in STATS},
                "source": {"type": "string", "description": "Its URI, without a password."},
                "paused": YES,
                "min_confidence": SHARE,
                "open": {"type": "boolean", "description": "Whether whoever is on the device itself needs no token."},
                "publishers": _list(_object(publisher)),
                "rights": {"enum": ["view", "change"], "description": "What whoever asks may do."},
            }
        ),
        "Recipe": {"type": "object", "properties": vision, "additionalProperties": False},
        "Vision": _object(
            {
                "vision": _ref("Recipe"),
                "configured": _ref("Recipe"),
                "saved": YES,
                "back": YES,
                "settings": _list({"type": "object"}),
            }
        ),
        "Correction": {
            "type": "object",
            "properties": {
                **given,
                "source": name,
                "model": name,
                "glyph": {**PNG, "description": "28x28, grey, light ink on black, as a View has it."},
                "crop": {"type": ["string", "null"], "description": "The place in the picture, as the glyph."},
            },
            "required": ["label", "glyph"],
            "additionalProperties": False,
        },
        "Corrections": _object({"count": COUNT, "confusions": _list(confusion), "corrections": _list(_object(shown))}),
    }


def _vision() -> list[SettingInfo]:
    return [info for info in all_settings() if info.name.startswith("vision.")]


def _name(info: SettingInfo) -> str:
    return info.name.removeprefix("vision.")


def _takes(info: SettingInfo) -> Made:
    if info.choices:
        return {"type": "string", "enum": list(info.choices)}
    if info.type is bool:
        return {"type": "boolean"}
    return {"type": "integer", "minimum": info.limits[0], "maximum": info.limits[1]}


def _file(name: str) -> Made:
    schema: Made = _plain(json.loads((SCHEMAS / f"{name}.json").read_text("utf-8")))
    # A schema with a name of its own would be looked for there.
    return {key: value for key, value in schema.items() if key not in ("$schema", "$id")}


def _plain(schema: Any) -> Any:
    """Without ``prefixItems``, which few that make clients know: a box is four whole numbers."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "prefixItems" in schema:
        items = schema["prefixItems"]
        same = {**schema, "items": items[0], "minItems": len(items), "maxItems": len(items)}
        return {key: value for key, value in same.items() if key != "prefixItems"}
    return {key: _plain(value) for key, value in schema.items()}


def _sent(schema: Made) -> Made:
    """An event or a notice as it is stored and sent: with who says it, and the how-manieth it is."""
    defined = json.loads((SCHEMAS / "mqtt.json").read_text("utf-8"))["$defs"]
    more = defined["stored"]
    return {
        **schema,
        "properties": {**schema["properties"], **more["properties"], "device": defined["device"]},
        "required": [*schema["required"], *more["required"]],
    }


def _ref(name: str) -> Made:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(properties: Made) -> Made:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list(items: Made) -> Made:
    return {"type": "array", "items": items}


def _query(name: str, what: str, **schema: Any) -> Made:
    return {"name": name, "in": "query", "description": what, "schema": schema}


def _answer(what: str, content: Made) -> Made:
    return {
        "description": what,
        **({"content": {kind: {"schema": schema} for kind, schema in content.items()}} if content else {}),
    }


def _paths(**operations: Made) -> Made:
    return operations


def _of(
    what: str,
    gives: Made,
    *,
    status: int = 200,
    parameters: list[Made] | None = None,
    takes: Made | None = None,
    more: Made | None = None,
    links: Made | None = None,
    operation: str = "",
) -> Made:
    answer = _answer(what, gives)
    if links:
        answer["links"] = links
    made: Made = {
        "summary": what,
        "responses": {
            str(status): answer,
            **(more or {}),
            "default": _answer("What is wrong, in one line", {JSON: _ref("Error")}),
        },
    }
    if operation:
        made["operationId"] = operation
    if parameters:
        made["parameters"] = parameters
    if takes:
        made["requestBody"] = {
            "required": True,
            "content": {kind: {"schema": schema} for kind, schema in takes.items()},
        }
    return made
