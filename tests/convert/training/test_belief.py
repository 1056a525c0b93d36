"""The file of ``edge-train belief``: made from a handful of pages, it is one that the reader takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.cli import train_main
from convert.training import belief, belief_card, belief_weights
from convert.training.belief_samples import SAMPLE, Place, Samples, make, samples_of
from convert.training.ink_map import KINDS, NO_DIGIT
from edge.model.classifier import Model, packaged_model
from edge.reading.belief import WEIGHTS, Belief, ViewNetwork, weigh
from edge.reading.candidates import Classifier
from edge.reading.evidence import NAMES, SEVERAL, VIEW_CLASSES
from edge.reading.reader import Reader
from edge.system.stopwatch import Stopwatch
from tests.support import small, written

pytestmark = small.QUIET
ROOT = Path(__file__).parents[3]
TINY = (4, 4, 4, 4, 8)
SETS = belief.page_sets(24, 1)
DIGIT = NAMES.index("context_digit")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written.data(tmp_path_factory.mktemp("data") / "data")


@pytest.fixture(scope="module")
def place(folder: Path) -> Place:
    return Place(packaged_model(), folder / "marks", str(folder / "mnist.npz"))


@pytest.fixture(scope="module")
def seen(place: Place) -> tuple[Samples, Samples]:
    """Samples to fit the network that looks at views on, and of writers who are held out."""
    small.keras()
    views, _, held_out = (make(place, pages, 0, pages.count) for pages in SETS)
    return views, held_out


@pytest.fixture(scope="module")
def made(place: Place, seen: tuple[Samples, Samples]) -> tuple[bytes, dict[str, Any]]:
    """The bytes of a file, and its card."""
    return make_file(place, seen)


def make_file(place: Place, seen: tuple[Samples, Samples]) -> tuple[bytes, dict[str, Any]]:
    views, held_out = seen
    model = belief.fit_views(views, held_out, epochs=1, seed=1, on_epoch=lambda done, told: None, filters=TINY)
    network = belief.quantised(model, views["view"], 1)
    _, weights, judged_by = SETS
    place = replace(place, network=network)
    samples, held_out = (make(place, pages, 0, pages.count) for pages in (weights, judged_by))
    return belief_card.finished(network, "edge-train belief", place, SETS, samples, held_out, 1)


def marked(count: int) -> Samples:
    """Samples that are easy to tell: the view of each class but none has a bar in one place, that of none is blank."""
    samples = np.zeros(count, SAMPLE)
    samples["truth"] = np.arange(count) % VIEW_CLASSES
    samples["digit"] = samples["truth"] % SEVERAL
    samples["looked_at"] = True
    # What the view says is evidence too.
    samples["evidence"][:, DIGIT] = np.where(samples["truth"] < SEVERAL, 6, -6)
    for view, truth in zip(samples["view"], samples["truth"], strict=True):
        if truth == SEVERAL:
            view[14:18] = 255
        elif truth < SEVERAL:
            view[:, 1 + 3 * truth : 4 + 3 * truth] = 255
    return samples


def test_the_same_seed_gives_a_file_of_the_same_bytes_and_the_reader_takes_it(
    made: tuple[bytes, dict[str, Any]], place: Place, seen: tuple[Samples, Samples], tmp_path: Path
) -> None:
    path = tmp_path / "belief.tflite"
    content, card = made
    path.write_bytes(content)
    assert make_file(place, seen)[0] == content
    with Belief(path) as packed:
        assert packed.card == card
        digits = written.page(written.sheet("2357")).pixels
        found = Reader(belief=packed).analyse(digits).candidates
        assert len(found) == 4 and all(0 < one.belief < 1 for one in found)


def test_the_card_says_how_it_was_made_and_what_was_measured(made: tuple[bytes, dict[str, Any]]) -> None:
    _, card = made
    assert card["evidence"] == list(NAMES) and len(card["hidden_bias"]) == belief_weights.UNITS
    assert all(number == float(f"{number:.6g}") for number in np.ravel(card["hidden"]).tolist())
    assert card["pages"]["views"] == {"count": 14, "seed": [1, 0]} and card["pages"]["held_out"]["count"] == 2
    with Model() as model:
        assert card["model"]["sha256"] == model.sha256
    assert any("CC BY 4.0" in source for source in card["data"]["sources"])
    every = card["held_out"]["belief"]["all"]
    assert every["samples"] > 0 and 0 <= every["calibration_error"] <= 1
    by_kind = [found for kind, found in card["held_out"]["belief"].items() if kind in KINDS]
    assert sum(found["samples"] for found in by_kind) == every["samples"]
    lines = belief_card.table(card)
    assert len({len(line) for line in lines}) == 1 and lines[1].split()[:2] == ["all", f"{every['samples']:,}"]


def test_both_networks_learn_and_int8_says_the_same() -> None:
    small.keras()
    views, samples, held_out = marked(2400), marked(1200), marked(240)
    told: list[str] = []
    model = belief.fit_views(
        views, held_out, epochs=10, seed=1, on_epoch=lambda done, text: told.append(f"{done} {text}"),
        filters=(8, 8, 8, 8, 16),
    )  # fmt: skip
    assert [line.split()[0] for line in told] == list(map(str, range(1, 11)))
    assert "AUC 1.0000, digits right 1.0000" in told[-1]
    with ViewNetwork(belief.quantised(model, views["view"], 1), "belief") as network:
        shares = network.look(samples["view"])
        weights = belief_weights.fit_weights(samples["evidence"], belief.is_right(samples), 1)
        figures = belief_card.judged(held_out, network, weights)
    assert (shares.argmax(axis=1) == samples["truth"]).all()
    assert figures["belief"]["all"]["auc"] == 1 and figures["views"]["digits_right"] == 1
    assert figures["belief"]["all"]["kept"] == 1 and figures["belief"]["all"]["accepted"] == 0


def test_the_belief_is_as_the_reader_has_it(made: tuple[bytes, dict[str, Any]], tmp_path: Path) -> None:
    """The evidence that the weights are fitted on is the reader's."""
    path = tmp_path / "belief.tflite"
    path.write_bytes(made[0])
    page = written.page(written.sheet("2357"))
    with Belief(path) as packed, Reader(belief=packed) as reader:
        classify = Classifier(reader.model, reader.vision.interpolation, Stopwatch())
        samples = samples_of(page, classify, np.random.default_rng(1), packed.look)
        samples = samples[samples["kind"] == KINDS.index("digit")]
        weights = {name: np.array(packed.card[name], np.float32) for name in WEIGHTS}
        assert weigh(samples["evidence"], weights).tolist() == [
            one.belief for one in reader.analyse(page.pixels).candidates
        ]
        assert np.ptp(samples["evidence"][:, DIGIT]) > 0


def test_the_readme_shows_what_the_shipped_file_says() -> None:
    assert "\n".join(belief_card.table(Belief().card)) in (ROOT / "models" / "README.md").read_text("utf-8")


def test_one_command_makes_it(folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "b.tflite"
    arguments = ["--marks", str(folder / "marks"), "--data", str(folder / "mnist.npz"), "-o", str(out)]
    model = ["--model", str(packaged_model())]
    capfd.readouterr()
    assert train_main(["belief", *arguments, *model, "--pages", "20", "--epochs", "1"]) == 0
    printed, told = capfd.readouterr()
    assert "page 13/13\n" in told and "page 11/11\n" in told and "epoch 1/1: log loss " in told
    card = Belief(out).card
    assert printed.splitlines()[:-1] == belief_card.table(card) and printed.splitlines()[-1].startswith(f"{out}: ")
    assert card["made_by"]["command"] == "edge-train belief --pages 20 --epochs 1 --seed 1"
    assert str(tmp_path) not in str(card) and str(folder) not in str(card)


@pytest.mark.parametrize("arguments", [[], ["--marks", "marks", "--pages", "19"], ["--marks", "marks", "mnist.tflite"]])
def test_wrong_usage_exits_2(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        train_main(["belief", *arguments])
    assert ended.value.code == 2
    assert "edge-train belief: error: " in capfd.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "line"),
    [("--model", "foreign.tflite", "is not a .tflite model"), ("--model", "none.tflite", "no such file"),
     ("--marks", ".", "has no digits"), ("--data", "none.npz", "no such file or folder"),
     ("-o", ".", "is a folder")],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_in_one_line_before_the_long_work(
    option: str, value: str, line: str, folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "foreign.tflite").write_text("no model")
    options = {
        "--marks": str(folder / "marks"), "--data": str(folder / "mnist.npz"), "--model": str(packaged_model()),
        "-o": str(tmp_path / "b.tflite"),
    }  # fmt: skip
    options[option] = str(tmp_path / value)
    capfd.readouterr()
    assert train_main(["belief", *(word for pair in options.items() for word in pair)]) == 1
    _, told = capfd.readouterr()
    assert told.startswith("edge-train: ") and line in told and told.count("\n") == 1


def test_some_samples_are_weighed_more() -> None:
    kinds = ("digit", "digit", "letter", "symbol", "thing", "thing", "cut", "cut")
    samples = np.zeros(len(kinds), SAMPLE)
    samples["kind"], samples["digit"] = [KINDS.index(kind) for kind in kinds], 3
    samples["truth"] = [3, 5, NO_DIGIT, NO_DIGIT, NO_DIGIT, NO_DIGIT, 3, NO_DIGIT]
    # So that each can be told from the others.
    samples["evidence"][:, 0] = np.arange(len(kinds))
    samples["evidence"][[0, 5], NAMES.index("holds")] = 2
    found = belief_card.with_more(samples)
    assert np.bincount(found["evidence"][:, 0].astype(int)).tolist() == [3, 1, 5, 8, 5, 13, 1, 2]


def test_some_digits_have_another_name_that_is_wrong() -> None:
    samples = np.zeros(60, SAMPLE)
    samples["kind"], samples["digit"], samples["truth"] = KINDS.index("digit"), 3, 3
    samples["truth"][:20] = NO_DIGIT
    samples["evidence"][:, NAMES.index("is_3")] = 1
    found = belief_card.misnamed(samples, 1)
    assert len(found) == 4 and not belief.is_right(found).any()
    named = found["evidence"][:, NAMES.index("is_0") :]
    assert (named.argmax(axis=1) == found["digit"]).all() and (named.sum(axis=1) == 1).all()
    assert (found["evidence"][:, NAMES.index("context_share")] < -6).all()
