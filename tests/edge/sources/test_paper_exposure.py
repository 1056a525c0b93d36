"""Paper becomes light grey, by a simulated automatic exposure that does as libcamera's, in simulated time."""

import numpy as np
import pytest

from edge.sources.paper_exposure import MOST_EV, PaperExposure
from edge.sources.picamera import Picamera
from tests.support.camera.scene import DESK, PAPER, Scene, page
from tests.support.camera.stand_in import plug_in

SIZE = (320, 240)


class Watch:
    def __init__(self, monkeypatch, model, lux, reflects=None, **options):
        self.began = 1000.0
        light = lux if callable(lux) else lambda _: lux
        if reflects is None:
            reflects = page(["1247673", "8952481"], SIZE)
        self.scene = Scene(reflects, lux=lambda now: light(now - self.began))
        self.world = plug_in(monkeypatch, model, scene=self.scene)
        self.camera = Picamera("0", size=SIZE, **options)
        self.camera.open()
        self.device = self.world.opened[0]

    def until(self, seconds):
        while self.world.now - self.began < seconds:
            self.picture, _ = self.camera.read()
        return self

    @property
    def paper(self):
        return float(np.median(self.picture[self.scene.reflects > 0.9 * PAPER]))

    @property
    def clipped(self):
        return float(np.mean(self.picture >= 254))

    @property
    def changes(self):
        return [sent["ExposureValue"] for sent in self.device.sent if "ExposureValue" in sent]


def in_a_corner():
    """A page on a dark desk, of a sixth of the view, away from what is metered."""
    return np.roll(page(["123"], SIZE, share=0.16), (90, 110), axis=(0, 1))


@pytest.mark.parametrize("model", ["imx708", "imx219", "ov5647"])
@pytest.mark.parametrize("lux", [40, 1000, 20_000])
@pytest.mark.parametrize("where", ["all of the view", "in a corner"])
def test_paper_is_light_grey_in_a_dim_room_and_in_a_bright_one(monkeypatch, model, lux, where):
    watch = Watch(monkeypatch, model, lux, in_a_corner() if where == "in a corner" else None).until(6)
    assert 170 <= watch.paper <= 230
    assert watch.clipped <= 0.01


def test_what_libcamera_does_by_itself_is_grey(monkeypatch):
    """So that the tests above show something: Camera Module 3 on a Pi 4, and a page in the corner of a dark desk."""
    assert Watch(monkeypatch, "imx708", 1000, ev=0.0).until(3).paper < 160
    assert Watch(monkeypatch, "imx708", 1000, in_a_corner(), ev=0.0).until(3).paper > 235


def test_once_right_it_stays(monkeypatch):
    watch = Watch(monkeypatch, "imx708", lambda at: 300 + 50 * np.sin(at / 5)).until(6)
    changes = len(watch.changes)
    assert 1 <= changes <= 4
    watch.until(60)
    assert len(watch.changes) == changes


def test_a_light_that_is_switched_off_and_on_is_followed(monkeypatch):
    watch = Watch(monkeypatch, "imx708", lambda at: 0.5 if 5 < at < 15 else 500).until(14)
    assert watch.camera._paper.ev <= MOST_EV
    watch.until(22)
    assert 170 <= watch.paper <= 230
    assert watch.clipped <= 0.01


def test_a_light_that_is_switched_is_left_to_libcamera(monkeypatch):
    """At one picture a second, which makes everything slow but the light."""
    watch = Watch(monkeypatch, "imx708", lambda at: 160 if 120 < at < 200 else 400, fps=1.0).until(110)
    changes = len(watch.changes)
    watch.until(400)
    assert len(watch.changes) <= changes + 1
    assert 170 <= watch.paper <= 230


def test_chalk_on_a_board_does_not_make_the_board_white(monkeypatch):
    written = page(["1247673", "8952481"], SIZE)
    board = np.where(written < 0.5, np.float32(0.8), np.float32(DESK))
    watch, alone = Watch(monkeypatch, "imx219", 400, board).until(8), Watch(monkeypatch, "imx219", 400, board, ev=0.0)
    assert float(np.median(watch.picture)) <= float(np.median(alone.until(3).picture)) + 5
    assert float(np.quantile(watch.picture, 0.999)) > 200


def test_a_lamp_that_glares_does_not_make_the_paper_darker(monkeypatch):
    reflects = page(["1247673"], SIZE)
    reflects[20:60, 200:260] = 20.0
    watch, alone = (
        Watch(monkeypatch, "imx219", 400, reflects).until(8),
        Watch(monkeypatch, "imx219", 400, reflects, ev=0.0),
    )
    assert watch.paper >= alone.until(3).paper - 3


def test_a_compensation_that_was_chosen_stays(monkeypatch):
    watch = Watch(monkeypatch, "imx708", 400, ev=0.5).until(3)
    assert watch.changes == [0.5]
    assert "ev" not in watch.camera.settings_now()


def test_what_it_found_is_not_kept_for_another_light(monkeypatch):
    watch = Watch(monkeypatch, "imx708", 400, lens=4.0).until(4)
    assert watch.changes
    assert watch.camera.settings_now() == {}


def test_in_the_dark_it_asks_for_no_more_than_there_is():
    """Each compensation is tried once; where the exposure does not grow by it, no further one follows."""
    paper = PaperExposure()
    dark = np.full(SIZE[::-1], 60, np.uint8)
    changes = [paper.observe(dark, 1000.0) for _ in range(600)]
    assert [ev for ev in changes if ev is not None] == [1.0]


def test_an_exposure_that_still_moves_is_left_alone():
    paper = PaperExposure()
    dark = np.full(SIZE[::-1], 60, np.uint8)
    assert {paper.observe(dark, 1000.0 * 1.1**at) for at in range(40)} == {None}
