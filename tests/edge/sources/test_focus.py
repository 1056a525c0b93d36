"""The camera focuses by itself, on a simulated lens that libcamera's autofocus moves, in simulated time."""

import math
from typing import NamedTuple

import numpy as np
import pytest

from edge.handwriting import virtual_camera
from edge.sources.focus import FAILED, FOCUSED, RETRY_SECONDS, SCANNING, Focus
from edge.sources.picamera import Picamera
from edge.vision.sharpness import sharpness
from tests.support.camera.lens import blur_pixels
from tests.support.camera.scene import Scene, page
from tests.support.camera.stand_in import plug_in

SIZE = (1024, 576)
TEXT = ["1247673", "8952481", "31415"]
IN_FOCUS = 0.3
"""A picture is in focus while the lens adds this blur to it at most, standard deviation in pixels of 1536x864."""


class Seen(NamedTuple):
    at: float
    """Seconds since the camera was opened."""
    sharp: bool
    scans: int


class Watch:
    """A camera that looks at a scene whose times count from when it is opened."""

    def __init__(
        self, monkeypatch, model="imx708", *, metres=0.25, lux=400.0, hand=None, lines=TEXT, reach=100, **options
    ):
        def over_time(what):
            return lambda now: what(now - self.began) if callable(what) else what

        scene = Scene(page(lines, SIZE), metres=over_time(metres), lux=over_time(lux))
        if hand:
            scene.hand = over_time(hand)
        self.began = 1000.0
        self.world = plug_in(monkeypatch, model, scene=scene, pdaf_reach=reach)
        self.camera = Picamera("0", size=SIZE, **options)
        self.camera.open()
        self.device = self.world.opened[0]
        self.seen = []

    def until(self, seconds):
        while (now := self.world.now - self.began) < seconds:
            self.picture, _ = self.camera.read()
            defocus = 1 / self.world.scene.metres(self.world.now) - self.device.lens.shown
            optics = self.device.sensor.optics
            blur = blur_pixels(optics, defocus, self.device.sensor.array[0] / 1536)
            self.seen.append(Seen(now, blur <= IN_FOCUS, self.device.lens.scans))
        return self

    def blurred_until(self, since=0.0):
        """When the last picture that is not in focus came, in seconds after ``since``."""
        return max((one.at for one in self.seen if one.at >= since and not one.sharp), default=since) - since


@pytest.mark.parametrize(
    ("model", "metres", "lux"),
    [
        *(("imx708", metres, 400) for metres in (0.1, 0.15, 0.25, 0.4, 0.6)),
        *((model, metres, lux) for model in ("imx708", "imx708_wide") for metres in (0.1, 0.6) for lux in (30,)),
    ],
)
def test_a_page_is_in_focus_within_two_seconds_and_stays_so(monkeypatch, model, metres, lux):
    watch = Watch(monkeypatch, model, metres=metres, lux=lux).until(4)
    assert watch.blurred_until() <= 2
    assert watch.seen[-1].scans == 1
    assert watch.camera.settings_now()["lens"] == pytest.approx(f"{watch.device.lens.shown:.2f}")


@pytest.mark.parametrize(("model", "most"), [("imx708", 2.0), ("imx708_wide", 2.0), ("ov64a40", 2.5), ("imx519", 3.5)])
@pytest.mark.parametrize(("metres", "lux"), [(0.1, 400), (0.1, 30), (0.4, 400)])
def test_without_phase_detection_it_takes_as_long_as_libcamera_scans(monkeypatch, model, most, metres, lux):
    watch = Watch(monkeypatch, model, metres=metres, lux=lux, reach=0).until(5)
    assert watch.blurred_until() <= most
    assert watch.seen[-1].scans == 1


def test_a_camera_that_is_asked_for_few_frames_takes_many_while_it_focuses(monkeypatch):
    watch = Watch(monkeypatch, fps=2.0, reach=0).until(5)
    assert watch.blurred_until() <= 2
    times = [one.at for one in watch.seen[-4:]]
    assert np.diff(times) == pytest.approx(0.5, abs=0.01)


def test_an_exposure_that_was_asked_for_is_kept_while_it_focuses(monkeypatch):
    watch = Watch(monkeypatch, exposure=50_000)
    limits = [sent["FrameDurationLimits"] for sent in watch.until(4).device.sent if "FrameDurationLimits" in sent]
    assert watch.seen[-1].sharp
    assert min(longest for _, longest in limits) > 50_000


@pytest.mark.parametrize(("before", "after"), [(0.6, 0.15), (0.12, 0.5), (0.25, 0.1)])
def test_a_page_that_is_moved_is_in_focus_again_two_seconds_later(monkeypatch, before, after):
    watch = Watch(monkeypatch, metres=lambda at: before if at < 3 else after).until(7)
    assert watch.blurred_until(3) <= 2
    assert watch.seen[-1].scans == 2


def test_another_page_that_is_a_little_nearer_is_focused_too(monkeypatch):
    """It is still sharp enough not to be taken as blurred."""
    watch = Watch(monkeypatch, metres=lambda at: 0.3 if at < 3 else 0.21).until(3)
    watch.world.scene.reflects = page(["905", "667788", "2"], SIZE, seed=4)
    watch.until(6)
    assert watch.blurred_until(3) <= 2
    assert watch.seen[-1].scans == 2


def test_another_light_is_no_other_scene(monkeypatch):
    watch = Watch(monkeypatch, lux=lambda at: 400 if at < 3 else 200, ev=0.0).until(6)
    assert watch.seen[-1].scans == 1


def test_a_page_that_moves_slowly_is_in_focus_in_the_end(monkeypatch):
    watch = Watch(monkeypatch, metres=lambda at: 0.2 + 0.3 * min(1, max(0, (at - 3) / 1.5))).until(7)
    assert sharpness(watch.picture) >= 0.6
    assert watch.seen[-1].scans <= 3


def writing(at):
    """A hand that writes for 15 s in each minute, and rests on the page for 5 s more."""
    second = at % 60
    if second > 20:
        return None
    # In steps, of which each is drawn once.
    step = int(min(second, 15) * 2) % 16
    return 0.25 + 0.03 * step, 0.4 + 0.02 * math.sin(13 * step)


def light(at):
    """Clouds, and a lamp that is switched on and off."""
    return (400 + 80 * math.sin(at / 40)) * (1 if at % 600 < 450 else 0.4)


@pytest.mark.slow
def test_in_an_hour_it_never_hunts(monkeypatch):
    # One picture a second, but for the scan: an hour of them takes less time to draw.
    watch = Watch(monkeypatch, fps=1.0, lux=light, hand=writing).until(3600)
    assert watch.blurred_until() <= 2
    assert watch.seen[-1].scans == 1


def test_a_blank_page_is_left_alone_until_something_is_written(monkeypatch):
    watch = Watch(monkeypatch, lines=[]).until(15)
    scans = watch.seen[-1].scans
    assert scans == 1
    watch.world.scene.reflects = page(TEXT, SIZE)
    watch.world.scene.metres = lambda _: 0.12
    watch.until(20)
    assert watch.seen[-1].sharp
    assert watch.seen[-1].scans == scans + 1


def test_the_dark_is_no_reason_to_focus(monkeypatch):
    watch = Watch(monkeypatch, lux=lambda at: 400 if at < 4 or at > 10 else 0.02).until(16)
    assert watch.seen[-1].scans == 1
    assert watch.seen[-1].sharp


@pytest.mark.parametrize("options", [{"af": "off"}, {"lens": 4.0}, {"af": "continuous"}])
def test_it_keeps_out_of_a_focus_that_was_chosen(monkeypatch, options):
    watch = Watch(monkeypatch, metres=0.25, **options).until(3)
    assert not any("AfTrigger" in sent for sent in watch.device.sent)
    assert watch.seen[-1].sharp == (options != {"af": "off"})


# --- the same without a camera: pictures and what libcamera says, one after the other


def picture(blur):
    clear = (page(TEXT, SIZE) * 220).astype(np.uint8)
    return virtual_camera.noise(virtual_camera.blur(clear, blur), np.random.default_rng(1), 1.5)


CLEAR, SOFT, BLANK = picture(0), picture(8), np.full(SIZE[::-1], 190, np.uint8)


def scanned(focus, at, result, seen=CLEAR):
    """Let a scan that was triggered at a time end a second later with a result."""
    assert not focus.observe(at + 0.03, seen, SCANNING)
    assert not focus.observe(at + 1, seen, result)


def triggers(focus, start, end, seen, state=FOCUSED):
    """When it triggers a scan, looking at one picture 4 times a second."""
    return [at / 4 for at in range(int(start * 4), int(end * 4)) if focus.observe(at / 4, seen, state)]


def test_the_first_picture_triggers_a_scan():
    focus = Focus()
    assert focus.observe(0, CLEAR, 0)
    # The pictures on their way still tell of a time before.
    assert not any(focus.observe(at, CLEAR, FOCUSED) for at in (0.1, 0.2))
    assert not focus.settled
    scanned(focus, 0.2, FOCUSED)
    assert focus.settled
    assert triggers(focus, 2, 60, CLEAR) == []


def test_a_scan_that_is_never_reported_ends_all_the_same():
    focus = Focus()
    focus.observe(0, CLEAR, None)
    assert triggers(focus, 0.1, 60, CLEAR, None) == []
    assert focus.settled


def test_a_scan_that_failed_is_tried_again_less_and_less():
    focus = Focus()
    focus.observe(0, SOFT, 0)
    scanned(focus, 0, FAILED, SOFT)
    at = 1.0
    for pause in RETRY_SECONDS:
        (again,) = triggers(focus, at + 0.1, at + pause + 0.5, SOFT, FAILED)[:1]
        assert again == pytest.approx(at + pause, abs=0.5)
        scanned(focus, again, FAILED, SOFT)
        at = again + 1
    assert triggers(focus, at + 0.1, at + 100, SOFT, FAILED) == []


@pytest.mark.parametrize("size", [(16, 16), (17, 23), (8192, 16), (16, 3000), (700, 500)])
def test_a_picture_of_any_size_can_be_looked_at(size):
    focus = Focus()
    grain = np.random.default_rng(3).integers(0, 255, size[::-1], np.uint8)
    focus.observe(0, grain, 0)
    scanned(focus, 0, FOCUSED, grain)
    assert triggers(focus, 2, 5, grain) == []


def test_a_blank_page_is_not_tried_again():
    focus = Focus()
    focus.observe(0, BLANK, 0)
    scanned(focus, 0, FAILED, BLANK)
    assert triggers(focus, 2, 100, BLANK, FAILED) == []


def test_what_is_simulated_is_what_is_seen():
    """The blurred picture is below what counts as clear, the other above."""
    assert sharpness(SOFT) < 0.2 < 0.6 < sharpness(CLEAR)
    assert sharpness(BLANK) == 0
