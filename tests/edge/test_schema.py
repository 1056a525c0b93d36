import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from typing import get_args

import jsonschema
import pytest

from edge.sources.base import State
from edge.types import (
    SCHEMA,
    UNREAD_SENT,
    Box,
    Change,
    Digit,
    Event,
    Notice,
    PlainUnreadReason,
    Reading,
    Reason,
    Subject,
    Unread,
    unsure_between,
)

DESCRIBED = json.loads((files("edge") / "schema" / "reading.json").read_text("utf-8"))
CHECK = jsonschema.Draft202012Validator(DESCRIBED)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SEVEN = Digit(7, 0.998, 0, Box(12, 40, 18, 61))
WORD = Unread(Box(50, 40, 20, 33), "part of a word", None, 0.0)
FOUR_OR_NINE = Unread(Box(99, 40, 18, 61), unsure_between(9, 4), 9, 0.51239)


def reading(*digits, reason=None, unread=()):
    return Reading("desk.jpg", 0, NOON, digits, reason, "mnist-1.0 sha256:ab12", 1.9, unread)


def test_the_description_is_itself_valid():
    jsonschema.Draft202012Validator.check_schema(DESCRIBED)


@pytest.mark.parametrize(
    "sent",
    [
        reading(SEVEN),
        reading(SEVEN, Digit(0, 1.0, 1, Box(0, 99, 1, 1))),
        reading(reason="blank"),
        reading(SEVEN, unread=(WORD, FOUR_OR_NINE)),
        reading(reason="clutter", unread=tuple(replace(WORD, reason=why) for why in get_args(PlainUnreadReason))),
    ],
    ids=["a digit", "two lines", "nothing", "unread marks", "unread for every reason"],
)
def test_what_is_sent_is_as_described(sent):
    CHECK.validate(json.loads(json.dumps(sent.as_dict())))


def test_it_names_every_field_every_reason_and_the_version():
    sent = reading(SEVEN, unread=(WORD,)).as_dict()
    assert list(DESCRIBED["properties"]) == list(sent)
    assert DESCRIBED["required"] == [name for name in sent if name != "unread"]
    for name in ("digits", "unread"):
        one = DESCRIBED["properties"][name]["items"]
        assert list(one["properties"]) == one["required"] == list(sent[name][0])
    plain, unsure = DESCRIBED["properties"]["unread"]["items"]["properties"]["reason"]["anyOf"]
    assert plain == {"enum": list(get_args(PlainUnreadReason))} and re.search(unsure["pattern"], FOUR_OR_NINE.reason)
    assert DESCRIBED["properties"]["reason"]["enum"] == [None, *get_args(Reason)]
    assert DESCRIBED["properties"]["schema"]["const"] == SCHEMA


def test_an_unread_mark_is_sent_with_its_box_and_its_reason():
    assert reading(unread=(FOUR_OR_NINE, WORD)).as_dict()["unread"] == [
        {"box": [99, 40, 18, 61], "reason": "unsure between 4 and 9", "digit": 9, "confidence": 0.5124},
        {"box": [50, 40, 20, 33], "reason": "part of a word", "digit": None, "confidence": 0.0},
    ]


def test_a_reason_that_names_two_digits_names_the_smaller_one_first():
    assert unsure_between(9, 4) == unsure_between(4, 9) == "unsure between 4 and 9"


def test_the_likeliest_unread_marks_are_sent_and_not_more_than_described():
    many = tuple(replace(FOUR_OR_NINE, confidence=n / 1000) for n in range(3 * UNREAD_SENT))
    sent = reading(unread=many).as_dict()
    assert [one["confidence"] for one in sent["unread"]] == [n / 1000 for n in range(299, 199, -1)]
    assert DESCRIBED["properties"]["unread"]["maxItems"] == UNREAD_SENT
    CHECK.validate(sent)
    many = tuple(replace(FOUR_OR_NINE, box=Box(4000, 3000, 4000, 3000)) for _ in many)
    assert len(json.dumps(reading(unread=many).as_dict())) < 12_000


def test_a_reading_stored_before_unread_marks_were_sent_is_still_as_described():
    stored = reading(SEVEN).as_dict()
    del stored["unread"]
    CHECK.validate(stored)


def unread(**change):
    return {"unread": [{"box": [0, 0, 1, 1], "reason": "no digit", "digit": 1, "confidence": 0.5} | change]}


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
        unread(digit=10),
        unread(confidence=1.5),
        unread(box=[0, 0, 1]),
        unread(box=[0, 0, 0, 1]),
        unread(reason="tired"),
        unread(reason=None),
        unread(reason="unsure between 4 and x"),
        unread(line=0),
        {"unread": unread()["unread"] * (UNREAD_SENT + 1)},
        {"unread": [{"box": [0, 0, 1, 1]}]},
    ],
    ids=str,
)
def test_what_is_otherwise_is_refused(change):
    assert CHECK.is_valid(reading(SEVEN).as_dict() | unread())
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
        Event("cleared", NOON, "", "7", 3600.0, 0.5, reading(reason="uncertain", unread=(FOUR_OR_NINE,))),
    ],
    ids=["changed", "appeared", "cleared", "cleared but for an unread mark"],
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
