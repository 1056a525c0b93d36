"""The page in a real browser, as people use it; EDGE_PICTURES=FOLDER keeps a picture of each view."""

import os
import shutil
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge import strokes
from tests.web import device

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no chromium here: apt install chromium")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip
SEVEN = ((0.2, 0.25), (0.35, 0.25), (0.27, 0.75))
ONE = ((0.6, 0.3), (0.66, 0.22), (0.66, 0.78))
"""Strokes, as shares of the canvas."""
READS = "document.querySelector('#draw-text').value"


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        one = driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield one
        one.close()


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    with device(tmp_path_factory.mktemp("here"), source="synthetic:?fps=15&hold=45&lines=2&digits=5") as running:
        yield running


@pytest.fixture
def page(browser, here):
    """The page, open; whatever its script or the policy complains of is a failure."""
    wrong = []
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        opened = context.new_page()
        opened.on("pageerror", lambda error: wrong.append(str(error)))
        opened.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
        opened.goto(here.url)
        yield opened
        keep(opened, "last")
    # That something is refused is what some want to see.
    assert not [line for line in wrong if "status of 403" not in line]


def keep(page, name):
    if folder := os.environ.get("EDGE_PICTURES"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def until(page, expression, fits):
    """Playwright's own wait_for_function needs what the page's policy forbids."""
    end = time.monotonic() + 20
    while not fits(seen := page.evaluate(expression)):
        assert time.monotonic() < end, f"{expression} is still {seen!r}"
        page.wait_for_timeout(30)


def view(page, name):
    page.click(f"nav a[href='#{name}']")


def stroke(page, *points):
    box = page.locator("#pad").bounding_box()
    for n, (x, y) in enumerate(points):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=10)
        if n == 0:
            page.mouse.down()
    page.mouse.up()


def test_the_picture_its_stages_and_digits_appear_and_change(page):
    page.wait_for_selector("#live-picture img:not([hidden])")
    until(page, "document.querySelectorAll('#live-glyphs > li').length", lambda many: many == 10)
    first = page.text_content("#live-text")
    assert len(first.replace("\n", "")) == 10
    assert page.locator("#live-picture rect.read").count() == 10
    for stage in ("#live-even", "#live-ink"):
        assert page.evaluate(f"document.querySelector('{stage}').naturalWidth") > 0
    assert "ms" in page.text_content("#live-times") and "frames a second" in page.text_content("#state")
    assert not page.locator("#live-picture .wait").is_visible()
    keep(page, "live")
    until(page, "document.querySelector('#live-text').value", lambda now: now != first)


def test_nothing_jumps_while_pages_change(page):
    until(page, "document.querySelectorAll('#live-glyphs > li').length", lambda many: many == 10)
    places = (
        "['#live-text', '#live-times', '#live-glyphs'].map(q => document.querySelector(q).getBoundingClientRect().top)"
    )
    before = page.evaluate(places)
    text = page.text_content("#live-text")
    until(page, "document.querySelector('#live-text').value", lambda now: now != text)
    assert page.evaluate(places) == before


def test_a_drawn_seven_reads_seven_while_it_is_drawn_and_undone(page):
    view(page, "draw")
    stroke(page, *SEVEN)
    until(page, READS, lambda text: text == "7")
    stroke(page, *ONE)
    until(page, READS, lambda text: text == "71")
    assert page.locator("#draw-glyphs > li").count() == 2
    page.wait_for_timeout(500)
    keep(page, "draw")
    page.click("#undo")
    until(page, READS, lambda text: text == "7")
    page.click("#clear")
    until(page, READS, lambda text: text == "")
    assert page.locator("#draw-picture rect").count() == 0


def test_a_photograph_is_read(page, tmp_path):
    ink, _ = strokes.page(["2357"], 480, 640, np.random.default_rng(1))
    cv2.imwrite(str(tmp_path / "photo.jpg"), 230 - ink // 2)
    view(page, "draw")
    page.set_input_files("#file", tmp_path / "photo.jpg")
    until(page, READS, lambda text: text == "2357")
    (tmp_path / "photo.jpg").write_bytes(b"no picture")
    page.set_input_files("#file", tmp_path / "photo.jpg")
    until(page, "document.querySelector('#draw-why').textContent", lambda why: "no picture" in why)


def test_events_are_listed_followed_and_filtered(page):
    view(page, "events")
    page.wait_for_selector("#rows tr")
    many = page.locator("#rows tr").count()
    until(page, "document.querySelectorAll('#rows tr').length", lambda now: now > many)
    keep(page, "events")
    page.select_option("#filter-kind", "appeared")
    assert page.locator("#rows tr").count() == 1
    page.fill("#filter-text", "no such text")
    assert page.locator("#rows tr").count() == 0 and page.text_content("#no-rows") == "none of this kind"
    with page.expect_download() as download:
        page.click("text=CSV")
    assert Path(download.value.path()).read_text().startswith("at,device,")


def test_the_keyboard_alone_reaches_everything(page):
    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim()"))
    assert reached[:6] == ["To the content", "Live", "Draw", "Events", "Teach", "Tune"]
    page.focus("nav a[href='#draw']")
    page.keyboard.press("Enter")
    page.wait_for_selector("#pad", state="visible")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "file", "into the view that was opened"


def test_a_correction_is_stored_shown_and_taken_back(page, here):
    view(page, "draw")
    stroke(page, *ONE)
    until(page, READS, lambda text: text == "1")
    page.click("#draw-glyphs button")
    assert "read as 1" in page.text_content("#correct-read")
    keep(page, "correct")
    page.click("#correct button[value='']")
    page.click("#draw-glyphs button")
    page.click("#correct button[value='7']")
    # Whoever came without a token is asked for one, and may leave it.
    page.wait_for_selector("#login[open]")
    assert "To change something" in page.text_content("#login-what")
    page.click("#not-now")
    assert "Not kept" in page.text_content("#toast")
    assert here.ask("/api/corrections").json["count"] == 0
    page.click("#draw-glyphs button")
    page.click("#correct button[value='7']")
    page.fill("#token", here.tokens()["change"])
    page.keyboard.press("Enter")
    page.wait_for_selector("#login:not([open])", state="hidden")
    page.click("#draw-glyphs button")
    page.click("#correct button[value='7']")
    until(page, "document.querySelector('#toast').textContent", lambda text: "that is a 7" in text)
    view(page, "teach")
    until(page, "document.querySelectorAll('#taught > li').length", lambda many: many == 1)
    assert page.locator("#confusions td").all_text_contents() == ["1", "7", "1"]
    keep(page, "teach")
    [one] = here.ask("/api/corrections").json["corrections"]
    assert (one["read"], one["label"], one["source"]) == (1, 7, "web") and one["crop"]
    page.click("#taught button")
    until(page, "document.querySelectorAll('#taught > li').length", lambda many: many == 0)
    assert here.ask("/api/corrections").json["count"] == 0


def test_a_button_below_a_digit_stays_while_frames_come(page):
    until(page, "document.querySelectorAll('#live-glyphs > li').length", lambda many: many == 10)
    page.focus("#live-glyphs > li:nth-child(2) button")
    text = page.text_content("#live-text")
    until(page, "document.querySelector('#live-text').value", lambda now: now != text)
    assert page.evaluate("document.activeElement.closest('#live-glyphs') !== null")
    page.keyboard.press("Enter")
    page.wait_for_selector("#correct[open]")
    page.keyboard.press("Escape")
    assert not page.locator("#correct").is_visible()
    page.click("#hold")
    text = page.text_content("#live-text")
    page.wait_for_timeout(3500)
    assert page.text_content("#live-text") == text


def slide(page, name, value):
    page.evaluate(
        "([name, value]) => { const one = document.querySelector(`#knob-${name}`); one.value = value;"
        " one.dispatchEvent(new Event('input', {bubbles: true})); }",
        [name, value],
    )


def test_a_slider_shows_at_once_what_it_does_and_is_saved(page, here):
    page.goto(f"{here.url}#token={here.tokens()['change']}")
    view(page, "tune")
    until(page, "document.querySelector('#tune-text').value.length", lambda many: many > 9)
    assert page.is_disabled("#save") and page.is_disabled("#back")
    keep(page, "tune")
    slide(page, "level", 254)
    slide(page, "faint", 254)
    until(page, "document.querySelector('#tune-text').value.replace('\\n', '').length", lambda many: many < 10)
    assert here.ask("/api/vision").json["vision"]["level"] == 90, "only this page sees it"
    page.click("#discard")
    assert page.input_value("#knob-level") == "90" and page.is_disabled("#save")
    page.select_option("#knob-threshold", "otsu")
    page.click("#save")
    until(page, "document.querySelector('#tune-state').textContent", lambda text: text.startswith("Saved"))
    assert here.ask("/api/vision").json["vision"]["threshold"] == "otsu"
    assert 'threshold = "otsu"' in (here.state / "vision.toml").read_text()
    page.click("#back")
    until(page, "document.querySelector('#knob-threshold').value", lambda value: value == "hysteresis")
    assert not (here.state / "vision.toml").exists()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["live", "draw", "events", "teach", "tune"])
def test_a_telephone_shows_it_without_sideways_scrolling(browser, here, name, scheme):
    with browser.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme) as context:
        page = context.new_page()
        page.goto(f"{here.url}#{name}")
        until(page, "document.querySelector('#device').textContent", bool)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        keep(page, f"telephone-{name}-{scheme}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["live", "draw", "events", "teach", "tune"])
def test_everybody_can_use_it(browser, here, name, scheme):
    """axe-core's rules for WCAG 2.2 A and AA: contrast, names for screen readers, order."""
    from axe_playwright_python.sync_playwright import Axe

    with browser.new_context(color_scheme=scheme) as context:
        page = context.new_page()
        page.goto(f"{here.url}#{name}")
        until(page, "document.querySelector('#device').textContent", bool)
        page.wait_for_timeout(700)
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

        def wrong():
            found = Axe().run(page, options={"runOnly": {"type": "tag", "values": tags}}).response
            assert "color-contrast" in [one["id"] for one in found["passes"]]
            return [(one["id"], [node["html"][:90] for node in one["nodes"]]) for one in found["violations"]]

        assert wrong() == []
        if name == "live":
            page.click("#live-glyphs button")
            assert wrong() == []
            page.evaluate("document.querySelector('#correct-read').style.cssText = 'color: #777; background: #666'")
            assert wrong()[0][0] == "color-contrast"


def test_from_elsewhere_a_wrong_token_is_refused_and_a_right_one_opens(browser, tmp_path):
    with device(tmp_path, host="0.0.0.0") as running, browser.new_context() as context:
        page = context.new_page()
        page.goto(running.url)
        page.wait_for_selector("#login[open]")
        page.fill("#token", "wrong")
        page.keyboard.press("Enter")
        until(page, "document.querySelector('#login-why').textContent", lambda why: "no token" in why)
        keep(page, "login")
        page.fill("#token", running.tokens()["view"])
        page.keyboard.press("Enter")
        page.wait_for_selector("#live-picture img:not([hidden])")
        assert not page.locator("#login").is_visible()
        assert context.cookies()[0]["httpOnly"] and context.cookies()[0]["sameSite"] == "Strict"
        # A link with the token in it opens at once, and leaves no trace of it.
        other = browser.new_page()
        other.goto(f"{running.url}#token={running.tokens()['view']}")
        other.wait_for_selector("#live-picture img:not([hidden])")
        assert "token" not in other.url
        other.close()
