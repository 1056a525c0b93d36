"""The live page in a real browser, used as people use it; EDGE_PICTURES=FOLDER saves a picture of each view."""

import base64
import contextlib
import csv
import json
import os
import re
import shutil
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.handwriting import rendering
from edge.vision.settings import VisionSettings
from tests.support.web import device

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="no chromium here: apt install chromium"),
    pytest.mark.slow,
]
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip
SEVEN = ((0.2, 0.25), (0.35, 0.25), (0.27, 0.75))
ONE = ((0.6, 0.3), (0.66, 0.22), (0.66, 0.78))
"""Points of strokes, as fractions of the canvas."""
# What all that is drawn reads as; null while a read of half a stroke is under way.
READS = "document.querySelector('#draw-text[aria-busy=false]')?.value ?? null"
STATE = "document.querySelector('#state').textContent"
VIEWS = ("live", "draw", "events", "teach", "tune")
DESK, LAPTOP, TELEPHONE = (1280, 900), (1366, 620), (360, 740)
"""Viewports, pixels."""
LEVEL = VisionSettings().level


@pytest.fixture(scope="module")
def driver():
    with pytest.importorskip("playwright.sync_api").sync_playwright() as one:
        yield one


@pytest.fixture(scope="module")
def browser(driver):
    one = driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
    yield one
    one.close()


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    with device(tmp_path_factory.mktemp("here"), source="synthetic:?fps=15&hold=45&lines=2&digits=5") as running:
        yield running


@contextlib.contextmanager
def opened(browser, url, size=DESK, **how):
    """A page. Errors and warnings of its scripts or its security policy make the test fail."""
    wrong = []
    with browser.new_context(viewport={"width": size[0], "height": size[1]}, **how) as context:
        one = context.new_page()
        one.on("pageerror", lambda error: wrong.append(str(error)))
        one.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
        one.goto(url)
        yield one
    # Some tests want requests to be refused, or the device to be away.
    assert not [line for line in wrong if "Failed to load resource" not in line]


@pytest.fixture
def page(browser, here):
    with opened(browser, here.url) as one:
        yield one
        keep(one, "last")


def keep(page, name):
    if folder := os.environ.get("EDGE_PICTURES"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def until(page, expression, fits):
    """Wait for a fitting value of an expression. The page's policy forbids what Playwright's own function needs."""
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
    assert len(first.replace(" / ", "")) == 10
    assert page.locator("#live-picture rect.read").count() == 10
    for stage in ("#live-even", "#live-ink"):
        assert page.evaluate(f"document.querySelector('{stage}').naturalWidth") > 0
    assert "ms" in page.text_content("#live-times") and "frames per second" in page.text_content("#fps")
    assert not page.locator("#live-picture .placeholder").is_visible()
    keep(page, "live")
    until(page, "document.querySelector('#live-text').value", lambda now: now != first)


def written(path, *lines, height=480, width=640):
    ink, _ = rendering.page(lines, height, width, np.random.default_rng(1))
    cv2.imwrite(str(path), 230 - ink // 2)
    return path


def places(page, *selectors):
    """Top and height of each element, pixels of the whole document."""
    return page.evaluate(
        "all => all.map(one => { const {top, height} = document.querySelector(one).getBoundingClientRect();"
        " return [one, Math.round(top + scrollY), Math.round(height)]; })",
        selectors,
    )


@pytest.mark.parametrize("size", [DESK, TELEPHONE])
def test_nothing_moves_when_the_reading_changes(browser, tmp_path, size):
    """With no reading, one line and three lines, and frames of another shape."""
    pages = tmp_path / "pages"
    pages.mkdir()
    written(pages / "1.png")
    written(pages / "2.png", "7")
    written(pages / "3.png", "1234567", "8901234", "5678901")
    written(pages / "4.png", "27", height=360)
    fixed = ("#live-picture", "p.read", "#live-note", "#freeze", "#live-ink", "#live-times", "#live-glyphs")
    with (
        device(tmp_path, source=f"files:{pages}?fps=2&loop=yes") as running,
        opened(browser, running.url, size) as page,
    ):
        seen = {}

        def look(text):
            # Before the first frame there is nothing to compare with.
            if text != "…":
                seen[text] = places(page, *fixed)[:-1], places(page, "#live-glyphs")[0][1]
            return {"", "7", "1234567 / 8901234 / 5678901", "27"} <= seen.keys()

        until(page, "document.querySelector('#live-text').value", look)
        assert all(where == seen[""] for where in seen.values()), seen


@pytest.mark.parametrize("size", [DESK, TELEPHONE])
def test_nothing_moves_when_a_photograph_is_sent(browser, here, tmp_path, size):
    fixed = ("#draw-picture", "#undo", ".hint", "#draw-note", "#draw-ink", "#draw-glyphs")
    with opened(browser, f"{here.url}#draw", size) as page:
        before = places(page, *fixed)
        page.set_input_files("#file", written(tmp_path / "high.png", "23", "57", "41", height=900, width=500))
        until(page, READS, lambda text: text == "23 / 57 / 41")
        assert places(page, *fixed) == before
        # A stroke appears where the pen is, although the picture does not fill its frame.
        page.click("#clear")
        stroke(page, *SEVEN)
        until(page, READS, lambda text: text == "7")


@pytest.mark.parametrize("size", [DESK, LAPTOP, TELEPHONE])
def test_boxes_show_confidences_and_labels_do_not_overlap(browser, here, size):
    with opened(browser, here.url, size) as page:
        until(page, "document.querySelectorAll('#live-picture text.read').length", lambda many: many == 10)
        page.click("#freeze")
        labels = page.evaluate(
            "[...document.querySelectorAll('#live-picture text')].map(one => { const r = one.getBoundingClientRect();"
            " const small = one.querySelector('tspan').getBoundingClientRect().height;"
            " return [one.textContent, r.left, r.right, r.top, r.bottom, small]; })"
        )
        cards = page.evaluate(
            "[...document.querySelectorAll('#live-glyphs > li')].map(one =>"
            " [one.querySelector('img').alt, one.querySelector('.verdict').textContent])"
        )
        sure = [(alt.removeprefix("read as "), re.split(r"\D", verdict)[0]) for alt, verdict in cards]
        assert [text for text, *_ in labels] == [f"{digit}{percent}%" for digit, percent in sure]
        for text, left, right, top, bottom, small in labels:
            assert small >= 6, text
            for other in labels:
                beside = other[1] > left and other[3] < bottom and other[4] > top
                assert not beside or other[1] >= right - 2, (text, other[0])


AIM = "['#aim-step', '#aim-facts', '#aim-share'].map(one => document.querySelector(one).textContent)"


@pytest.mark.parametrize("size", [DESK, TELEPHONE])
def test_the_aim_says_what_to_do_about_the_view(browser, tmp_path, size):
    """A page of digits that are too small, then one that is blurred, then a good one, as if the camera was moved."""
    page_of_digits = cv2.imread(str(written(tmp_path / "good.png", "20357", "46819")), cv2.IMREAD_GRAYSCALE)
    shown = tmp_path / "pages"
    shown.mkdir()
    small = cv2.resize(page_of_digits, None, fx=0.14, fy=0.14, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(shown / "1.png"), small)
    cv2.imwrite(str(shown / "2.png"), cv2.GaussianBlur(page_of_digits, (0, 0), 14))
    cv2.imwrite(str(shown / "3.png"), page_of_digits)
    steps = {}

    def look(seen):
        step, facts, share = seen
        steps[step.split(":")[0]] = facts, share
        return len([one for one in steps if "tall" in one or "blurred" in one or "good" in one]) == 3

    with (
        device(tmp_path, source=f"files:{shown}?fps=0.3&loop=yes") as running,
        opened(browser, running.url, size) as page,
    ):
        until(page, AIM, look)
        keep(page, f"aim-{size[0]}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tall = next(facts for step, (facts, _) in steps.items() if "tall" in step)
    assert "20 are needed" in tall and "paper 2" in tall
    assert steps["the picture is blurred"][1].endswith("blurred")
    assert steps["the view is good"][1] == "100 % of the best, sharp"


@pytest.mark.parametrize("size", [DESK, TELEPHONE])
def test_without_a_camera_the_picture_says_why_and_what_to_do(browser, tmp_path, size):
    with (
        device(tmp_path, source="v4l2:/dev/video99", has_camera=False) as running,
        opened(browser, running.url, size) as page,
    ):
        until(page, "document.querySelector('#live-picture .placeholder').textContent", lambda why: "v4l2-ctl" in why)
        assert page.locator("#live-picture .placeholder").is_visible()
        assert "no such camera; plug it in" in page.text_content("#live-picture .placeholder")
        assert "waiting for the camera" in page.text_content("#state")


@pytest.mark.parametrize("size", [DESK, TELEPHONE])
def test_what_is_not_read_has_a_dashed_box_and_its_reason(browser, here, tmp_path, size):
    photo = written(tmp_path / "letters.png", "2357", "4168")
    picture = cv2.imread(str(photo), cv2.IMREAD_GRAYSCALE)
    picture = np.vstack([picture, np.full((160, 640), 230, np.uint8)])
    for letter, x in (("W", 60), ("m", 480)):
        cv2.putText(picture, letter, (x, 600), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 3, 100, 5, cv2.LINE_AA)
    cv2.imwrite(str(photo), picture)
    unread = here.ask("/api/read", photo.read_bytes()).json["unread"]
    assert len(unread) == 2
    with opened(browser, f"{here.url}#draw", size) as page:
        page.set_input_files("#file", photo)
        until(page, READS, lambda text: text == "2357 / 4168")
        boxes = page.evaluate(
            "[...document.querySelectorAll('#draw-picture rect.unread')].map(one =>"
            " [['x', 'y', 'width', 'height'].map(name => Number(one.getAttribute(name))),"
            " getComputedStyle(one).strokeDasharray])"
        )
        assert [box for box, _ in boxes] == [
            [x - 3, y - 3, wide + 6, high + 6] for x, y, wide, high in (one["box"] for one in unread)
        ]
        assert all(dashes != "none" for _, dashes in boxes)
        assert page.locator("#draw-picture rect.read").count() == 8
        reasons = "[...document.querySelectorAll('#draw-picture text.unread')].map(one => one.textContent)"
        assert page.evaluate(reasons) == [one["reason"] for one in unread]
        heights = page.evaluate(
            "[...document.querySelectorAll('#draw-picture text.unread')].map(o => o.getBoundingClientRect().height)"
        )
        assert min(heights) >= 10
        cards = page.evaluate(
            "[...document.querySelectorAll('#draw-glyphs .unread p.verdict')].map(one => one.textContent)"
        )
        assert cards == [one["reason"] for one in unread]
        page.click("#draw-glyphs > li.unread button")
        assert page.text_content("#correct-read").startswith(f"not read ({cards[0]})")
        keep(page, f"unread-{size[0]}")


def test_reasons_of_crowded_marks_cover_no_box_and_no_text(browser, here, tmp_path):
    words = np.full((480, 640), 230, np.uint8)
    for line in range(8):
        cv2.putText(words, "Wem gab Karin", (20, 55 + 55 * line), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 1.6, 60, 3)
    photo = tmp_path / "words.png"
    cv2.imwrite(str(photo), words)
    with opened(browser, f"{here.url}#draw") as page:
        page.set_input_files("#file", photo)
        until(page, "document.querySelectorAll('#draw-picture rect.unread').length", lambda many: many > 20)
        marks = page.evaluate(
            "[...document.querySelectorAll('#draw-picture rect, #draw-picture text')].map(one => {"
            " const r = one.getBBox(); return [one.tagName, r.x, r.y, r.x + r.width, r.y + r.height]; })"
        )
    texts = [area for tag, *area in marks if tag == "text"]
    assert texts
    for one in texts:
        for tag, *other in marks:
            apart = one[0] >= other[2] or other[0] >= one[2] or one[1] >= other[3] or other[1] >= one[3]
            assert other == one or apart, (tag, one, other)


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


@pytest.mark.parametrize("kind", ["touch", "pen"])
def test_finger_and_pen_draw(browser, here, kind):
    with opened(browser, f"{here.url}#draw", TELEPHONE, has_touch=True) as page:
        page.evaluate(
            "document.querySelector('#pad').addEventListener('pointerdown', e => { window.by = e.pointerType; })"
        )
        link = page.context.new_cdp_session(page)
        box = page.locator("#pad").bounding_box()

        def point(name, x, y):
            where = {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}
            if kind == "touch":
                name = {"Pressed": "Start", "Moved": "Move", "Released": "End"}[name]
                points = [] if name == "End" else [where]
                link.send("Input.dispatchTouchEvent", {"type": f"touch{name}", "touchPoints": points})
            else:
                held = {"button": "left", "buttons": 1, "pointerType": "pen"}
                link.send("Input.dispatchMouseEvent", {"type": f"mouse{name}", "clickCount": 1, **held, **where})

        point("Pressed", *SEVEN[0])
        for one, other in zip(SEVEN, SEVEN[1:], strict=False):
            for n in range(1, 11):
                point("Moved", *(a + (b - a) * n / 10 for a, b in zip(one, other, strict=True)))
        point("Released", *SEVEN[-1])
        until(page, READS, lambda text: text == "7")
        assert page.evaluate("window.by") == kind
        assert page.evaluate("scrollY") == 0


def test_a_photograph_is_read(page, tmp_path):
    view(page, "draw")
    photo = written(tmp_path / "photo.jpg", "2357")
    page.set_input_files("#file", photo)
    until(page, READS, lambda text: text == "2357")
    photo.write_bytes(b"no picture")
    page.set_input_files("#file", photo)
    until(page, "document.querySelector('#draw-note').textContent", lambda why: "not an image that can be read" in why)
    # A file that the browser cannot show is sent as it is; the device's picture of it can be drawn on.
    page.set_input_files("#file", written(tmp_path / "scan.tiff", "41"))
    until(page, READS, lambda text: text == "41")
    assert page.evaluate("document.querySelector('#pad').width") == 640
    stroke(page, (0.9, 0.35), (0.9, 0.78))
    until(page, READS, lambda text: text == "411")


GIVE_FILE = """([data, how]) => {
    const given = new DataTransfer();
    const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
    given.items.add(new File([bytes], "photo.png", { type: "image/png" }));
    const event = how === "drop"
        ? new DragEvent("drop", { dataTransfer: given, bubbles: true, cancelable: true })
        : new ClipboardEvent("paste", { clipboardData: given, bubbles: true });
    document.querySelector("#draw-picture").dispatchEvent(event);
}"""


@pytest.mark.parametrize("how", ["drop", "paste"])
def test_a_photograph_is_dropped_and_pasted(page, tmp_path, how):
    view(page, "draw")
    data = base64.b64encode(written(tmp_path / "photo.png", "2357").read_bytes()).decode()
    page.evaluate(GIVE_FILE, [data, how])
    until(page, READS, lambda text: text == "2357")


def film(path, *lines):
    """A video for the browser's fake camera: digits on a page, as YUV4MPEG2."""
    ink, _ = rendering.page(lines, 480, 640, np.random.default_rng(1))
    frame = b"FRAME\n" + (230 - ink // 2).tobytes() + bytes([128]) * (640 * 480 // 2)
    path.write_bytes(b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420mpeg2\n" + frame * 5)
    return path


def test_the_browsers_own_camera_is_read_and_stopped(driver, here, tmp_path):
    fake = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    shown = f"--use-file-for-fake-video-capture={film(tmp_path / 'film.y4m', '2357')}"
    browser = driver.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *fake, shown])
    with opened(browser, f"{here.url}#draw") as page:
        assert page.text_content("#camera") == "Use the browser's camera" and not page.is_visible("#stop-camera")
        before = places(page, ".hint", "#draw-glyphs")
        page.click("#camera")
        page.wait_for_selector("#video:not([hidden])")
        assert places(page, ".hint", "#draw-glyphs") == before
        page.click("#stop-camera")
        assert page.evaluate("document.querySelector('#video').srcObject") is None and not page.is_visible("#video")
        page.click("#camera")
        until(page, "document.querySelector('#video').videoWidth", bool)
        page.click("text=Take a picture")
        until(page, READS, lambda text: text == "2357")
        assert not page.is_visible("#video") and not page.is_visible("#stop-camera")
    browser.close()


ROWS = "[...document.querySelectorAll('#timeline li')].map(one => [...one.children].map(part => part.textContent))"


def test_events_form_a_timeline_that_follows_and_filters(page):
    view(page, "events")
    page.wait_for_selector("#timeline li")
    many = page.locator("#timeline li").count()
    until(page, "document.querySelectorAll('#timeline li').length", lambda now: now > many)
    assert page.text_content("#timeline h3").startswith("Today, ")
    keep(page, "events")
    rows = page.evaluate(ROWS)
    assert rows[0][:3] > rows[1][:3] and rows[0][1] in ("now", "2 s ago", "3 s ago") and rows[-1][2] == "appeared"
    page.select_option("#filter-kind", "appeared")
    assert page.locator("#timeline li").count() == 1
    page.fill("#filter-text", "no such text")
    assert page.locator("#timeline li").count() == 0 and page.text_content("#events-note") == "no events match"
    assert page.is_disabled("#csv") and page.is_disabled("#jsonl")


def test_the_filter_searches_the_shown_texts_and_limits_the_download(page, here):
    view(page, "events")
    until(page, "document.querySelectorAll('#timeline li').length", lambda many: many > 2)
    wanted = page.evaluate(ROWS)[-2][3]
    assert " / " in wanted
    page.fill("#filter-text", wanted)
    # One event has it as its text, the next one as the text before.
    until(page, "document.querySelectorAll('#timeline li').length", lambda many: many == 2)
    for name in ("#csv", "#jsonl"):
        with page.expect_download() as download:
            page.click(name)
        text = Path(download.value.path()).read_bytes().decode()
        if name == "#jsonl":
            exported = [json.loads(line) for line in text.splitlines()]
            stored = [json.loads(line) for line in here.ask("/api/history").body.decode().splitlines()]
        else:
            exported, stored = rows_of(text), rows_of(here.ask("/api/history?format=csv").body.decode())
        assert len(exported) == 2 and exported == [one for one in stored if one["at"] in {x["at"] for x in exported}]
        assert wanted.replace(" / ", "\n") in (exported[0]["text"], exported[1]["before"])
        assert exported[0]["at"] < exported[1]["at"], "oldest first, as the device's own file"


def rows_of(text):
    """The rows of a CSV file, with numbers as floats, because 1.0 and 1 are the same."""

    def plain(value):
        with contextlib.suppress(ValueError):
            return float(value)
        return value

    return [
        {name: plain(value) for name, value in row.items()} for row in csv.DictReader(text.splitlines(keepends=True))
    ]


@pytest.mark.parametrize("size", [DESK, TELEPHONE])
def test_notices_are_listed_with_their_reason(browser, here, size):
    at, why = "2026-11-23T08:00:00.000000Z", "gives no new frame, 2 s long"
    notice = {"schema": 1, "notice": "camera", "state": "stalled", "name": "=picamera2:0", "at": at, "reason": why}
    body = f"event: event\ndata: {json.dumps(notice)}\n\n"
    with opened(browser, here.url, size) as page:
        page.route(
            lambda url: url.endswith("/api/events"),
            lambda route: route.fulfill(body=body, content_type="text/event-stream"),
        )
        view(page, "events")
        until(page, "document.querySelectorAll('#timeline h3').length", lambda days: days == 2)
        page.select_option("#filter-kind", "camera")
        # The list also has the notice of the real camera's start.
        until(page, ROWS, lambda rows: any(row[2:] == ["camera", "stalled", why] for row in rows))
        assert page.locator("#timeline li.bad").count() == 1
        assert page.evaluate(
            "[...document.querySelectorAll('#timeline *')].every(one => one.scrollWidth <= innerWidth)"
        )
        page.fill("#filter-text", "no new frame")
        with page.expect_download() as download:
            page.click("#csv")
        [row] = rows_of(Path(download.value.path()).read_bytes().decode())
        assert (row["kind"], row["text"], row["source"]) == ("camera", "stalled", "'=picamera2:0"), "no formula"


def test_a_telephone_shows_the_texts_of_events_in_full(browser, here):
    with opened(browser, f"{here.url}#events", TELEPHONE) as page:
        page.wait_for_selector("#timeline li")
        assert page.evaluate(
            "[...document.querySelectorAll('#timeline b, #timeline small')].every(one =>"
            " one.getBoundingClientRect().right <= innerWidth && one.scrollWidth <= one.clientWidth + 1)"
        )
        until(page, "document.querySelectorAll('#timeline li').length", lambda many: many > 6)
        # New events do not move what the user has scrolled to.
        page.evaluate("document.querySelector('#timeline').scrollTop = 150")
        where = "document.querySelector('#timeline li:last-child').getBoundingClientRect().top"
        many, before = page.locator("#timeline li").count(), page.evaluate(where)
        until(page, "document.querySelectorAll('#timeline li').length", lambda now: now > many)
        assert abs(page.evaluate(where) - before) <= 1


def test_all_views_show_a_lost_connection_and_recover(browser, tmp_path):
    with contextlib.ExitStack() as stack:
        with device(tmp_path) as running:
            page = stack.enter_context(opened(browser, running.url))
            until(page, STATE, lambda state: state == "reading")
            view(page, "events")
            page.wait_for_selector("#timeline li")
        for name in VIEWS:
            view(page, name)
            until(page, STATE, lambda state: state == "the device does not answer; trying again")
            assert page.text_content("#fps") == ""
        until(page, "document.querySelector('#tune-note').textContent", lambda note: "does not answer" in note)
        with device(tmp_path, port=running.port):
            until(page, STATE, lambda state: state == "reading")
            until(page, "document.querySelector('#tune-text').value", lambda text: len(text) > 3)
            view(page, "events")
            page.wait_for_selector("#timeline li")
            many = page.locator("#timeline li").count()
            until(page, "document.querySelectorAll('#timeline li').length", lambda now: now > many)
            view(page, "live")
            until(page, "document.querySelector('#live-picture img').naturalWidth", bool)


def test_a_screen_reader_announces_only_changes(page):
    until(page, STATE, lambda state: state == "reading")
    until(page, "document.querySelector('#fps').textContent", bool)
    assert page.evaluate("document.querySelector('#fps').closest('[role=status], [aria-live]')") is None
    page.evaluate(
        "window.told = { state: 0, fps: 0 }; for (const id in window.told)"
        " new MutationObserver(() => { window.told[id] += 1; }).observe("
        " document.getElementById(id), {childList: true, characterData: true, subtree: true})"
    )
    # The number may stay the same; it is written anew with each status.
    until(page, "window.told.fps", lambda times: times >= 2)
    assert page.evaluate("window.told.state") == 0


def test_the_keyboard_alone_reaches_everything(page):
    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim()"))
    assert reached[:6] == ["Skip to the content", "Live", "Draw", "Events", "Teach", "Tune"]
    page.focus("nav a[href='#draw']")
    page.keyboard.press("Enter")
    page.wait_for_selector("#pad", state="visible")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "file", "into the view that was opened"


def test_the_skip_link_stays_in_the_view(page):
    view(page, "tune")
    page.wait_for_selector("#knob-level")
    page.focus(".skip")
    page.keyboard.press("Enter")
    page.wait_for_timeout(200)
    assert page.is_visible("#tune-view") and page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#tune-view') !== null")


def tab_to(page, selector, key="Tab"):
    for _ in range(60):
        page.keyboard.press(key)
        if page.evaluate("one => document.activeElement.matches(one)", selector):
            return
    raise AssertionError(f"{selector} is not reached")


def test_a_digit_is_corrected_by_keyboard_alone(browser, here):
    with opened(browser, here.url) as page:
        until(page, "document.querySelectorAll('#live-glyphs > li').length", lambda many: many == 10)
        tab_to(page, "#live-glyphs > li:nth-child(2) button")
        page.keyboard.press("Enter")
        page.wait_for_selector("#correct[open]")
        # No digit is chosen yet, so Enter does nothing.
        page.keyboard.press("Enter")
        page.wait_for_timeout(200)
        assert page.is_visible("#correct")
        tab_to(page, "#correct button[value='3']")
        page.keyboard.press("Enter")
        page.wait_for_selector("#login[open]")
        page.keyboard.type(here.tokens()["change"])
        page.keyboard.press("Enter")
        until(page, "document.querySelector('#toast').textContent", lambda text: "it is a 3" in text)
        [one] = here.ask("/api/corrections").json["corrections"]
        assert one["label"] == 3
        tab_to(page, "#toast button")
        page.keyboard.press("Enter")
        until(page, "document.querySelector('#toast').hidden", bool)
        assert here.ask("/api/corrections").json["count"] == 0


def test_a_correction_is_saved_shown_and_undone(page, here):
    view(page, "draw")
    stroke(page, *ONE)
    until(page, READS, lambda text: text == "1")
    page.click("#draw-glyphs button")
    assert "read as 1" in page.text_content("#correct-read")
    keep(page, "correct")
    page.click("#correct button[value='']")
    page.click("#draw-glyphs button")
    page.click("#correct button[value='7']")
    # A user without a token is asked for one, and may cancel.
    page.wait_for_selector("#login[open]")
    assert "To change something" in page.text_content("#login-reason")
    page.click("#login-cancel")
    until(page, "document.querySelector('#toast').textContent", lambda text: "Not saved" in text)
    assert here.ask("/api/corrections").json["count"] == 0
    page.click("#draw-glyphs button")
    page.click("#correct button[value='7']")
    page.fill("#token", here.tokens()["view"])
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#login-error').textContent", lambda why: "only lets you look" in why)
    page.fill("#token", here.tokens()["change"])
    page.keyboard.press("Enter")
    # The correction made before the login is saved.
    until(page, "document.querySelector('#toast').textContent", lambda text: "it is a 7" in text)
    assert not page.is_visible("#login")
    view(page, "teach")
    until(page, "document.querySelectorAll('#corrections > li').length", lambda many: many == 1)
    assert page.locator("#confusions td").all_text_contents() == ["1", "7", "1"]
    keep(page, "teach")
    [one] = here.ask("/api/corrections").json["corrections"]
    assert (one["read"], one["label"], one["source"]) == (1, 7, "web") and one["crop"]
    page.click("#corrections button")
    until(page, "document.querySelectorAll('#corrections > li').length", lambda many: many == 0)
    assert here.ask("/api/corrections").json["count"] == 0


def test_a_button_below_a_digit_keeps_its_focus_while_frames_come(page):
    until(page, "document.querySelectorAll('#live-glyphs > li').length", lambda many: many == 10)
    page.focus("#live-glyphs > li:nth-child(2) button")
    text = page.text_content("#live-text")
    until(page, "document.querySelector('#live-text').value", lambda now: now != text)
    assert page.evaluate("document.activeElement.closest('#live-glyphs') !== null")
    page.keyboard.press("Enter")
    page.wait_for_selector("#correct[open]")
    page.keyboard.press("Escape")
    assert not page.locator("#correct").is_visible()
    page.click("#freeze")
    text = page.text_content("#live-text")
    page.wait_for_timeout(3500)
    assert page.text_content("#live-text") == text


@pytest.mark.parametrize("size", [DESK, TELEPHONE])
def test_the_toast_covers_no_button(browser, here, size):
    with opened(browser, f"{here.url}#token={here.tokens()['change']}", size) as page:
        until(page, "document.querySelectorAll('#live-glyphs > li').length", lambda many: many == 10)
        page.click("#live-glyphs button")
        page.click("#correct button[value='3']")
        page.wait_for_selector("#toast:not([hidden])")
        page.evaluate("document.querySelector('#live-glyphs > li:nth-child(5)').scrollIntoView({block: 'end'})")
        assert (
            page.evaluate(
                "[...document.querySelectorAll('#live-glyphs button, nav a, #freeze')].filter(one => {"
                " const {left, top, width, height} = one.getBoundingClientRect();"
                " const there = document.elementFromPoint(left + width / 2, top + height / 2);"
                " return there && !one.contains(there); }).length"
            )
            == 0
        )
        page.click("#toast button")
        until(page, "document.querySelector('#toast').hidden", bool)
    for one in here.ask("/api/corrections").json["corrections"]:
        here.ask(f"/api/corrections/{one['id']}", None, "DELETE", Authorization=f"Bearer {here.tokens()['change']}")


def slide(page, name, value):
    page.evaluate(
        "([name, value]) => { const one = document.querySelector(`#knob-${name}`); one.value = value;"
        " one.dispatchEvent(new Event('input', {bubbles: true})); }",
        [name, value],
    )


def test_a_slider_is_previewed_saved_and_restored(page, here):
    page.goto(f"{here.url}#token={here.tokens()['change']}")
    view(page, "tune")
    until(page, "document.querySelector('#tune-text').value.length", lambda many: many > 9)
    assert page.is_disabled("#save") and page.is_disabled("#restore")
    keep(page, "tune")
    slide(page, "level", 254)
    slide(page, "faint", 254)
    until(page, "document.querySelector('#tune-text').value.replace(' / ', '').length", lambda many: many < 10)
    assert here.ask("/api/vision").json["vision"]["level"] == LEVEL, "only this page sees it"
    page.click("#discard")
    assert page.input_value("#knob-level") == str(LEVEL) and page.is_disabled("#save")
    page.select_option("#knob-threshold", "otsu")
    page.click("#save")
    until(page, "document.querySelector('#tune-state').textContent", lambda text: text.startswith("Saved"))
    assert here.ask("/api/vision").json["vision"]["threshold"] == "otsu"
    assert 'threshold = "otsu"' in (here.state / "vision.toml").read_text()
    page.click("#restore")
    until(page, "document.querySelector('#knob-threshold').value", lambda value: value == "hysteresis")
    assert not (here.state / "vision.toml").exists()


def test_a_slider_is_moved_and_saved_by_keyboard_alone(browser, here):
    with opened(browser, f"{here.url}#token={here.tokens()['change']}", TELEPHONE) as page:
        tab_to(page, "nav a[href='#tune']")
        page.keyboard.press("Enter")
        page.wait_for_selector("#knob-level")
        tab_to(page, "#knob-level")
        for _ in range(5):
            page.keyboard.press("ArrowRight")
        assert page.evaluate("document.querySelector('#knob-level').nextSibling.value") == str(LEVEL + 5)
        tab_to(page, "#save", "Shift+Tab")
        page.keyboard.press("Enter")
        until(page, "document.querySelector('#tune-state').textContent", lambda text: text.startswith("Saved"))
        assert here.ask("/api/vision").json["vision"]["level"] == LEVEL + 5
        tab_to(page, "#restore")
        page.keyboard.press("Enter")
        until(page, "document.querySelector('#knob-level').value", lambda value: value == str(LEVEL))


def test_unsaved_settings_survive_a_change_of_view(page, here):
    view(page, "tune")
    page.wait_for_selector("#knob-level")
    slide(page, "level", 200)
    view(page, "live")
    view(page, "tune")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(700)
    assert page.input_value("#knob-level") == "200" and page.is_enabled("#save")
    page.click("#discard")
    # With no unsaved changes, settings saved by somebody else are shown.
    key = {"Authorization": f"Bearer {here.tokens()['change']}"}
    here.ask("/api/vision", b'{"level": 77}', "PUT", **key)
    view(page, "live")
    view(page, "tune")
    until(page, "document.querySelector('#knob-level').value", lambda value: value == "77")
    here.ask("/api/vision/back", b"", "POST", **key)


@pytest.mark.parametrize("size", [DESK, LAPTOP, TELEPHONE])
def test_the_preview_stays_beside_the_sliders(browser, here, size):
    with opened(browser, f"{here.url}#tune", size) as page:
        until(page, "document.querySelector('#tune-text').value.length", lambda many: many > 9)
        for name in ("level", "interpolation"):
            page.evaluate("one => document.querySelector(one).scrollIntoView({block: 'center'})", f"#knob-{name}")
            for stage in ("#tune-picture", "#tune-ink", "#tune-even", f"#knob-{name}"):
                assert page.evaluate(
                    "one => { const it = document.querySelector(one); const r = it.getBoundingClientRect();"
                    " const there = document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2);"
                    " return r.top >= 0 && r.bottom <= innerHeight && r.width > 60 && it.contains(there); }",
                    stage,
                ), f"{stage} beside {name}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", VIEWS)
def test_a_telephone_needs_no_sideways_scrolling(browser, here, name, scheme):
    with browser.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme) as context:
        page = context.new_page()
        page.goto(f"{here.url}#{name}")
        until(page, "document.querySelector('#device').textContent", bool)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        keep(page, f"telephone-{name}-{scheme}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", VIEWS)
def test_the_page_meets_wcag(browser, here, name, scheme):
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


def test_other_machines_log_in_with_a_token(browser, tmp_path):
    with device(tmp_path, host="0.0.0.0") as running, browser.new_context() as context:
        page = context.new_page()
        page.goto(running.url)
        page.wait_for_selector("#login[open]")
        page.fill("#token", "wrong")
        page.keyboard.press("Enter")
        until(page, "document.querySelector('#login-error').textContent", lambda why: "this token is wrong" in why)
        keep(page, "login")
        page.fill("#token", running.tokens()["view"])
        page.keyboard.press("Enter")
        page.wait_for_selector("#live-picture img:not([hidden])")
        assert not page.locator("#login").is_visible()
        assert context.cookies()[0]["httpOnly"] and context.cookies()[0]["sameSite"] == "Strict"
        # A link with the token logs in at once, and the token disappears from the address.
        other = browser.new_page()
        other.goto(f"{running.url}#token={running.tokens()['view']}")
        other.wait_for_selector("#live-picture img:not([hidden])")
        assert "token" not in other.url
        other.close()
