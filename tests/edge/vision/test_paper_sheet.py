import cv2
import numpy as np
import pytest

from edge.types import Pixels
from edge.vision.paper_sheet import has_sheet, sheet_mask


def turned(light: tuple[int, int], degrees: float, text: bool) -> Pixels:
    """A light rectangle (width, height) on a dark table, with or without writing; (180, 240)."""
    page = np.full((180, 240), 60, np.uint8)
    box = cv2.boxPoints(((120, 90), light, degrees))
    cv2.fillPoly(page, [np.round(box).astype(np.int32)], 220)
    if text:
        cv2.putText(page, "37", (105, 100), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 50, 3)
    return page


@pytest.mark.parametrize("degrees", [0.0, 11.0, -30.0])
def test_a_sheet_that_is_written_on_is_one(degrees: float) -> None:
    assert has_sheet(turned((110, 70), degrees, text=True))
    assert not has_sheet(turned((110, 70), degrees, text=False)), "nothing dark on it: it may be a stroke"


@pytest.mark.parametrize("digit", "0123456789")
@pytest.mark.parametrize("pen", [3, 9])
def test_a_light_digit_is_no_sheet(digit: str, pen: int) -> None:
    page = np.full((180, 240), 60, np.uint8)
    cv2.putText(page, digit, (70, 150), cv2.FONT_HERSHEY_SIMPLEX, 5, 220, pen)
    assert not has_sheet(page)


def test_paper_that_goes_along_the_border_is_no_ink() -> None:
    page = np.full((180, 240), 220, np.uint8)
    cv2.line(page, (-20, 160), (260, 40), 90, 60)
    assert has_sheet(page)


def test_a_sheet_holds_its_writing_and_not_the_table() -> None:
    page = turned((150, 110), 10, text=True)
    where = sheet_mask(cv2.threshold(page, 140, 255, cv2.THRESH_BINARY)[1])
    whole = turned((150, 110), 10, text=False) > 140
    assert (where[whole] > 0).mean() > 0.98
    assert (where[~whole] > 0).mean() < 0.02
