"""The report of conversions made up by hand, so that every figure is known."""

from __future__ import annotations

import base64
import io
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from html import escape
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import jsonschema
import matplotlib
import numpy as np
import pytest
from rich.console import Console

from convert import report, results
from convert.conversion.attempts import Attempt
from convert.conversion.dataset import Dataset
from convert.conversion.pipeline import Conversion
from convert.conversion.request import Request
from convert.evaluation.calibration import calibration_error
from convert.evaluation.verify import Comparison, Times
from convert.load import LoadedModel
from convert.load.input_format import InputFormat, Trial
from convert.report import statistics, wording
from convert.report.page import html
from convert.tflite.runtimes import Runtime
from edge.model.card import DIGITS, NONE, Card
from tests.support import small

SCHEMA = json.loads((files("convert") / "schema" / "report.json").read_text("utf-8"))
CHECK = jsonschema.Draft202012Validator(SCHEMA)
CLASSES = (*DIGITS, NONE)
LABELS = (np.arange(300) % 10).astype(np.uint8)
NASTY = "9 <i>&amp;</i> [red]"
FOLDER = "/srv/secret folder"


def probabilities(wrong: dict[int, int], confidence: float = 0.95) -> np.ndarray:
    """Of 300 digits, all read right with this confidence but those at ``wrong``, read as that class."""
    classes = LABELS.astype(int)
    for index, read in wrong.items():
        classes[index] = read
    found = np.full((300, 11), (1 - confidence) / 10, np.float32)
    found[np.arange(300), classes] = confidence
    return found


def comparison(step: int = 1, confidence: float = 0.9) -> Comparison:
    """Keras errs in 2 of 300, the file in 5: a 4 and two 14s more, a 3 taken for no digit; one 7 is gained."""
    before = probabilities({7: 1, 9: 4})
    after = probabilities({9: 4, 4: 9, 14: 9, 24: 9, 3: 10}, confidence)
    after[3, 8] = 0.02
    return Comparison(labels=LABELS[::step], keras=before[::step], tflite=after[::step], classes=CLASSES)


def attempt(recipe: Any, size: int, **given: Any) -> Attempt:
    source = {"file": "m.h5", "sha256": "ab", "tensorflow": "2.21.0", "keras": "3.15.1", "edge-digits": "0.1.0"}
    card = Card(labels=CLASSES, temperature=0.71, source=source)
    return Attempt(recipe=recipe, content=bytes(size), card=card, **given)


@cache
def done() -> Conversion:
    """Of three recipes one is chosen, one is looked at less closely, and one cannot be made."""
    runs = Runtime("ai-edge-litert", "2.3.0", None, agreement=1.0)
    refuses = Runtime("tensorflow", "2.21.0", f"{FOLDER}/x.tflite: <op> 'FANCY' is too new".replace(" folder", ""))
    times = Times(p50=84.26, p95=158.04)
    attempts = (
        attempt("int8", 40_000, comparison=comparison(), times=times, runtimes=(runs, refuses)),
        attempt("float32", 142_000, comparison=comparison(10), times=times, runtimes=(runs, runs)),
        attempt("int16x8", 0, problem=f"TFLite cannot convert it to int16x8 ({NASTY}); use simpler layers"),
    )
    trial = Trial(range="0..1", polarity="light", fit="resize", images=300, accuracy=0.98, loss=0.04)
    trials = tuple(replace(trial, range=name, accuracy=0.98 - 0.002 * i) for i, name in enumerate(("0..1", "0..255")))
    model = Path(FOLDER) / "m <b>[bold].h5"
    glyphs = small.data().test
    loaded = LoadedModel(SimpleNamespace(count_params=lambda: 35_000), model, "ab" * 32, "keras 3.15.1", CLASSES)
    dataset = Dataset(
        calibration=glyphs, own_count=0, temperature=glyphs, temperature_labels=LABELS, test=glyphs, test_labels=LABELS,
        digest="cd" * 32,
    )  # fmt: skip
    return Conversion(
        request=Request(model=model, out=Path("m.tflite"), max_drop=1.5),
        loaded=loaded,
        input_format=InputFormat(shape=(28, 28, 1), image=(28, 28, 1), images=len(glyphs), trials=trials),
        dataset=dataset,
        camera=255 - glyphs,
        attempts=attempts,
        chosen=attempts[0],
        through_camera=comparison(confidence=0.6),
    )


def refused() -> Conversion:
    tried = (done().attempts[0], done().attempts[2])
    return replace(done(), attempts=tried, chosen=None, request=replace(done().request, max_drop=0.5))


def impossible() -> Conversion:
    return replace(done(), attempts=done().attempts[2:], chosen=None, through_camera=None)


def overflowing() -> Conversion:
    """Its only file gives no numbers."""
    broken = replace(comparison(), tflite=np.full((300, 11), np.nan, np.float32))
    tried = replace(done().attempts[0], recipe="float16", comparison=broken)
    return replace(done(), attempts=(tried,), chosen=None, through_camera=broken)


def only_digits() -> Conversion:
    """A model without a class for what is no digit, which loses nothing."""
    found = Comparison(labels=LABELS, keras=probabilities({})[:, :10], tflite=probabilities({})[:, :10], classes=DIGITS)
    tried = replace(done().attempts[0], comparison=found, times=None, runtimes=())
    return replace(done(), attempts=(tried,), chosen=tried, through_camera=found)


EVERY = pytest.mark.parametrize("make", [done, refused, impossible, overflowing, only_digits])


def descriptions(described: Any, name: str = "") -> Iterator[tuple[str, bool]]:
    """Each property of a schema, and whether it is described."""
    if isinstance(described, list):
        for part in described:
            yield from descriptions(part, name)
    if isinstance(described, dict):
        for key, part in described.get("properties", {}).items():
            yield f"{name}.{key}", bool(part.get("description"))
        for key, part in described.items():
            yield from descriptions(part, f"{name}.{key}")


def test_the_schema_is_valid_strict_and_describes_every_property() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    found = dict(descriptions(SCHEMA))
    assert len(found) > 60 and all(found.values()), [name for name, said in found.items() if not said]
    for change in ({"schema": 2}, {"extra": 1}, {"recipes": []}, {"shown": "int4"}, {"result": {}}):
        assert not CHECK.is_valid(report.figures(done()) | change), change


@EVERY
def test_the_figures_are_as_described_and_name_no_folder(make: Any) -> None:
    text = json.dumps(report.figures(make()), allow_nan=False)
    CHECK.validate(json.loads(text))
    assert "secret" not in text


def test_the_figures_are_those_counted_by_hand() -> None:
    said = report.figures(done())
    found = said["result"]["mnist"]
    assert (said["shown"], said["problem"], said["result"]["kept"]) == ("int8", None, True)
    assert (said["result"]["times_smaller"], said["result"]["temperature"]) == (3.5, 0.71)
    assert found["drop_points"] == pytest.approx(100 * (298 - 295) / 300, abs=1e-4)
    assert found["agreement"] == pytest.approx(295 / 300, abs=1e-6)
    assert found["taken_for_no_digit"] == pytest.approx(1 / 300, abs=1e-6)
    # z solves |p - share| = z sqrt(p (1 - p) / n) at both ends of a Wilson interval.
    share, low, high = (found["accuracy"][key] for key in ("share", "low", "high"))
    for end in (low, high):
        assert abs(end - share) == pytest.approx(1.959964 * (end * (1 - end) / 300) ** 0.5, rel=1e-3)
    assert found["by_digit"][4] == {"digit": 4, "images": 30, "right_float": 30, "right": 27}
    assert found["by_digit"][7] == {"digit": 7, "images": 30, "right_float": 29, "right": 30}
    assert (found["confusion"][4][9], found["confusion_float"][4][9], np.sum(found["confusion"])) == (3, 0, 300)
    assert found["confused"][0] == {"written": 4, "read": 9, "times": 3, "times_float": 0}
    assert [one["image"] for one in found["only_file_wrong"]] == [3, 4, 14, 24]
    taken_for_none = found["only_file_wrong"][0]
    assert (taken_for_none["written"], taken_for_none["keras"]["name"], taken_for_none["file"]["name"]) == (
        3, "3", "no digit"
    )  # fmt: skip
    assert (found["only_keras_wrong"], [one["image"] for one in found["both_wrong"]]) == (1, [9])
    assert said["recipes"][1]["mnist"]["images"] == 30
    assert said["recipes"][0]["time_us"] == {"p50": 84.3, "p95": 158.0}
    assert said["recipes"][2]["size_bytes"] is None


def test_what_is_surest_and_wrong_comes_first() -> None:
    found = comparison()
    found.tflite[14, 9] = 0.99
    assert [one.image for one in statistics.only_file_wrong(found)] == [14, 3, 4, 24]


def test_the_bins_of_the_reliability_curve_make_up_the_calibration_error() -> None:
    rng = np.random.default_rng(2)
    confidence = np.concatenate([rng.uniform(0.1, 1, 500), np.arange(1, 16) / 15]).astype(np.float32)
    right = rng.random(515) < confidence**2
    bins = statistics.reliability(confidence, right)
    assert sum(one.answers for one in bins) == 515 and sum(one.right for one in bins) == right.sum()
    error = sum(abs(one.right - one.answers * one.confidence) for one in bins) / 515
    assert error == pytest.approx(calibration_error(confidence, right), abs=1e-6)
    assert all(one.above < one.confidence <= one.above + 1 / 15 + 1e-6 for one in bins)


def test_confidence_is_that_of_the_likeliest_digit_and_right_where_the_accuracy_counts_it() -> None:
    found = comparison()
    # What is taken for no digit is read as the likeliest digit all the same, and that is what it is.
    found.tflite[5, [5, 10]] = 0.3, 0.6
    confidence, right = statistics.answers(found.tflite, LABELS, CLASSES)
    assert (right[3], confidence[3]) == (False, pytest.approx(0.02))
    assert (right[5], confidence[5]) == (True, pytest.approx(0.3))
    assert right.sum() == found.correct == 295 and found.taken_for_no_digit == pytest.approx(2 / 300)


@pytest.mark.parametrize(
    ("drop", "said"),
    [
        (0.02, "loses 0.02 percentage points of accuracy"),
        (-1.5, "gains 1.50 percentage points of accuracy"),
        (0, "loses no accuracy"),
        (-0.001, "loses no accuracy"),
    ],
)
def test_a_drop_in_words(drop: float, said: str) -> None:
    assert wording.loses(drop) == said


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("cannot open /tmp/x_1/a.tflite: gone", "cannot open a.tflite: gone"),
        ("'C:\\Users\\me\\a.tflite' is short", "'a.tflite' is short"),
        (
            "see https://ai.google.dev/edge/litert, 3/4 or and/or",
            "see https://ai.google.dev/edge/litert, 3/4 or and/or",
        ),
    ],
)
def test_folders_are_left_out(text: str, left: str) -> None:
    assert wording.without_folders(text) == left


def printed(what: Conversion, width: int = 80) -> str:
    console = Console(width=width, file=io.StringIO())
    console.print(report.summary(what))
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_the_summary_has_the_figures() -> None:
    text = printed(done())
    assert re.search(r"^> 0\.\.1, light ink +98\.00% +0\.040$", text, re.M)
    assert re.search(r"^> int8 +40 kB +98\.33% \(96\.16-99\.29\) +98\.33% +84 / 158 +all but", text, re.M)
    assert re.search(r"^  float32 +142 kB +100\.00% \(88\.65-100\.00\)\* .* both", text, re.M)
    assert "* compared on 30 of the 300 test images; Keras reads 100.00% of these" in text
    assert f"int16x8: TFLite cannot convert it to int16x8 ({NASTY})" in " ".join(text.split())
    assert "use simpler" not in text, "a few words, no advice"
    assert re.search(r"^change, points +-1\.00 +-1\.00$", text, re.M)
    assert re.search(r"^taken for no digit +0\.33% +0\.33%$", text, re.M)
    assert "140 kB of weights in Keras, 40 kB as int8, 3.5 times smaller" in text
    assert "Temperature: 0.71" in text
    assert "By digit, MNIST: digit 4 changes most, 10.00 points lost (100.00% -> 90.00%)" in text
    assert "Confused, MNIST: 4 read as 9: 3 times (Keras 0); 3 read as 8: once (Keras 0)" in text


def test_each_sampled_recipe_has_its_own_figures() -> None:
    tried = done().attempts
    slow = attempt("float16", 150_000, comparison=comparison(60), times=tried[1].times, runtimes=tried[1].runtimes)
    # Keras errs in one of its five images.
    slow.comparison.keras[0] = np.eye(11)[9]
    mixed = replace(done(), attempts=(*tried[:2], slow, *tried[2:]))
    expected = (
        "* compared on 30 of the 300 test images; Keras reads 100.00% of these",
        "** compared on 5 of the 300 test images; Keras reads 80.00% of these",
    )
    lines = printed(mixed).splitlines()
    assert [line for line in lines if line.startswith("*")] == list(expected)
    assert re.search(r"^  float16 .*\)\*\* ", "\n".join(lines), re.M)
    shown = Page(html(mixed)).text
    assert all(note in shown for note in expected) and "100.00% (56.55-100.00)**" in shown
    assert not wording.sample_notes(replace(mixed, attempts=mixed.attempts[:1]))


def test_what_to_do_stands_first_on_the_page_and_last_on_the_terminal() -> None:
    use = (
        "Use m.tflite: it reads 98.33% of MNIST's 300 test images (Keras 99.33%), and 98.33% of them through the"
        " synthetic camera (Keras 99.33%)."
    )
    assert " ".join(printed(done()).split()).endswith(use)
    for make, said in (
        (done, use),
        (
            refused,
            "Nothing was written: int8 loses 1.00 percentage points (99.33% -> 98.33%), more than --max-drop 0.5",
        ),
        (
            impossible,
            f"Nothing was written. m <b>[bold].h5: TFLite cannot convert it to int16x8 ({NASTY}); use simpler layers.",
        ),
    ):
        below_the_title = html(statistics.without_nan(make())).partition("</h1>")[2].lstrip()
        assert re.match(f'<p class="next( refused)?">{re.escape(escape(said))}', below_the_title), make
        assert "nothing is written" not in below_the_title


def test_a_file_that_the_device_refuses_is_remarked_on() -> None:
    weak = replace(done(), weakness="reads only 41 of 50 golden digits, and hardly any 5")
    for text in (printed(weak), html(weak), " ".join(report.figures(weak)["input"]["remarks"])):
        assert "edge run refuses it: reads only 41 of 50 golden digits, and hardly any 5" in " ".join(text.split())


def test_a_temperature_at_its_limit_is_no_calibration() -> None:
    shown = done().attempts[0]
    tried = replace(shown, card=replace(shown.card, temperature=5.0))
    hot = replace(done(), attempts=(tried,), chosen=tried)
    for text in (printed(hot), html(hot)):
        assert "the confidence is not calibrated" in " ".join(text.split()) and "so that 90 %" not in text
    said = report.figures(hot)
    CHECK.validate(said)
    assert (said["result"]["calibrated"], report.figures(done())["result"]["calibrated"]) == (False, True)


def test_the_summary_says_what_was_refused_and_what_is_impossible() -> None:
    text = printed(refused())
    assert "No recipe is within the limits; int8 comes closest" in text and "\n> int8" not in text
    text = printed(impossible())
    assert "No recipe gives a file that runs" in text and NASTY in text and "95 %" not in text
    text = printed(only_digits())
    assert "taken for no digit" not in text and "Confused, MNIST: nothing." in text


@EVERY
def test_the_summary_is_plain_and_fits_80_columns(make: Any) -> None:
    text = printed(make())
    assert "\x1b" not in text and "nan" not in text
    assert max(map(len, text.splitlines())) <= 80


class Page(HTMLParser):
    """What is in a page; fails where tags do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [given for name, given in self.tags if name == tag]


@cache
def page(make: Any) -> Page:
    return Page(html(statistics.without_nan(make())))


@EVERY
def test_the_page_needs_nothing_besides_and_runs_nothing(make: Any) -> None:
    shown = page(make)
    names = Counter(tag for tag, _ in shown.tags)
    assert not {"script", "link", "iframe", "object", "base", "form"} & set(names)
    assert not [key for _, given in shown.tags for key in given if key.startswith("on")]
    for _, given in shown.tags:
        assert (given.get("src") or "data:image/png;base64,").startswith("data:image/png;base64,")
        assert all((given.get(key) or "#").startswith("#") for key in ("href", "xlink:href"))
        assert not re.search(r"url\((?!#)|@import", given.get("style") or "")
    style = (files("convert.report") / "style.css").read_text("utf-8")
    assert "url(" not in style and "@import" not in style
    assert "secret" not in shown.text and "nan" not in shown.text
    results.check_report("report.html", html(statistics.without_nan(make())).encode())


@EVERY
def test_the_page_speaks_to_those_who_do_not_see_it(make: Any) -> None:
    shown = page(make)
    assert shown.all("html")[0]["lang"] == "en" and len(shown.all("h1")) == len(shown.all("main")) == 1
    assert all(given.get("scope") in ("row", "col") for given in shown.all("th"))
    assert len(shown.all("caption")) == len(shown.all("table"))
    assert all(given.get("alt") for given in shown.all("img"))
    assert all(given["role"] == "img" and given["aria-label"] for given in shown.all("svg"))
    names = Counter(given["id"] for _, given in shown.tags if "id" in given)
    assert not [name for name, count in names.items() if count > 1]
    used = {(given.get("xlink:href") or "#")[1:] for given in shown.all("use")}
    assert used <= set(names)


def test_the_page_shows_what_happened() -> None:
    text = page(done).text
    assert "m <b>[bold].h5 as int8 loses 1.00 percentage points of accuracy" in text
    assert NASTY in text and "<op> 'FANCY' is too new" in text, "the full story, escaped"
    assert not page(done).all("b") and not page(done).all("i") and not page(done).all("op")
    assert "On MNIST, only int8 misreads 4 digits, only Keras 1 digit" in text
    assert len(page(done).all("svg")) == 4 + 1 + 2 + 1
    assert "int8 loses 1.00 percentage points" in page(refused).text
    assert "cannot be converted" in page(impossible).text and not page(impossible).all("svg")
    assert "On MNIST, only int8 misreads no digit, only Keras no digit" in page(only_digits).text


def test_the_worst_digits_are_shown_as_they_were_written() -> None:
    pictures = page(done).all("img")
    shown = [
        cv2.imdecode(np.frombuffer(base64.b64decode((one["src"] or "").partition(",")[2]), np.uint8), 0)
        for one in pictures
    ]
    # Lost on MNIST; lost through the camera, whose glyphs are those turned light for dark; wrong in both.
    assert len(shown) == 4 + 4 + 1
    assert (shown[1] == 255 - small.data().test[4]).all() and (shown[5] == small.data().test[4]).all()
    assert pictures[0]["alt"] == "Test image 3: a 3 that int8 reads as no digit"
    assert "written 4, image 14Keras 4, 95%int8 9, 90%" in page(done).text


def test_the_plots_carry_the_counts_as_text() -> None:
    drawn = html(done()).split("<svg")[3].partition("</svg>")[0]
    values = re.findall(r"<text[^>]*>([^<]*)</text>", drawn)
    counts = Counter(values)
    # The file's confusions on MNIST: three of 4 as 9, one of 9 as 4, one of 3 as 8; besides, the ticks 0 to 9.
    assert counts["27"] == 1 and counts["29"] == 2 and counts["30"] == 7
    assert (counts["3"], counts["1"]) == (2 + 1, 2 + 2)


def settings() -> dict[str, str]:
    """Of matplotlib, but for the one that asks which windows there are."""
    return {key: str(matplotlib.rcParams[key]) for key in matplotlib.rcParams if key != "backend"}


def test_the_same_conversion_gives_the_same_files_and_matplotlib_stays_as_it_was() -> None:
    before, known = settings(), "matplotlib.pyplot" in sys.modules
    one, two = report.pages(done()), report.pages(done())
    assert sorted(one) == ["report.html", "report.json"] and one == two
    assert json.loads(one["report.json"]) == report.figures(done())
    assert settings() == before and ("matplotlib.pyplot" in sys.modules) == known
