import numpy as np
import pytest

from edge.types import Pixels
from edge.vision.glare import find_glare


def lit(page: Pixels, across: float, down: float, radius: float = 0.08, strength: float = 3.0) -> Pixels:
    """A page with the reflection of a lamp, whose light is added to that of the page (gamma 2.2)."""
    y, x = np.mgrid[: page.shape[0], : page.shape[1]]
    far = ((x - across * page.shape[1]) ** 2 + (y - down * page.shape[0]) ** 2) / (radius * max(page.shape)) ** 2
    light = (page / 255.0) ** 2.2 + strength * np.exp(-far / 2)
    return (255 * np.clip(light, 0, 1) ** (1 / 2.2)).astype(np.uint8)


@pytest.mark.parametrize(
    ("across", "down", "where"),
    [
        (0.15, 0.15, "top left"),
        (0.5, 0.5, "middle"),
        (0.85, 0.5, "right"),
        (0.5, 0.9, "bottom"),
        (1.0, 0.0, "top right"),
    ],
)
@pytest.mark.parametrize("size", [(480, 640), (1232, 1640)])
def test_glare_is_found_where_it_is(across: float, down: float, where: str, size: tuple[int, int]) -> None:
    found = find_glare(lit(np.full(size, 180, np.uint8), across, down))
    assert found is not None and found.where == where


def test_a_white_thing_has_a_sharp_edge_and_is_no_glare() -> None:
    page = np.full((480, 640), 150, np.uint8)
    page[100:250, 200:400] = 255
    assert find_glare(page) is None


def test_the_margin_of_a_small_white_page_is_no_glare() -> None:
    """Its writing is no paper that fades."""
    desk = np.full((480, 640), 100, np.uint8)
    desk[180:300, 240:400] = 255
    desk[180:250, 240:400:2] = 160
    assert find_glare(desk) is None


@pytest.mark.parametrize("grey", [255, 252, 200, 0])
def test_an_even_page_has_no_glare(grey: int) -> None:
    assert find_glare(np.full((480, 640), grey, np.uint8)) is None


def test_a_spot_that_hides_no_digit_does_not_count() -> None:
    assert find_glare(lit(np.full((480, 640), 180, np.uint8), 0.5, 0.5, radius=0.01)) is None
