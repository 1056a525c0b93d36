"""Makes the pictures of the live page for the documentation: ``python -m tests.pictures docs/page``."""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.edge.web.test_page import CHROMIUM, FLAGS, ONE, READS, SEVEN, stroke, until, view
from tests.support.web import device


def main(folder: Path) -> None:
    def keep(name: str) -> None:
        with Image.open(io.BytesIO(page.screenshot(full_page=name != "tune"))) as picture:
            # 128 colours make a small file and still show everything.
            few = picture.convert("RGB").quantize(128, dither=Image.Dither.NONE)
            few.save(folder / f"{name}.png", optimize=True)

    source = "synthetic:?fps=10&hold=60&lines=2&digits=5&seed=4"
    with (
        tempfile.TemporaryDirectory() as state,
        device(Path(state), source=source, publish="jsonl:-", name="kitchen") as running,
        sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{running.url}#token={running.tokens()['change']}")
        page.wait_for_timeout(15_000)
        keep("live")
        for place, digit in ((2, 9), (5, 4), (7, 1)):
            page.click(f"#live-glyphs > li:nth-child({place}) button")
            page.click(f"#correct button[value='{digit}']")
            page.wait_for_timeout(7_000)
        view(page, "draw")
        stroke(page, *SEVEN)
        stroke(page, *ONE)
        until(page, READS, lambda text: text == "71")
        page.wait_for_timeout(4_000)
        keep("draw")
        view(page, "events")
        page.wait_for_timeout(2_000)
        keep("events")
        view(page, "teach")
        page.wait_for_timeout(2_000)
        keep("teach")
        view(page, "tune")
        page.wait_for_timeout(2_000)
        keep("tune")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
