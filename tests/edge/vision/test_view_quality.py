import cv2
import numpy as np
import pytest

from edge.reading.aim import aim_of
from edge.reading.reader import Reader
from edge.types import Box, Frame, Pixels
from edge.vision.advice import Step
from edge.vision.view_quality import NEEDED_HEIGHT, ViewQuality, view_quality

LINES = ("20357", "46819")


def seen(reader: Reader, grey: Pixels) -> tuple[ViewQuality, Step | None]:
    frame = Frame(grey, "test")
    aim = aim_of(frame, reader.analyse(frame))
    return aim.view, aim.step


def kind(reader: Reader, grey: Pixels) -> str | None:
    step = seen(reader, grey)[1]
    return step.kind if step else None


def rotated(grey: Pixels, degrees: float) -> Pixels:
    """Counter-clockwise."""
    height, width = grey.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return cv2.warpAffine(grey, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)  # type: ignore[return-value]


def noisy(grey: Pixels, sigma: float) -> Pixels:
    noise = np.random.default_rng(1).normal(0, sigma, grey.shape)
    return np.clip(grey + noise, 0, 255).astype(np.uint8)


def test_a_good_view_needs_no_step(reader, page) -> None:
    view, step = seen(reader, noisy(page(*LINES), 2))
    assert step is None
    assert (view.is_sharp, view.is_tall, view.light, view.glare) == (True, True, "enough", None)
    assert view.digit_height is not None and 60 < view.digit_height < 180
    assert abs(view.paper - 230) < 4 and view.contrast is not None and 150 < view.contrast < 190
    assert view.tilt is not None and abs(view.tilt) < 5
    assert view.used_share is not None and 0.2 < view.used_share < 0.9
    assert view.white_share == 0


def test_light_on_dark_is_as_good(reader, page) -> None:
    view, step = seen(reader, page(*LINES, light_ink=True))
    assert step is None and view.paper < 60 and view.contrast is not None and view.contrast > 150


@pytest.mark.parametrize("share", [0.1, 0.15, 0.25])
def test_a_blurred_picture_is_blurred_whether_it_reads_or_not(reader, page, share: float) -> None:
    grey = page(*LINES)
    height = seen(reader, grey)[0].digit_height
    assert height is not None
    assert kind(reader, cv2.GaussianBlur(grey, (0, 0), share * height)) == "blurred"


def test_the_focus_of_the_writing_counts_not_that_of_the_desk(reader, page) -> None:
    grey = page("357", height=360, width=640)
    height = seen(reader, grey)[0].digit_height
    assert height is not None
    blurred = cv2.GaussianBlur(grey, (0, 0), 0.12 * height)
    desk = np.random.default_rng(1).choice([40, 120], (30, 160)).astype(np.uint8)
    blurred[-30:, :] = cv2.resize(desk, (640, 30), interpolation=cv2.INTER_NEAREST)
    assert seen(reader, blurred)[0].is_sharp is False


def test_the_height_is_that_of_the_digits_and_small_ones_need_a_closer_camera(reader, page) -> None:
    grey = page(*LINES)
    height = seen(reader, grey)[0].digit_height
    assert height is not None
    share = 14 / height
    view, step = seen(reader, cv2.resize(grey, None, fx=share, fy=share, interpolation=cv2.INTER_AREA))
    assert view.digit_height is not None and abs(view.digit_height - 14) <= 2 and view.is_tall is False
    assert step is not None and step.kind == "small" and f"need {NEEDED_HEIGHT}" in step.text


@pytest.mark.parametrize(
    ("how", "wanted"),
    [
        (lambda grey: cv2.convertScaleAbs(grey, alpha=0.1), "dark"),
        (lambda grey: noisy(cv2.convertScaleAbs(grey, alpha=0.4), 20), "noisy"),
        (lambda grey: np.clip(200 + grey * 0.3, 0, 255).astype(np.uint8), "bright"),
    ],
)
def test_too_little_and_too_much_light(reader, page, how, wanted: str) -> None:
    assert kind(reader, how(page(*LINES))) == wanted


@pytest.mark.parametrize(("degrees", "way"), [(-28, "counter-clockwise"), (28, "clockwise")])
def test_steep_lines_are_turned_back(reader, page, degrees: float, way: str) -> None:
    view, step = seen(reader, rotated(page("2035746", height=480, width=960), degrees))
    assert view.tilt is not None and abs(view.tilt + degrees) < 6
    assert step is not None and step.kind == "tilted" and step.text.endswith(f"degrees {way}")


def test_lines_are_found_steep_where_hardly_a_digit_of_them_is_read(reader, page) -> None:
    turned = rotated(page("20357", "46819", "31415", height=700, width=960), -40)
    view, step = seen(reader, turned)
    assert len(reader.read(turned).digits) < 8
    assert view.tilt == pytest.approx(40, abs=6)
    assert step is not None and step.kind == "tilted"


def test_a_page_on_its_side_has_that_tilt_and_is_read_as_it_is(reader, page) -> None:
    view, step = seen(reader, np.ascontiguousarray(np.rot90(page("20357", "46819"), -1)))
    assert view.tilt is not None and abs(abs(view.tilt) - 90) < 8
    assert step is None


@pytest.mark.parametrize("grey", [np.full((480, 640), 200, np.uint8), np.zeros((2, 2), np.uint8)])
def test_nothing_is_measured_where_nothing_is(grey: Pixels) -> None:
    view = view_quality(grey, (), tilt=None)
    assert (view.blur, view.is_sharp, view.digit_height, view.contrast, view.tilt, view.used_share) == (None,) * 6


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (400, 1), (3, 3)])
def test_no_picture_is_too_small(shape: tuple[int, int]) -> None:
    view = view_quality(np.full(shape, 7, np.uint8), [Box(0, 0, 1, 1)], tilt=None)
    assert view.light == "dark" and view.used_share is not None


def test_the_json_has_plain_values(reader, page) -> None:
    values = seen(reader, page(*LINES))[0].as_dict()
    assert {type(value) for value in values.values()} <= {float, int, str, bool, type(None)}


@pytest.mark.slow
def test_photographs_that_read_right_need_no_step(reader, data) -> None:
    """At most 2 of 27, as measured: a step that shows on a view that reads is a false alarm."""
    import csv

    from edge.images import load

    named = []
    with (data / "photos" / "multi" / "labels.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "photo"]
    for row in rows:
        grey = load(data / "photos" / "multi" / row["file"])
        _, step = seen(reader, grey)
        if reader.read(grey).text.replace("\n", "") == row["text"] and step:
            named.append((row["file"], step.text))
    assert len(rows) > 10 and len(named) <= 2, named
