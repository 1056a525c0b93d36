import cv2
import numpy as np
import pytest

from edge.controls import Controls
from edge.reading.reader import Analysis, Reader
from edge.running.live_reader import LiveReader
from edge.sources.synthetic import Synthetic
from edge.tracking.change_detector import ChangeDetector
from edge.tracking.settings import TrackSettings
from edge.tracking.tracker import Tracker
from edge.types import Frame
from edge.vision.resize import shrink_by_halves


def noisy(page: np.ndarray, rng: np.random.Generator, sigma: float) -> np.ndarray:
    return np.clip(page + rng.normal(0, sigma, page.shape), 0, 255).round().astype(np.uint8)


def paper(height: int = 480, width: int = 640) -> np.ndarray:
    """Paper in uneven light."""
    return np.tile(np.linspace(150, 220, width, dtype=np.float32), (height, 1))


def seen(detector: ChangeDetector, *frames: np.ndarray) -> list[bool]:
    """Whether each of these frames is unchanged; they come 30 times a second, and changed ones are read."""
    said = []
    for n, pixels in enumerate(frames):
        said.append(detector.is_unchanged(Frame(pixels, "camera"), n / 30))
        if not said[-1]:
            detector.mark_read()
    return said


@pytest.mark.parametrize("sigma", [0, 1, 3])
@pytest.mark.parametrize("size", [(480, 640), (720, 1280), (240, 320), (9, 200)])
def test_noise_alone_is_no_change(sigma: float, size: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    assert (
        seen(ChangeDetector(), *(noisy(paper(*size), rng, sigma * max(size) / 640) for _ in range(7)))
        == [False] + [True] * 6
    )


@pytest.mark.parametrize("sigma", [0, 1, 3])
@pytest.mark.parametrize("darker", [25, 60, 150])
def test_a_stroke_is_a_change_wherever_it_lies(sigma: float, darker: int) -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        before = paper()
        after = before.copy()
        x, y = rng.integers(20, 560), rng.integers(20, 420)
        # A digit's smallest part that tells one from another: as a gap that is closed.
        stroke = np.zeros(before.shape, np.uint8)
        cv2.line(stroke, (int(x), int(y)), (int(x + rng.integers(6, 14)), int(y + rng.integers(6, 14))), 1, 3)
        after[stroke > 0] -= darker
        assert seen(ChangeDetector(), noisy(before, rng, sigma), noisy(after, rng, sigma)) == [False, False]


def test_what_changes_half_of_the_page_is_no_noise() -> None:
    rng = np.random.default_rng(3)
    shaded = paper()
    shaded[:, :320] -= 30
    assert seen(ChangeDetector(), noisy(paper(), rng, 2), noisy(shaded, rng, 2)) == [False, False]


def test_it_is_compared_with_what_was_read_and_not_with_the_frame_before() -> None:
    # A shadow that grows by a level each frame.
    said = seen(
        ChangeDetector(TrackSettings(still=60)), *((paper() - level).astype(np.uint8) for level in range(0, 30))
    )
    assert said.count(False) >= 3


def test_the_page_is_read_again_after_a_while_all_the_same() -> None:
    page = paper().astype(np.uint8)
    said = seen(ChangeDetector(TrackSettings(still=0.25)), *[page] * 30)
    assert said[:9] == [False] + [True] * 7 + [False]
    assert said.count(False) == 4
    assert seen(ChangeDetector(TrackSettings(still=0)), *[page] * 5) == [False] * 5


def test_a_page_that_takes_long_to_read_is_read_less_often() -> None:
    """Otherwise a slow processor would do nothing else."""
    page, detector = Frame(paper().astype(np.uint8), "camera"), ChangeDetector(TrackSettings(still=0.25))
    for took, again in ((0.4, 1.6), (0.01, 0.25)):
        detector.is_unchanged(page, 10.0)
        detector.mark_read(took)
        assert detector.is_unchanged(page, 10.0 + 0.9 * again)
        assert not detector.is_unchanged(page, 10.0 + 1.1 * again)


def test_another_size_or_a_clock_that_goes_back_is_a_change() -> None:
    detector = ChangeDetector()
    page = paper().astype(np.uint8)
    assert seen(detector, page, page[:, :600]) == [False, False]
    assert not detector.is_unchanged(Frame(page[:, :600], "camera"), -5.0)


def test_an_unchanged_frame_gets_the_reading_of_the_frame_before(page, monkeypatch) -> None:
    rng, now = np.random.default_rng(4), [0.0]
    monkeypatch.setattr("edge.running.live_reader.time.monotonic", lambda: now[0])
    with Reader() as reader, Synthetic() as source:
        live_reader, tracker = LiveReader(reader, source, Controls(reader.min_confidence)), Tracker()
        live_reader.change_detector, live_reader.is_settled = ChangeDetector(), tracker.is_settled
        looks = []

        def quick(frame: Frame) -> Analysis:
            looks.append(frame.index)
            return reader.analyse(frame)

        def slow(frame: Frame) -> Analysis:
            now[0] += 1 / 3
            return quick(frame)

        live_reader.analyse = quick
        said = []

        def show(text: str, count: int) -> None:
            still = page(text)
            for _ in range(count):
                now[0] += 1 / 30
                frame = Frame(noisy(still, rng, 2), "desk", round(now[0] * 30))
                reading = live_reader.read(frame)
                assert (reading.text, reading.frame) == (text, frame.index)
                said.extend((event.text, frame.index) for event in tracker.update(reading, now[0], frame))

        show("2357", 40)
        assert said[0][0] == "2357"
        until = said[0][1]
        # Until the text is said each frame counts, then one in a quarter of a second.
        assert looks[:until] == list(range(1, until + 1))
        assert len(looks) - until <= 1 + (40 - until) / 7
        show("2351", 40)
        assert [text for text, _ in said] == ["2357", "2351"]
        assert said[1][1] - 40 <= 15
        looks.clear()
        live_reader.analyse = slow
        show("2351", 80)
        # Each takes a third of a second by this clock; then it rests for a second.
        assert 1 <= len(looks) <= 3
        live_reader.analyse = quick
        now[0] += 10
        show("2351", 1)
        looks.clear()
        live_reader._controls.request_reading()
        show("2351", 1)
        assert looks, "who asks for a reading wants a new one"
        live_reader._controls.set_threshold(0.7)
        show("2351", 2)
        assert len(looks) == 2, "and so does who changes what is read"


def test_halves_are_those_of_the_picture() -> None:
    rng = np.random.default_rng(5)
    detector = ChangeDetector()
    picture = rng.integers(0, 255, (300, 333), np.uint8)
    detector.is_unchanged(Frame(picture, "camera"), 0.0)
    detector.mark_read()
    assert [size.shape for size in detector._known] == [(150, 166), (75, 83), (37, 41)]
    assert np.array_equal(detector._known[0], shrink_by_halves(picture, 320))
