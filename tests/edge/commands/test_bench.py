"""``edge bench`` measures the real line and the real commands, and says how that compares."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import cv2
import jsonschema
import pytest

from edge import cli
from edge.commands.bench import report, stages
from edge.commands.bench.figures import machine
from edge.errors import DataError, SourceError
from edge.running.metrics import STAGES
from edge.settings import Settings
from edge.types import Pixels

SCHEMA = json.loads((Path(report.__file__).parents[2] / "schema" / "bench.json").read_text("utf-8"))
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict:
    folder = tmp_path_factory.mktemp("bench")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edge.commands.bench.startup.REPEATS", 1)
        patch.setattr("builtins.print", lambda text, **_: (folder / "out.json").write_text(text))
        assert cli.main(["bench", "--frames", "30", "--json"]) == 0
    return json.loads((folder / "out.json").read_text())


def test_the_figures_are_as_described_and_of_every_stage(figures: dict) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(figures, SCHEMA)
    assert set(STAGES) - {"store"} <= set(figures["line_ms"]), "an event need not fall into thirty frames"
    assert figures["frames"] == 30 and 5 < figures["digits_per_frame"] < 7
    took = figures["line_ms"]
    assert figures["times_the_floor"] == pytest.approx(took["frame"]["p50"] / took["floor"]["p50"], rel=0.05)
    assert all(took > 0 for took in figures["start"].values())


def test_stages_are_the_whole_of_a_frame() -> None:
    took = stages.measure(Settings(source="synthetic:?size=320x240&digits=3&hold=5"), 30)
    total = sum(sum(times) for stage, times in took.stages.items() if stage != "capture")
    # Of the whole, not of medians: what else the machine does falls into a frame and into one of its stages.
    assert 0.8 * sum(took.work) < total < 1.05 * sum(took.work)


def test_a_page_that_lies_still_is_not_read_again_and_again() -> None:
    took = stages.measure(Settings(source="synthetic:?size=320x240&digits=3&hold=40"), 10)
    assert len(took.unchanged) > stages.UNCHANGED_FRAMES / 4


def test_tables_and_ratios(figures: dict, tmp_path: Path) -> None:
    older = json.loads(json.dumps(figures))
    older["line_ms"]["frame"]["p50"] *= 2
    older["start"]["model_ms"] *= 4
    text = "\n".join(report.lines(figures, older))
    assert re.search(r"^\| frame \| [\d.]+ \| [\d.]+ \| [\d.]+ \| 0\.50 \|$", text, re.MULTILINE)
    assert re.search(r"^\| opening the model \| \d+ ms \| 0\.25 \|$", text, re.MULTILINE)
    plain = list(report.lines(figures))
    assert len([row for row in plain if row.startswith("| edge") or row.startswith("| `edge")]) == 5
    assert all(row.count("|") in (0, 3, 5) for row in plain)
    (tmp_path / "old.json").write_text(json.dumps(figures))
    assert report.load(tmp_path / "old.json") == figures


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 2}', '{"schema": 1, "line_ms": {}}'])
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "old.json").write_text(text)
    with pytest.raises(DataError, match="is not an output of edge bench --json"):
        report.load(tmp_path / "old.json")
    with pytest.raises(DataError, match="cannot be read"):
        report.load(tmp_path / "none.json")


def test_photographs_are_measured_too(tmp_path: Path, page: Callable[..., Pixels]) -> None:
    for name in ("a", "b"):
        cv2.imwrite(str(tmp_path / f"{name}.png"), page("235"))
    (tmp_path / "broken.png").write_bytes(b"x")
    took = stages.measure(Settings(source=f"files:{tmp_path}/*.png"), 10)
    assert len(took.work) == 10 and took.digits == 30 and len(took.floor) == 10


def test_nothing_to_measure_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"x")
    with pytest.raises(SourceError, match="gives no frame"):
        stages.measure(Settings(source=f"files:{tmp_path}/*.png"), 10)


def test_the_machine_is_named() -> None:
    assert machine()["computer"] and machine()["processors"] and machine()["runtime"]
