from datetime import UTC, datetime

import pytest

from edge.controls import Controls
from edge.types import Reading

READING = Reading("desk", 0, datetime(2026, 11, 23, tzinfo=UTC), (), "blank", "m", 1.0)


def test_nothing_is_asked_at_first():
    controls = Controls(0.7)
    assert (controls.paused, controls.threshold, controls.reading_requested) == (False, 0.7, False)
    assert controls.last_answer() == (0, None)


def test_one_reading_answers_all_who_asked_until_then_and_none_who_ask_later():
    controls = Controls()
    controls.request_reading()
    controls.request_reading()
    assert controls.reading_requested
    controls.answer_requests(READING)
    assert not controls.reading_requested and controls.last_answer() == (2, READING)
    controls.request_reading()
    assert controls.reading_requested


def test_paused_until_told_otherwise():
    controls = Controls()
    controls.pause(True)
    assert controls.paused
    controls.pause(False)
    assert not controls.paused


@pytest.mark.parametrize("value", [0, 0.5, 1])
def test_a_threshold(value):
    controls = Controls()
    controls.set_threshold(value)
    assert controls.threshold == value


def test_none_is_the_threshold_of_the_settings():
    controls = Controls(0.7)
    controls.set_threshold(0.9)
    controls.set_threshold(None)
    assert controls.threshold == 0.7


@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan"), float("inf")])
def test_what_is_no_threshold_is_refused_and_changes_nothing(value):
    controls = Controls()
    with pytest.raises(ValueError):
        controls.set_threshold(value)
    assert controls.threshold == 0.5
