import json
import os
import pty
import select
import signal
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

import cv2
import jsonschema
import numpy as np
import pytest

from edge.cli import main
from edge.commands.aim import screen
from edge.commands.aim.saving import save, with_settings
from edge.commands.aim.watcher import Watcher
from edge.errors import SettingsError
from edge.reading.reader import Reader
from edge.sources.base import Source
from edge.types import Frame
from tests.support.patience import patience

ROOT = Path(__file__).parents[3]
SCHEMA = jsonschema.Draft202012Validator(json.loads((files("edge") / "schema" / "aim.json").read_text("utf-8")))


@pytest.fixture
def pages(page, tmp_path: Path) -> Path:
    """A good page, a blurred one, a dark one, and none."""
    folder = tmp_path / "pages"
    folder.mkdir()
    good = page("20357", "46819")
    for name, grey in (
        ("1.png", good),
        ("2.png", cv2.GaussianBlur(good, (0, 0), 18)),
        ("3.png", good // 10),
        ("4.png", np.full((480, 640), 200, np.uint8)),
    ):
        cv2.imwrite(str(folder / name), grey)
    return folder


class Scripted(Source):
    """A camera that gives these frames, and has set its lens by itself."""

    live = True
    name = "picamera2:0"

    def __init__(self, *frames) -> None:
        self._frames = iter(frames)

    def __next__(self) -> Frame:
        return Frame(next(self._frames), self.name)

    def settings_now(self) -> dict[str, str]:
        return {"lens": "4.0"}

    def close(self) -> None:
        return


def test_each_file_is_a_line_of_json_with_its_step(pages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["aim", "--source", f"files:{pages}", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["about"] for line in lines] == [None, "blurred", "dark", "empty"]
    assert [line["text"] for line in lines] == ["20357\n46819", "", "20357\n46819", ""]
    for line in lines:
        SCHEMA.validate(line)
        assert (line["next_step"] is None) == (line["about"] is None)
    described = SCHEMA.schema
    assert list(lines[0]) == list(described["properties"]) == described["required"]


def test_without_a_terminal_it_is_a_line_for_each(pages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["aim", "--source", f"files:{pages}"]) == 0
    good, blurred, dark, nothing = capsys.readouterr().out.splitlines()
    assert good.endswith("read 20357 / 46819 -> the view is good") and "100% of the best, sharp" in good
    assert "blurred" in blurred and "focus the camera" in blurred
    assert "too dark" in dark
    assert "digits -;" in nothing and nothing.endswith("lay a page with digits into the view")


def test_a_file_that_cannot_be_read_is_a_line_and_the_next_one_follows(
    pages: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pages / "0\n\x1b[31m.png").write_bytes(b"no picture")
    assert main(["aim", "--source", f"files:{pages}", "--json"]) == 0
    out, error = capsys.readouterr()
    assert len(out.splitlines()) == 4 and "0 / ?[31m.png: is not an image" in error


def test_a_camera_that_gives_nothing_is_one_line_and_status_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.commands.aim.FIRST", 0.2)
    arguments = ["aim", "--source", "v4l2:/dev/video99", "--source_deadline", "0.3", "--seconds", "1"]
    assert main(arguments) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("edge: /dev/video99: no such camera; plug it in")


def test_sharpness_is_compared_with_the_best_frame_of_the_same_camera(reader: Reader, page) -> None:
    sharp = page("20357", "46819")
    soft = cv2.GaussianBlur(sharp, (0, 0), 4)
    watcher = Watcher(reader, Scripted())
    shares = []
    for grey in (soft, sharp, soft):
        watcher.see(Frame(grey, "camera"))
        shares.append(watcher.sharpness_share)
    assert shares[0] == shares[1] == 1 and 0 < shares[2] < 0.5
    assert watcher.newest and watcher.newest.as_dict()["found"] == {"lens": "4.0"}


def test_the_distance_that_the_lens_tells_makes_centimetres(reader: Reader, page) -> None:
    small = cv2.resize(page("20357", "46819"), (90, 68), interpolation=cv2.INTER_AREA)
    step = Watcher(reader, Scripted()).see(Frame(small, "camera")).step
    assert step is not None and step.kind == "small" and step.text.endswith(" cm")


def test_the_picture_shows_what_was_read_and_the_step(pages: Path, tmp_path: Path) -> None:
    picture = tmp_path / "aim.jpg"
    assert main(["aim", "--source", f"files:{pages}/1.png", "--json", "--picture", str(picture)]) == 0
    drawn = cv2.imread(str(picture))
    assert drawn is not None and drawn.shape[0] > 480 and drawn.shape[1] >= 640


@pytest.mark.parametrize(
    ("name", "begins"), [("aim.png", b"\x89PNG"), ("aim.JPEG", b"\xff\xd8"), ("aim.webp", b"RIFF")]
)
def test_the_picture_has_the_format_of_its_ending(name: str, begins: bytes, pages: Path, tmp_path: Path) -> None:
    assert main(["aim", "--source", f"files:{pages}/1.png", "--json", "--picture", str(tmp_path / name)]) == 0
    assert (tmp_path / name).read_bytes().startswith(begins)


@pytest.mark.parametrize("command", ["aim", "doctor"])
@pytest.mark.parametrize("name", ["aim", "aim.gif", "aim.pdf", ".png"])
def test_a_picture_of_no_known_ending_is_refused_before_the_camera_is_opened(
    command: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--source", "v4l2:/dev/video99", "--picture", name])
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == "" and f"{name!r} has no ending of a picture; name a file that ends in .bmp, " in err
    assert len(err.splitlines()) == 1


def test_a_picture_that_cannot_be_written_is_one_line(pages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = str(pages / "no" / "aim.jpg")
    assert main(["aim", "--source", f"files:{pages}/1.png", "--json", "--picture", nowhere]) == 1
    assert "cannot be written (No such file or directory)" in capsys.readouterr().err


def test_the_screen_fits_the_terminal_and_shows_why_no_frame_comes(reader: Reader, page) -> None:
    watcher = Watcher(reader, Scripted())
    waiting = screen.screen("picamera2:0", watcher, "", 60, 24)
    assert "waiting for the first frame" in waiting
    problem = "picamera2:0: no such camera (none is connected); check the cable, and see which there are"
    lines = screen.screen("picamera2:0", watcher, problem, 40, 24).split("\n")
    assert "check the cable" in " ".join(line.removesuffix("\x1b[K") for line in lines)
    watcher.see(Frame(page("357"), "camera"))
    shown = screen.screen("picamera2:0\x1b[2J", watcher, "", 50, 24)
    assert "the view is good" in shown and "\x1b[2J" not in shown
    assert all(len(line.removesuffix("\x1b[K").removeprefix("\x1b[H")) <= 50 for line in shown.split("\n")[:-1])
    assert screen.screen("picamera2:0", watcher, "", 50, 4).count("\n") == 3


@pytest.mark.parametrize(
    ("source", "found", "wanted"),
    [
        ("picamera2:0", {"gain": "3.5"}, "picamera2:0?gain=3.5"),
        ("picamera2:0?fps=10", {"gain": "3.5", "rotation": "180"}, "picamera2:0?fps=10&gain=3.5&rotation=180"),
        ("picamera2:0?gain=2", {"gain": "3.5"}, "picamera2:0?gain=2"),
        ("picamera2:0", {"gain": "1000", "fps": "5"}, "picamera2:0?fps=5"),
        ("v4l2:/dev/video0", {}, "v4l2:/dev/video0"),
    ],
)
def test_what_the_camera_found_joins_its_uri(source: str, found: dict[str, str], wanted: str) -> None:
    assert with_settings(source, found) == wanted


def test_saving_keeps_the_rest_of_the_file_its_mode_and_a_link(tmp_path: Path) -> None:
    config = tmp_path / "real.toml"
    config.write_text('# mine\nsource = "picamera2:0" # the camera\n\n[vision]\nmedian = 5 # window\n')
    config.chmod(0o640)
    link = tmp_path / "edge.toml"
    link.symlink_to("real.toml")
    said = save(link, "picamera2:0", {"gain": "3.5"})
    assert said == f"{link}: source is now picamera2:0?gain=3.5"
    assert config.read_text() == (
        '# mine\nsource = "picamera2:0?gain=3.5" # the camera\n\n[vision]\nmedian = 5 # window\n'
    )
    assert link.is_symlink() and config.stat().st_mode & 0o777 == 0o640
    assert save(link, "picamera2:0?gain=3.5", {}) == f"{link}: has this source already"


def test_what_cannot_be_changed_says_what_to_write(tmp_path: Path) -> None:
    config = tmp_path / "edge.toml"
    config.write_text('source = "picamera2:0\n')
    with pytest.raises(SettingsError, match=r"write it there yourself: source = \"picamera2:0\?gain=3.5\""):
        save(config, "picamera2:0", {"gain": "3.5"})
    assert config.read_text() == 'source = "picamera2:0\n'
    with pytest.raises(SettingsError, match="cannot be written"):
        save(tmp_path / "no" / "edge.toml", "picamera2:0", {"gain": "3.5"})


def test_only_a_good_view_is_saved(pages: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "edge.toml"
    config.write_text('web = ""\n')
    arguments = ["aim", "--json", "--save", "--config", str(config), "--source"]
    assert main([*arguments, f"files:{pages}/2.png"]) == 1
    assert "not changed, as the view is not good yet: the picture is blurred" in capsys.readouterr().err
    assert main([*arguments, f"files:{pages}/1.png"]) == 0
    assert tomllib.loads(config.read_text()) == {"source": f"files:{pages}/1.png", "web": ""}


def test_saving_needs_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["aim", "--save"])
    assert ended.value.code == 2 and "--config" in capsys.readouterr().err


class Terminal:
    """``edge aim`` in a terminal of its own."""

    def __init__(self, *arguments: str, **variables: str) -> None:
        command = [sys.executable, "-m", "edge.cli", "aim", *arguments]
        environment = {**os.environ, "COLUMNS": "80", "LINES": "24", **variables}
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, env=environment, start_new_session=True
        )
        os.close(theirs)
        self.out = b""

    def until(self, text: str) -> None:
        while text.encode() not in self.out:
            ready, _, _ = select.select([self._ours], [], [], patience(60))
            assert ready, self.out[-2000:]
            try:
                self.out += os.read(self._ours, 65536)
            except OSError:
                # Linux's pty says so at its end.
                assert text.encode() in self.out, self.out[-2000:]

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def end(self) -> int:
        status = self.process.wait(patience(60))
        os.close(self._ours)
        return status


@pytest.mark.slow
def test_in_a_terminal_it_shows_the_view_until_ctrl_c_and_asks_before_it_saves(tmp_path: Path) -> None:
    config = tmp_path / "edge.toml"
    config.write_text('source = "picamera2:0" # as before\n')
    source = "synthetic:?fps=10&hold=100000"
    terminal = Terminal("--config", str(config), "--source", source)
    terminal.until("the view is good")
    terminal.process.send_signal(signal.SIGINT)
    terminal.until("[y/N]")
    terminal.type("y\n")
    terminal.until("source is now")
    assert terminal.end() == 0
    assert config.read_text() == f'source = "{source}" # as before\n'
    assert screen.ENTER.encode() in terminal.out and screen.LEAVE.encode() in terminal.out
