"""The schemas in the description of the HTTP API: those of ``edge/schema/``, and those of the page's own objects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from edge.settings import SettingInfo, all_settings
from edge.web.operations import Schema

SCHEMA_FOLDER = Path(__file__).parent.parent / "schema"
DIGIT = {"type": ["integer", "null"], "minimum": 0, "maximum": 9}
STATS = (
    *("version", "device", "uptime_seconds", "camera", "model", "frames", "fps", "dropped_frames"),
    *("temperature_celsius", "throttled"),
)
"""Fields of the status that are described in ``edge/schema/stats.json``."""
PNG_FORMAT = "png-data-uri"
"""Format of a string: ``data:image/png;base64,…``."""
PNG = {"type": "string", "format": PNG_FORMAT, "description": "A data URI of a PNG: data:image/png;base64,…"}
PROBABILITY = {"type": "number", "minimum": 0, "maximum": 1}
COUNT = {"type": "integer", "minimum": 0}
TEXT = {"type": "string"}
BOOLEAN = {"type": "boolean"}
MAX_NAME_LENGTH = 500
"""Most characters in the name of a source or model. Chosen."""


def component_schemas() -> Schema:
    """The schema of each object that is sent or answered, by its name."""
    vision = {short_name(info): {"description": info.description, **setting_schema(info)} for info in vision_settings()}
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
    confusion = object_schema({"read": DIGIT, "label": DIGIT, "count": {**COUNT, "minimum": 1}})
    return {
        "Error": {**object_schema({"error": TEXT}), "additionalProperties": False},
        "Health": object_schema(
            {
                "status": {"enum": ["ok", "no frames"], "description": "ok if the camera gives frames."},
                "camera": _text("The state of the camera, as in a Status."),
            }
        ),
        "Reading": _load_schema("reading"),
        "Event": _as_stored(_load_schema("event")),
        "Notice": _as_stored(_load_schema("notice")),
        "View": object_schema(
            {
                "reading": ref("Reading"),
                "size": {**list_schema({"type": "integer"}), "description": "Width and height of the frame, pixels."},
                "polarity": _text("Whether the ink is dark or light."),
                "pictures": {
                    **object_schema({name: TEXT for name in ("grey", "even", "ink")}),
                    "description": "Data URIs: the frame in grey, with the lighting evened out, and the detected ink.",
                },
                "candidates": {
                    **list_schema({"type": "object"}),
                    "description": "All that may be a digit, in reading order: its box, its likeliest digit and how"
                    " sure the reader is of it, why it was not read, or null, what the model got, and the model's most"
                    " likely classes with their probabilities.",
                },
                "more": {**COUNT, "description": "How many candidates are left out because there are too many."},
                "stages_ms": {
                    "type": "object",
                    "additionalProperties": {"type": "number"},
                    "description": "Milliseconds of each stage.",
                },
            }
        ),
        "Aim": _load_schema("aim"),
        "Status": object_schema(
            {
                **{name: stats[name] for name in STATS},
                "source": _text("The source's URI, without a password."),
                "camera_problem": {
                    "type": ["string", "null"],
                    "description": "Why no frames come now, and what to do about it; null while they come.",
                },
                "paused": {**BOOLEAN, "description": "Whether reading is paused."},
                "min_confidence": {
                    **PROBABILITY,
                    "description": "A mark of less confidence than this is not read.",
                },
                "open": {
                    "type": "boolean",
                    "description": "Whether viewing needs no token, because only the device itself can reach the page.",
                },
                "publishers": list_schema(object_schema(publisher)),
                "rights": {"enum": ["view", "change"], "description": "What the sender of this request may do."},
            }
        ),
        "Recipe": {"type": "object", "properties": vision, "additionalProperties": False},
        "Vision": object_schema(
            {
                "vision": {**ref("Recipe"), "description": "The settings in use."},
                "configured": {**ref("Recipe"), "description": "The settings of file, environment and flags."},
                "saved": {**BOOLEAN, "description": "Whether settings were saved here."},
                "back": {**BOOLEAN, "description": "Whether there are previous settings to restore."},
                "settings": {
                    **list_schema({"type": "object"}),
                    "description": "Name, meaning, limits and default of each.",
                },
            }
        ),
        "Correction": {
            "type": "object",
            "properties": {
                **fields,
                "label": {**DIGIT, "description": "What it really is; null if it is not a digit."},
                "read": {**DIGIT, "description": "What it was read as; null if it was not read."},
                "confidence": {**PROBABILITY, "description": "How sure the reader was of the likeliest digit."},
                "source": name,
                "model": name,
                "glyph": {
                    **PNG,
                    "description": "A data URI of a PNG, 28x28, grey, light ink on black: what the model got.",
                },
                "crop": {
                    "type": ["string", "null"],
                    "format": PNG_FORMAT,
                    "description": "A data URI of a PNG: the part of the picture with the digit, or null.",
                },
            },
            "required": ["label", "glyph"],
            "additionalProperties": False,
        },
        "Corrections": object_schema(
            {"count": COUNT, "confusions": list_schema(confusion), "corrections": list_schema(object_schema(listed))}
        ),
    }


def vision_settings() -> list[SettingInfo]:
    """The settings of ``[vision]``."""
    return [info for info in all_settings() if info.name.startswith("vision.")]


def short_name(info: SettingInfo) -> str:
    """The name of a setting of ``[vision]`` within that table."""
    return info.name.removeprefix("vision.")


def setting_schema(info: SettingInfo) -> Schema:
    """The type and limits of a setting."""
    if info.choices:
        return {"type": "string", "enum": list(info.choices)}
    if info.type is bool:
        return {"type": "boolean"}
    return {"type": "integer", "minimum": info.limits[0], "maximum": info.limits[1]}


def ref(name: str) -> Schema:
    """A reference to one of the schemas."""
    return {"$ref": f"#/components/schemas/{name}"}


def object_schema(properties: Schema) -> Schema:
    """An object that has all these properties."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def _text(description: str) -> Schema:
    return {"type": "string", "description": description}


def list_schema(items: Schema) -> Schema:
    """A list of such items."""
    return {"type": "array", "items": items}


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
