import json
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.handwriting import rendering, styles
from edge.model.classifier import packaged_model
from edge.reading.belief import LIMIT, MEMBER, WEIGHTS, Belief, pack
from edge.reading.evidence import NAMES, VIEW, VIEW_CLASSES
from edge.reading.reader import Reader
from edge.types import Pixels

FILE = packaged_model().with_name("belief.tflite")
PACKAGED = Belief()
CARD: dict[str, Any] = PACKAGED.card


def network() -> bytes:
    """The packaged network without its card."""
    content = FILE.read_bytes()
    with zipfile.ZipFile(FILE) as archive:
        start = min(one.header_offset for one in archive.infolist())
    return content[:start]


def test_the_packaged_belief_weighs_the_evidence_that_there_is() -> None:
    assert tuple(CARD["evidence"]) == NAMES
    units = len(CARD["hidden_bias"])
    assert [np.shape(CARD[name]) for name in WEIGHTS] == [
        (len(NAMES),),
        (len(NAMES),),
        (len(NAMES), units),
        (units,),
        (units,),
        (1,),
    ]


def test_what_is_packed_is_loaded_again(tmp_path: Path) -> None:
    path = tmp_path / "again.tflite"
    path.write_bytes(pack(network(), CARD))
    views = np.random.default_rng(1).integers(0, 256, (3, VIEW, VIEW, 2), np.uint8)
    found = np.random.default_rng(2).normal(0, 3, (5, len(NAMES))).astype(np.float32)
    with Belief(path) as again:
        assert again.card == CARD
        assert again(found) == PACKAGED(found)
        assert np.array_equal(again.look(views), PACKAGED.look(views))
    assert pack(network(), CARD) == path.read_bytes(), "the same bytes each time"


def test_a_belief_is_a_probability_whatever_the_evidence() -> None:
    found = np.array([[-1e9] * len(NAMES), [0] * len(NAMES), [1e9] * len(NAMES)], np.float32)
    beliefs = PACKAGED(found)
    assert len(beliefs) == 3 and all(type(one) is float and 0 <= one <= 1 for one in beliefs)
    assert PACKAGED(found[:0]) == []


def test_evidence_further_away_than_the_limit_counts_as_the_limit() -> None:
    mean, scale = (np.array(CARD[name], np.float32) for name in ("mean", "scale"))
    found = np.array([mean + n * LIMIT / scale for n in (1, 1.5, 100)], np.float32)
    first, *others = PACKAGED(found)
    assert others == pytest.approx([first] * 2)


def test_each_view_gets_the_probabilities_of_the_digits_and_of_none() -> None:
    views = np.random.default_rng(1).integers(0, 256, (4, VIEW, VIEW, 2), np.uint8)
    shares = PACKAGED.look(views)
    assert shares.shape == (4, VIEW_CLASSES) and (shares >= 0).all()
    assert shares.sum(axis=1) == pytest.approx(1)
    assert np.array_equal(PACKAGED.look(views[2:3])[0], shares[2]), "each alone"
    assert PACKAGED.look(views[:0]).shape == (0, VIEW_CLASSES)


def test_the_card_says_what_it_is_in_json() -> None:
    with zipfile.ZipFile(FILE) as archive:
        assert archive.namelist() == [MEMBER]
        assert json.loads(archive.read(MEMBER)) == CARD


def beliefs(reader: Reader, picture: Pixels) -> list[float]:
    return [one.belief for one in reader.analyse(picture).candidates]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_clear_digits_are_believed(reader: Reader, seed: int) -> None:
    plain = styles.WritingStyle(forms=(0,) * 10)
    ink, _ = rendering.page(("2735", "8460"), 480, 640, np.random.default_rng(seed), plain)
    found = beliefs(reader, (230 - ink.astype(np.float32) * 0.7).astype(np.uint8))
    assert len(found) == 8 and min(found) > 0.8


@pytest.mark.parametrize("text", ["Wham", "Krx", "water", "RMK"])
@pytest.mark.parametrize("font", [cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX])
def test_letters_are_not_believed(reader: Reader, text: str, font: int) -> None:
    picture = np.full((480, 640), 230, np.uint8)
    cv2.putText(picture, text, (40, 260), font, 4, 40, 7, cv2.LINE_AA)
    found = beliefs(reader, picture)
    assert found and max(found) < 0.5


@pytest.mark.parametrize("what", ["a rule", "rules", "a grid", "a frame", "a plus", "an equals sign"])
def test_rules_and_signs_are_not_believed(reader: Reader, what: str) -> None:
    picture = np.full((480, 640), 230, np.uint8)
    for start, end in {
        "a rule": [((40, 240), (600, 244))],
        "rules": [((40, y), (600, y)) for y in range(60, 460, 60)],
        "a grid": [
            *(((40, y), (600, y)) for y in range(60, 460, 60)),
            *(((x, 60), (x, 420)) for x in range(40, 640, 80)),
        ],
        "a frame": [
            *(((100, y), (500, y)) for y in (100, 380)),
            *(((x, 100), (x, 380)) for x in (100, 500)),
        ],
        "a plus": [((280, 240), (360, 240)), ((320, 200), (320, 280))],
        "an equals sign": [((280, 220), (360, 220)), ((280, 260), (360, 260))],
    }[what]:
        cv2.line(picture, start, end, 40, 5, cv2.LINE_AA)
    assert max(beliefs(reader, picture), default=0) < 0.5


@pytest.mark.parametrize("grain", [1, 2, 4, 8])
def test_textures_are_not_believed(reader: Reader, grain: float) -> None:
    rough = cv2.GaussianBlur(np.random.default_rng(3).standard_normal((480, 640)), (0, 0), grain)
    picture = np.clip(180 + 40 * rough / rough.std(), 0, 255).astype(np.uint8)
    assert max(beliefs(reader, picture), default=0) < 0.5
