import logging

import cv2
import numpy as np
import pytest

from edge.reading.aim import aim_of
from edge.running import advice_log
from edge.running.advice_log import AdviceLog
from edge.sources import open_source
from edge.types import Frame


@pytest.fixture
def said(reader, caplog):
    """Shows a picture for so many seconds, a frame a second; gives the lines that were logged for it."""
    with open_source("synthetic:?fps=1") as source:
        source.name = "picamera2:0"
        log, now = AdviceLog(source), [0.0]

        def show(grey, seconds):
            frame = Frame(grey, "picamera2:0")
            analysis = reader.analyse(frame)
            caplog.clear()
            for _ in range(seconds):
                log.see(frame, analysis, now[0])
                now[0] += 1
            return [record.getMessage() for record in caplog.records]

        with caplog.at_level(logging.WARNING):
            yield show


def test_nothing_is_said_while_digits_are_read_or_the_page_is_blank(said, page) -> None:
    assert said(page("20357"), 100) == []
    assert said(np.full((480, 640), 200, np.uint8), 1000) == []


def test_a_blurred_page_is_said_once_after_a_while(said, page) -> None:
    blurred = cv2.GaussianBlur(page("20357", "46819"), (0, 0), 25)
    assert said(blurred, 30) == []
    line = "picamera2:0: nothing is read: the picture is blurred: focus the camera on the page, and keep both still"
    assert said(blurred, 2000) == [line]


def test_a_short_pause_is_no_while(said, page) -> None:
    blurred = cv2.GaussianBlur(page("20357", "46819"), (0, 0), 25)
    for _ in range(10):
        assert said(blurred, 20) == [] and said(page("20357"), 1) == []


def test_another_problem_is_said_too(said, page) -> None:
    blurred = cv2.GaussianBlur(page("20357", "46819"), (0, 0), 25)
    assert len(said(blurred, 100)) == 1
    lines = said(blurred // 10, 1000)
    assert len(lines) == 1 and "too dark" in lines[0]


def test_a_view_is_looked_at_more_and_more_seldom(said, monkeypatch) -> None:
    looked = []
    monkeypatch.setattr(advice_log, "aim_of", lambda *given: looked.append(1) or aim_of(*given))
    said(np.full((480, 640), 200, np.uint8), 3600)
    assert len(looked) == 9
