from dataclasses import replace

import pytest

from edge.vision.advice import EMPTY, next_step
from edge.vision.view_quality import NEEDED_HEIGHT, ViewQuality

GOOD = ViewQuality(
    sharpness=0.8,
    is_sharp=True,
    digit_height=40.0,
    paper=200.0,
    contrast=120.0,
    light="enough",
    white_share=0.0,
    black_share=0.0,
    tilt=2.0,
    glare=None,
    used_share=0.4,
)


def test_a_good_view_has_no_step_and_a_blank_page_is_named() -> None:
    assert next_step(GOOD, None) is None
    assert next_step(replace(GOOD, digit_height=None, used_share=None, tilt=None), "blank") is EMPTY


def test_what_harms_most_comes_first() -> None:
    """Everything is wrong at once; mended one after another, in this order."""
    view = replace(GOOD, light="dark", is_sharp=False, digit_height=12.0, glare="top left", tilt=40.0)
    kinds = []
    for mended in (
        {},
        {"light": "noisy"},
        {"is_sharp": True},
        {"light": "enough"},
        {"digit_height": 30.0},
        {"glare": None},
        {"tilt": 0.0},
    ):
        view = replace(view, **mended)
        step = next_step(view, None)
        kinds.append(step.kind if step else None)
    assert kinds == ["dark", "blurred", "noisy", "small", "glare", "tilted", None]


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("blurred", "blurred"),
        ("too_small", "small"),
        ("low_contrast", "faint"),
        ("clutter", "empty"),
        ("blank", "empty"),
    ],
)
def test_without_digits_the_reason_counts(reason, kind: str) -> None:
    step = next_step(replace(GOOD, digit_height=None), reason)
    assert step is not None and step.kind == kind


def test_closer_by_centimetres_where_the_distance_is_known() -> None:
    view = replace(GOOD, digit_height=12.0)
    step, measured = next_step(view, None), next_step(view, None, distance_cm=25)
    assert step is not None and measured is not None
    assert step.text == (
        f"the digits are 12 pixels tall and need {NEEDED_HEIGHT}: move the camera closer, to about 60 % of its distance"
    )
    assert measured.text.endswith("move the camera closer, by about 10 cm")


@pytest.mark.parametrize(
    ("tilt", "turn"),
    [(30, "30 degrees counter-clockwise"), (-20, "20 degrees clockwise"), (115, "25 degrees counter-clockwise")],
)
def test_lines_are_turned_to_the_nearest_side(tilt: float, turn: str) -> None:
    step = next_step(replace(GOOD, tilt=tilt), None)
    assert step is not None and step.text.endswith(turn)


@pytest.mark.parametrize("tilt", [0, 14, -14, 90, -90, 180, 20])
def test_lines_that_read_well_are_left(tilt: float) -> None:
    assert next_step(replace(GOOD, tilt=tilt), None) is None


def test_each_step_is_one_sentence_of_plain_characters() -> None:
    """It is drawn by OpenCV's font, which has no others."""
    views = [
        replace(GOOD, light="dark"),
        replace(GOOD, light="noisy"),
        replace(GOOD, light="bright"),
        replace(GOOD, is_sharp=False),
        replace(GOOD, digit_height=9.0),
        replace(GOOD, glare="middle"),
        replace(GOOD, tilt=30.0),
    ]
    for step in [next_step(view, None) for view in views] + [EMPTY]:
        assert step is not None
        assert step.text.isascii() and "\n" not in step.text and step.text[0].islower() and step.text[-1] != "."


def test_closer_never_means_where_it_is() -> None:
    step = next_step(replace(GOOD, digit_height=NEEDED_HEIGHT - 0.1), None)
    assert step is not None
    assert step.text == (
        f"the digits are {NEEDED_HEIGHT - 1} pixels tall and need {NEEDED_HEIGHT}: move the camera closer, to"
        " about 90 % of its distance"
    )
