import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import pytest

import edge
from edge.errors import ModelError
from edge.handwriting import rendering, styles, virtual_camera
from edge.model.classifier import Model
from edge.reading.evaluation import edits, load_labelled, only_digits, score
from edge.reading.reader import Reader
from edge.types import Frame, Pixels, PlainUnreadReason
from edge.vision.crop import rotate
from edge.vision.settings import VisionSettings
from tests.support import files

Page = Callable[..., Pixels]


@pytest.mark.parametrize("light_ink", [False, True])
def test_reads_a_page_of_either_polarity(reader: Reader, page: Page, light_ink: bool) -> None:
    reading = reader.read(page("1234", "5678", "90", light_ink=light_ink))
    assert edits(only_digits(reading.text), "1234567890")[0] <= 1
    assert len(reading.lines) == 3
    assert reading.reason is None
    assert all(0.5 < digit.confidence <= 1 for digit in reading.digits)


@pytest.mark.parametrize("factor", [0.25, 0.5, 2, 4])
def test_the_size_of_the_picture_does_not_matter(reader: Reader, page: Page, factor: float) -> None:
    picture = page("2305", "6874")
    large = cv2.resize(
        picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    )
    small, scaled = reader.read(picture), reader.read(large)
    assert edits(only_digits(scaled.text), only_digits(small.text))[0] <= 1
    first, again = small.digits[0].box, scaled.digits[0].box
    assert np.allclose(np.array(again) / factor, first, atol=8), "boxes are in pixels of the frame as captured"


def test_boxes_stand_around_their_digits(reader: Reader, page: Page) -> None:
    picture = page("4827")
    for digit in reader.read(picture).digits:
        x, y, width, height = digit.box
        ink = picture < 120
        assert ink[y : y + height, x : x + width].any()
        ink[max(0, y - 4) : y + height + 4, max(0, x - 4) : x + width + 4] = False
        assert not ink[y : y + height, x : x + width].any()


@pytest.mark.parametrize("degrees", [-30, 30])
def test_a_slightly_rotated_page_is_read(reader: Reader, page: Page, degrees: float) -> None:
    picture = page("23568", width=640, height=640)
    matrix = cv2.getRotationMatrix2D((320, 320), degrees, 0.8)
    turned = cv2.warpAffine(picture, matrix, (640, 640), borderValue=230)
    assert edits(only_digits(reader.read(turned).text), "23568")[0] <= 1


NOTHING = {
    "a blank page": lambda rng: np.full((480, 640), 235),
    "a black frame": lambda rng: np.zeros((480, 640)),
    "a black frame with its noise": lambda rng: rng.normal(2, 3, (480, 640)),
    "a white wall": lambda rng: virtual_camera.light(np.full((480, 640), 245, np.uint8), rng, 0.3),
    "a white wall with its grain": lambda rng: virtual_camera.noise(
        virtual_camera.light(np.full((480, 640), 245, np.uint8), rng, 0.5), rng, 5
    ),
    "an over-exposed wall": lambda rng: rng.normal(252, 6, (480, 640)),
    "a page of noise": lambda rng: rng.normal(128, 40, (480, 640)),
    "a page of uniform noise": lambda rng: rng.integers(0, 256, (480, 640)),
    "coarse noise": lambda rng: 128 + 400 * cv2.GaussianBlur(rng.standard_normal((480, 640)), (0, 0), 4),
    "half in shadow": lambda rng: np.repeat([[220, 90]], 480, axis=0).repeat(320, axis=1),
    "a page on a table": lambda rng: np.pad(np.full((360, 480), 220), ((60, 60), (80, 80)), constant_values=60),
    "a table's edge": lambda rng: np.pad(np.full((480, 560), 200), ((0, 0), (80, 0)), constant_values=40),
}


@pytest.mark.parametrize("what", NOTHING)
@pytest.mark.parametrize("size", [(480, 640), (1080, 1920), (120, 160)])
@pytest.mark.parametrize("seed", range(3))
def test_where_nothing_is_written_nothing_is_read(reader: Reader, what: str, size: tuple[int, int], seed: int) -> None:
    made = np.clip(NOTHING[what](np.random.default_rng(seed)), 0, 255).astype(np.uint8)
    picture = cv2.resize(made, size[::-1], interpolation=cv2.INTER_AREA if size[0] < 480 else cv2.INTER_NEAREST)
    reading = reader.read(picture)
    assert (reading.text, reading.digits) == ("", ())
    assert reading.reason is not None


@pytest.mark.parametrize("sigma", [2, 6, 15, 40])
@pytest.mark.parametrize("grey", [2, 40, 128, 215, 252])
@pytest.mark.parametrize("grain", [0, 1.5, 3])
def test_noise_is_not_read(reader: Reader, sigma: float, grey: int, grain: float) -> None:
    """Of any strength and grain, clipped at black or white or not."""
    rough = np.random.default_rng(7).standard_normal((480, 640))
    rough = cv2.GaussianBlur(rough, (0, 0), grain) if grain else rough
    reading = reader.read(np.clip(grey + sigma * rough / rough.std(), 0, 255).astype(np.uint8))
    assert reading.text == ""
    assert reading.reason in ("blank", "low_contrast", "clutter", "uncertain")


def test_a_faint_pencil_is_read(reader: Reader, page: Page) -> None:
    """Ink of a fifth of the paper's brightness, thinner than a pixel of a small picture."""
    picture = page("2357")
    faint = (230 - (230 - picture.astype(np.float32)) * 0.25).astype(np.uint8)
    small = cv2.resize(faint, None, fx=0.35, fy=0.35, interpolation=cv2.INTER_AREA)
    assert edits(only_digits(reader.read(small).text), "2357")[0] <= 1


@pytest.mark.parametrize("digit", range(10))
def test_a_picture_as_small_as_mnists_is_read(reader: Reader, digit: int) -> None:
    """28x28 pixels, enlarged sevenfold to be worked on: its edges are wide then, and sharp all the same."""
    rng = np.random.default_rng(digit)
    ink = rendering.render(rendering.draw(digit, rng, styles.WritingStyle(forms=(0,) * 10)), 200, 200, 18)
    small = cv2.resize(np.pad(255 - ink, 40, constant_values=255), (28, 28), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), 0.8)
    assert reader.read(soft).text == str(digit)


def test_a_blurred_page_says_so(reader: Reader, page: Page) -> None:
    reading = reader.read(cv2.GaussianBlur(page("37"), (0, 0), 40))
    assert reading.text == ""
    assert reading.reason in ("blurred", "low_contrast", "blank")


def test_every_choice_of_the_settings_reads(page: Page) -> None:
    picture = page("2307")
    for choice in (
        {"threshold": "global"},
        {"threshold": "otsu"},
        {"threshold": "adaptive_mean"},
        {"threshold": "adaptive_gaussian"},
        {"median": 5, "gaussian": 3},
        {"even": False},
        {"opening": 2, "closing": 3, "dilation": 2},
        {"interpolation": "lanczos"},
        {"polarity": "dark"},
    ):
        found = Reader(vision=VisionSettings(**choice)).read(picture)  # type: ignore[arg-type]
        assert edits(only_digits(found.text), "2307")[0] <= 1, choice


def test_digits_below_the_min_confidence_are_left_unread(page: Page) -> None:
    picture = page("0123456789")
    assert Reader(min_confidence=1.0).read(picture).reason == "clutter"
    analysis = Reader(min_confidence=1.0).analyse(page("37"))
    assert analysis.reading.reason == "uncertain"
    assert [mark.box for mark in analysis.reading.unread] == [glyph.box for glyph in analysis.glyphs]
    assert [mark.digit for mark in analysis.reading.unread] == [3, 7]
    assert all(0.9 < mark.confidence < 1.0 for mark in analysis.reading.unread)


def test_what_was_not_read_has_a_box_in_the_picture_and_a_reason(reader: Reader) -> None:
    letters = np.full((480, 640), 230, np.uint8)
    cv2.putText(letters, "WAM", (60, 300), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 6, 30, 8, cv2.LINE_AA)
    reading = reader.read(letters)
    assert reading.text == "" and reading.unread
    for mark in reading.unread:
        x, y, width, height = mark.box
        assert (letters[y : y + height, x : x + width] < 100).any()
        assert mark.reason in get_args(PlainUnreadReason) or "unsure between" in mark.reason
        assert mark.digit is not None or mark.confidence == 0.0
    assert any(mark.digit is None for mark in reading.unread)


def test_what_is_read_can_be_files_arrays_and_frames(reader: Reader, page: Page, tmp_path: Path) -> None:
    picture = page("58")
    cv2.imwrite(str(tmp_path / "page.png"), picture)
    text = reader.read(picture).text
    assert text
    assert reader.read(tmp_path / "page.png").text == text
    assert reader.read(str(tmp_path / "page.png")).source == str(tmp_path / "page.png")
    assert reader.read(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)).text == text
    reading = reader.read(Frame(picture, "camera", 7))
    assert (reading.text, reading.source, reading.frame) == (text, "camera", 7)
    for wrong in (np.zeros((0, 5), np.uint8), np.zeros((5, 5)), np.zeros(5, np.uint8)):
        with pytest.raises(ValueError, match="give grey or BGR uint8"):
            reader.read(wrong)  # type: ignore[arg-type]


def test_reading_is_a_pure_function_of_the_picture(reader: Reader, page: Page) -> None:
    picture = page("31415")
    before = picture.copy()
    first, second = reader.analyse(picture), reader.analyse(picture)
    assert first.reading.digits == second.reading.digits
    assert np.array_equal(picture, before)


def test_the_public_names_are_there() -> None:
    for name in edge.__all__:
        assert getattr(edge, name) is not None
    with pytest.raises(AttributeError):
        edge.nothing  # noqa: B018


def test_turning_keeps_all_ink() -> None:
    ink = np.zeros((30, 50), np.uint8)
    ink[5:25, 5:45] = 255
    assert rotate(ink, 33).sum(dtype=int) == pytest.approx(ink.sum(dtype=int), rel=0.03)


@pytest.mark.parametrize(("folder", "exact"), [("single", 0.95), ("multi", 0.75)])
def test_real_photographs_are_read(reader: Reader, data: Path, folder: str, exact: float) -> None:
    assert score(reader, load_labelled(data / "photos" / folder / "labels.csv")).exact >= exact


def test_another_model_reads_from_the_next_picture_on(page: Page) -> None:
    picture = page("2357")
    labels = list(files.card().labels)
    seven, one = labels.index("7"), labels.index("1")
    labels[seven], labels[one] = "1", "7"
    card = replace(files.card(), name="other", labels=tuple(labels))
    other = Model(Path("m.tflite"), content=files.with_card(card))
    with Reader() as reader, other:
        before = reader.read(picture)
        first = reader.model
        reader.use_model(other)
        after = reader.read(picture)
        assert (before.text, after.text) == ("2357", "235"), "to the other one a 7 is a 1, which is not believed"
        assert after.model == other.name != before.model
        reader.use_model(first)
        assert reader.read(picture).digits == before.digits


def test_two_readers_read_at_the_same_time(page: Page) -> None:
    """As the loop's does and the one of the live page, each in its own thread."""
    pictures = [page(text) for text in ("25", "46", "58")]

    def read(_: int) -> list[str]:
        with Reader() as own:
            return [own.read(picture).text for picture in pictures * 10]

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(read, range(2))
    assert first == second


@pytest.mark.parametrize(
    "size", [(1, 1), (1, 2), (2, 1), (2, 2), (1, 100), (100, 1), (3, 3), (640, 2), (7, 7), (3, 1000)]
)
def test_the_smallest_pictures_are_read_without_an_error(reader: Reader, size: tuple[int, int]) -> None:
    for picture in (np.full(size, 200), np.random.default_rng(1).integers(0, 256, size)):
        assert reader.read(picture.astype(np.uint8)).text == ""


def test_a_model_that_knows_no_digit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "letters.tflite"
    path.write_bytes(files.with_card(replace(files.card(), labels=(*"abcdefghij", *files.OTHERS))))
    with pytest.raises(ModelError, match=r"letters\.tflite: none of its labels is a digit"):
        Reader(path)


LATER = """
import sys
from edge.reading.reader import Reader
from edge.sources.synthetic import Synthetic
source, reader = Synthetic(size=(160, 120), digits=2, difficulty=1), Reader()
reader.read(next(source))
before = set(sys.modules)
source._index = 2340  # among these is a page that needs a second look
for _ in range(60):
    reader.read(next(source))
print(*sorted(name for name in set(sys.modules) - before if name.partition(".")[0] != "edge"))
"""


def test_no_frame_waits_for_an_import():
    """A page that is rarely seen would else take longer, and memory, weeks after the start."""
    assert subprocess.run([sys.executable, "-c", LATER], capture_output=True, text=True, check=True).stdout == "\n"
