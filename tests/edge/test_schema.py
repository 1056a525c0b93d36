import json
from datetime import UTC, datetime
from importlib.resources import files
from typing import get_args

import jsonschema
import pytest

from edge.sources.base import State
from edge.types import SCHEMA, Box, Change, Digit, Event, Notice, Reading, Reason, Subject

DESCRIBED = json.loads((files("edge") / "schema" / "reading.json").read_text("utf-8"))
CHECK = jsonschema.Draft202012Validator(DESCRIBED)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SEVEN = Digit(7, 0.998, 0, Box(12, 40, 18, 61))


def reading(*digits, reason=None):
    return Reading("desk.jpg", 0, NOON, digits, reason, "mnist-1.0 sha256:ab12", 1.9)


def test_the_description_is_itself_valid():
    jsonschema.Draft202012Validator.check_schema(DESCRIBED)


@pytest.mark.parametrize(
    "sent",
    [reading(SEVEN), reading(SEVEN, Digit(0, 1.0, 1, Box(0, 99, 1, 1))), reading(reason="blank")],
    ids=["a digit", "two lines", "nothing"],
)
def test_what_is_sent_is_as_described(sent):
    CHECK.validate(json.loads(json.dumps(sent.as_dict())))


def test_it_names_every_field_every_reason_and_the_version():
    sent = reading(SEVEN).as_dict()
    assert list(DESCRIBED["properties"]) == DESCRIBED["required"] == list(sent)
    digit = DESCRIBED["properties"]["digits"]["items"]
    assert list(digit["properties"]) == digit["required"] == list(sent["digits"][0])
    assert DESCRIBED["properties"]["reason"]["enum"] == [None, *get_args(Reason)]
    assert DESCRIBED["properties"]["schema"]["const"] == SCHEMA


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"frame": -1},
        {"captured_at": "2026-11-23T12:00:00Z"},
        {"text": "7\n\n8"},
        {"lines": [""]},
        {"reason": "tired"},
        {"reason": "blank"},
        {"extra": 1},
        {"digits": [{"digit": 10, "confidence": 0.5, "line": 0, "box": [0, 0, 1, 1]}]},
        {"digits": [{"digit": 1, "confidence": 1.5, "line": 0, "box": [0, 0, 1, 1]}]},
        {"digits": [{"digit": 1, "confidence": 0.5, "line": 0, "box": [0, 0, 1]}]},
        {"digits": [{"digit": 1, "confidence": 0.5, "line": 0, "box": [0, 0, 0, 1]}]},
    ],
    ids=str,
)
def test_what_is_otherwise_is_refused(change):
    assert not CHECK.is_valid(reading(SEVEN).as_dict() | change)


NOTICE = json.loads((files("edge") / "schema" / "notice.json").read_text("utf-8"))


@pytest.mark.parametrize("reason", [None, "v4l2:/dev/video0: no frame for 2 s"])
def test_a_notice_is_as_described(reason):
    jsonschema.Draft202012Validator.check_schema(NOTICE)
    sent = Notice("camera", "stalled", "v4l2:/dev/video0", NOON, reason).as_dict()
    jsonschema.Draft202012Validator(NOTICE).validate(json.loads(json.dumps(sent)))
    assert list(NOTICE["properties"]) == NOTICE["required"] == list(sent)
    assert NOTICE["properties"]["notice"]["enum"] == list(get_args(Subject))
    assert NOTICE["properties"]["state"]["enum"] == [*get_args(State), "accepted", "refused"]
    assert NOTICE["properties"]["schema"]["const"] == SCHEMA


EVENT = json.loads((files("edge") / "schema" / "event.json").read_text("utf-8"))
CHANGED = Event("changed", NOON, "7", "1\n2", 12.3456, 0.98765, reading(SEVEN))


@pytest.mark.parametrize(
    "sent",
    [
        CHANGED,
        Event("appeared", NOON, "7", "", 0.0, 1.0, reading(SEVEN)),
        Event("cleared", NOON, "", "7", 3600.0, 0.5, reading(reason="blank")),
    ],
    ids=lambda event: event.change,
)
def test_an_event_is_as_described(sent):
    jsonschema.Draft202012Validator.check_schema(EVENT)
    jsonschema.Draft202012Validator(EVENT).validate(json.loads(json.dumps(sent.as_dict())))
    CHECK.validate(sent.as_dict()["reading"])
    assert list(EVENT["properties"]) == EVENT["required"] == list(sent.as_dict())
    assert EVENT["properties"]["event"]["enum"] == list(get_args(Change))
    assert EVENT["properties"]["schema"]["const"] == SCHEMA


@pytest.mark.parametrize(
    "change",
    [{"event": "appeared"}, {"event": "cleared"}, {"text": ""}, {"before": ""}, {"held_seconds": -1.0}],
    ids=str,
)
def test_an_event_that_contradicts_itself_is_refused(change):
    assert not jsonschema.Draft202012Validator(EVENT).is_valid(CHANGED.as_dict() | change)
