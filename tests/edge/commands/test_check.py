import sys
from pathlib import Path
from types import ModuleType

import pytest

from edge.cli import main
from edge.commands.check import checks
from edge.errors import EdgeError, SourceError
from edge.settings import Settings
from edge.sources.picamera import Picamera


def wrong(settings: Settings) -> dict[str, str]:
    """What is wrong with the settings: thing -> the error's line."""
    errors = {}
    for what, look in checks(settings):
        try:
            look()
        except EdgeError as error:
            errors[what] = str(error)
    return errors


@pytest.mark.parametrize("source", ["picamera2:0?fps=5", "v4l2:/dev/video99?size=640x480", "synthetic:?digits=3"])
def test_no_camera_is_opened(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", ModuleType("picamera2"))
    assert wrong(Settings(source=source)) == {}


def test_without_picamera2_it_says_what_edge_run_would_say(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    assert main(["run", "--check", "--source", "picamera2:0", "--state", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    with pytest.raises(SourceError) as opened:
        Picamera("0").open()
    assert said == f"edge: source: {opened.value}\n"
    assert "picamera2 is not installed" in said


def test_every_thing_is_looked_at(tmp_path: Path) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"no model")
    settings = Settings(source="v4l2:?sise=3", publish=("jsonl:-", "mqqt://shed"), model=str(broken))
    errors = wrong(settings)
    assert list(errors) == ["source", "publish", "model"]
    assert "did you mean 'size'" in errors["source"]
    assert "mqqt" in errors["publish"]
    assert str(broken) in errors["model"]


def test_files_have_to_be_there(tmp_path: Path) -> None:
    assert "no file" in wrong(Settings(source=f"files:{tmp_path}/*.png"))["source"]


def test_a_password_is_not_shown() -> None:
    lines = [look() for _, look in checks(Settings(source="rtsp://pi:se@cret@shed:554/live?token=x"))]
    assert lines[0] == "rtsp://shed:554/live"


def test_nothing_is_written(tmp_path: Path) -> None:
    assert wrong(Settings(publish=(f"jsonl:{tmp_path}/out.jsonl",), source="synthetic:")) == {}
    assert list(tmp_path.iterdir()) == []


def test_the_command_has_a_line_for_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "edge.toml"
    config.write_text('source = "v4l2:/dev/video99"\npublish = ["jsonl:-", "jsonl:out.jsonl"]\n')
    assert main(["run", "--check", "--config", str(config)]) == 0
    out, error = capsys.readouterr()
    assert [line.split()[:2] for line in out.splitlines()[:-1]] == [
        ["settings", str(config)],
        ["source", "v4l2:/dev/video99"],
        ["publish", "jsonl:-"],
        ["publish", "jsonl:out.jsonl"],
    ]
    assert out.splitlines()[-1].startswith("model ") and "mnist sha256:" in out
    assert error == ""


@pytest.mark.parametrize(
    ("config", "line"),
    [
        ('source = "v4l3:x"', "edge: source: v4l3:x: no source is called 'v4l3'"),
        ("min_confidence = 2", "min_confidence: 2: "),
        ("publsh = []", "publsh: no such setting; did you mean 'publish'?"),
        ("source = ", "is not valid TOML"),
    ],
)
def test_what_is_wrong_is_a_line_and_status_1(
    config: str, line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "edge.toml").write_text(config)
    assert main(["run", "--check", "--config", str(tmp_path / "edge.toml")]) == 1
    error = capsys.readouterr().err
    assert line in error
    assert len(error.splitlines()) == 1
