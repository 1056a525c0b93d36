"""The commands as people run them: real processes, real files."""

import errno
import json
import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import jsonschema
import numpy as np
import pytest

from edge.cli import main
from edge.types import Pixels
from tests.support.patience import patience

ROOT = Path(__file__).parents[2]
Page = Callable[..., Pixels]


NOTHING = Path("/dev/null")


def edge(
    *arguments: str | Path,
    cwd: Path | None = None,
    stdin: Path = Path("/dev/null"),
    text: bool = True,
    **variables: str,
) -> subprocess.CompletedProcess[Any]:
    """Run ``edge`` in a process of its own, warnings as errors; ``variables`` are those of its environment."""
    with stdin.open("rb") as file:
        return subprocess.run(
            [sys.executable, "-W", "error", "-m", "edge.cli", *map(str, arguments)],
            stdin=file,
            capture_output=True,
            text=text,
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
            timeout=patience(60),
        )


def edge_to(stdout: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The same, with its output to such a file."""
    with stdout.open("w") as file:
        return subprocess.run(
            [sys.executable, "-W", "error", "-m", "edge.cli", *map(str, arguments)],
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            timeout=patience(60),
        )


@pytest.fixture
def photo(page: Page, tmp_path: Path) -> Path:
    cv2.imwrite(str(tmp_path / "desk.png"), page("2357", "4680"))
    return tmp_path / "desk.png"


def test_read_for_a_person(photo: Path) -> None:
    done = edge("read", "desk.png", cwd=photo.parent)
    assert (done.returncode, done.stdout, done.stderr) == (0, "desk.png: 2357 / 4680\n", "")


def test_read_as_json_fits_the_schema(photo: Path) -> None:
    done = edge("read", "--json", photo, photo)
    schema = json.loads((ROOT / "edge" / "schema" / "reading.json").read_text("utf-8"))
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    for line in lines:
        reading = json.loads(line)
        jsonschema.validate(reading, schema, format_checker=jsonschema.FormatChecker())
        assert reading["text"] == "2357\n4680"
        assert reading["source"] == str(photo)


def test_show_writes_a_picture_of_each(photo: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "desk.png").write_bytes(photo.read_bytes())
    done = edge("read", photo, other / "desk.png", "--show", tmp_path / "seen" / "today")
    assert done.returncode == 0
    names = sorted(path.name for path in (tmp_path / "seen" / "today").iterdir())
    assert names == ["desk-2.read.png", "desk.read.png"], "no picture takes another one's place, nothing half-written"


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_full_disk_behind_stdout_is_one_line(form: list[str], photo: Path) -> None:
    done = edge_to(Path("/dev/full"), "read", *form, photo)
    assert (done.returncode, done.stderr) == (1, "edge: [Errno 28] No space left on device; make room on that disk\n")


def test_what_cannot_be_read_is_a_line_and_the_rest_is_read(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.jpg").write_text("no image at all")
    (tmp_path / "half.png").write_bytes(photo.read_bytes()[:500])
    done = edge("read", "none.png", "empty.png", photo, "text.jpg", "half.png", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == f"{photo}: 2357 / 4680\n"
    assert done.stderr.splitlines() == [
        "edge: none.png: no such file",
        "edge: empty.png: is empty",
        "edge: text.jpg: is not an image that can be read; use JPEG, PNG, TIFF, WebP, BMP or PGM",
        "edge: half.png: is cut off; copy it again",
    ]


def test_folders_globs_and_stdin_are_read(photo: Path, tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    for name in ("page10.png", "page9.png", ".hidden.png", "notes.txt", "page1.png.part"):
        (folder / name).write_bytes(photo.read_bytes())
    (folder / "[1].png").write_bytes(photo.read_bytes())
    done = edge("read", "scans", "scans/page*.png", "scans/[1].png", "-", cwd=tmp_path, stdin=photo)
    names = [f"scans/{name}.png" for name in ("[1]", "page9", "page10", "page9", "page10", "[1]")]
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"{name}: 2357 / 4680" for name in [*names, "-"]]
    done = edge("read", "--json", "-", "--show", "seen", cwd=tmp_path, stdin=photo)
    assert json.loads(done.stdout)["source"] == "-"
    assert (tmp_path / "seen" / "stdin.read.png").exists()


def test_a_picture_that_is_too_large_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    """OpenCV would take 1.8 GB, and then find that the pixels are missing."""
    head = b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    chunks = [head, b"IDAT" + zlib.compress(bytes(100)), b"IEND"]
    data = b"".join(struct.pack(">I", len(one) - 4) + one + struct.pack(">I", zlib.crc32(one)) for one in chunks)
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    done = edge("read", "bomb.png", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "edge: bomb.png: is too large; reduce it to at most 100,000,000 pixels\n"


def test_what_has_to_be_converted_is_told_the_command(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "my scan.pdf").write_bytes(b"%PDF-1.7\n")
    (tmp_path / "phone.heic").write_bytes(b"\0\0\0\x24ftypmif1\0\0\0\0mif1heic")
    (tmp_path / "jpeg-by-its-name.jpg").write_bytes(b"\0\0\0\x18ftypheix\0\0\0\0mif1heix")
    (tmp_path / "broken.avif").write_bytes(b"\0\0\0\x1cftypavif\0\0\0\0avifmif1")
    (tmp_path / "film.jpg").write_bytes(b"\0\0\0\x18ftypisom\0\0\0\0isomavc1")
    (tmp_path / "empty").mkdir()
    named = ["none/*.png", "empty", "https://me:secret@host/a.jpg?key=secret", "film.jpg"]
    done = edge("read", tmp_path, *named, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, f"{photo}: 2357 / 4680\n")
    install = "convert it with: sudo apt install libheif-examples; heif-convert"
    assert done.stderr.splitlines() == [
        f"edge: {tmp_path}/broken.avif: is an AVIF picture; {install} {tmp_path}/broken.avif broken.jpg",
        f"edge: {tmp_path}/film.jpg: is not an image that can be read; use JPEG, PNG, TIFF, WebP, BMP or PGM",
        f"edge: {tmp_path}/jpeg-by-its-name.jpg: is a HEIC picture; {install} {tmp_path}/jpeg-by-its-name.jpg "
        "jpeg-by-its-name.jpg",
        f"edge: {tmp_path}/my scan.pdf: is a PDF; make pictures of it with: sudo apt install poppler-utils; "
        f"pdftoppm -r 300 -png '{tmp_path}/my scan.pdf' 'my scan'",
        f"edge: {tmp_path}/phone.heic: is a HEIC picture; {install} {tmp_path}/phone.heic phone.jpg",
        "edge: none/*.png: no file matches; name a file, a folder, or a glob in quotes",
        "edge: empty: no image in this folder; an image ends with .bmp, .jpeg, .jpg, .pbm, .pgm, .png, .ppm, .tif, "
        ".tiff, .webp",
        "edge: https://host/a.jpg: is no file; read a picture with: curl -sSfL URL | edge read -, and a camera with: "
        "edge run --source URL",
        "edge: film.jpg: is not an image that can be read; use JPEG, PNG, TIFF, WebP, BMP or PGM",
    ]


def test_what_comes_through_stdin_has_no_name_to_convert(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7\n")
    done = edge("read", "-", stdin=tmp_path / "a.pdf")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.endswith("pdftoppm -r 300 -png FILE page\n")


@pytest.mark.parametrize(
    "environment",
    [{}, {"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}]
    + [{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
    ids=["UTF-8", "ASCII", "Latin-1", "C"],
)
def test_any_name_is_one_line_and_valid_json(environment: dict[str, str], photo: Path, tmp_path: Path) -> None:
    """A name that is no UTF-8, one that is more than ASCII, and one that a terminal would obey."""
    folder = tmp_path / "names"
    folder.mkdir()
    for name in (b"caf\xe9.png", "caf\xe9.png".encode(), b"new\nline\x1b[31m.png"):
        (folder / os.fsdecode(name)).write_bytes(photo.read_bytes())
    (folder / os.fsdecode(b"bad\xe9.png")).write_bytes(b"no image")
    encoding = environment.get("PYTHONIOENCODING", "utf-8" if not environment else "ascii")
    done = edge("read", "names", cwd=tmp_path, text=False, **environment)
    lines = done.stdout.decode(encoding).splitlines()
    assert done.returncode == 1 and len(lines) == 3 and len(done.stderr.splitlines()) == 1
    assert lines[2] == "names/new / line?[31m.png: 2357 / 4680"
    assert set(lines[:2]) == {
        "names/caf\xe9.png: 2357 / 4680" if encoding != "ascii" else "names/caf\\u00e9.png: 2357 / 4680",
        "names/caf\ufffd.png: 2357 / 4680" if encoding == "utf-8" else "names/caf\\ufffd.png: 2357 / 4680",
    }
    done = edge("read", "--json", "names", cwd=tmp_path, text=False, **environment)
    sources = [json.loads(line)["source"] for line in done.stdout.decode("utf-8").splitlines()]
    assert set(sources) == {"names/caf\xe9.png", "names/caf\ufffd.png", "names/new\nline\x1b[31m.png"}


@pytest.mark.parametrize(("closed", "said"), [(">&-", "stdout: it is closed"), ("<&-", "stdin: has no picture")])
def test_a_closed_stream_is_one_line(closed: str, said: str, photo: Path) -> None:
    command = f"{sys.executable} -W error -m edge.cli read - {closed}"
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"edge: {said}") and len(done.stderr.splitlines()) == 1


def test_nothing_read_says_why(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "blank.png"), np.full((300, 400), 240, np.uint8))
    done = edge("read", "blank.png", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "blank.png: nothing read (blank)\n")


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["read"], 2, "the following arguments are required: IMAGE"),
        (["reed", "x.png"], 2, "invalid choice: 'reed'"),
        (["read", "x.png", "--jsn"], 2, "did you mean '--json'"),
        (["read", "x.png", "--vision.medain", "3"], 2, "did you mean '--vision.median'"),
        (["run", "--frames", "0"], 2, "'0' is not a whole number above 0"),
        (["read", "x.png", "--vision.median", "99"], 1, "--vision.median: '99'"),
        (["read", "x.png", "--model", "none.tflite"], 1, "none.tflite: no such file; make one with edge-convert"),
        (["read", "x.png", "--config", "none.toml"], 1, "none.toml: no such file"),
        (["run", "--source", "piccamera2:0"], 1, "did you mean 'picamera2:'"),
        (["run", "--source", "synthetic:?sise=640x480"], 1, "did you mean 'size'"),
        (["run", "--source", "v4l2:/dev/video99?fps=0"], 1, "fps is a number from 1 to 240"),
        (["run", "--source", "files:none/*.png"], 1, "none/*.png"),
        (["run", "--source", "synthetic:", "--publish", "jsonl:none/out.jsonl"], 1, "none"),
        (["run", "--source", "synthetic:", "--publish", "mqqt://host"], 1, "jsonl"),
        (["tune", "none.csv"], 1, "none.csv: cannot be read"),
        (["model"], 2, "the following arguments are required: ACTION"),
        (["model", "chek", "x"], 2, "invalid choice: 'chek'"),
        (["model", "check", "none.tflite"], 1, "none.tflite: no such file; make one with edge-convert"),
        (["model", "rollback", "--mdel", "x"], 2, "did you mean '--model'"),
        (["model", "rollback"], 1, "the setting model is empty"),
        (["model", "rollback", "--model", "m.tflite", "--state", "s"], 1, "no model was accepted as m.tflite yet"),
    ],
)
def test_wrong_use_is_one_line_and_the_right_status(
    arguments: list[str], status: int, words: str, tmp_path: Path
) -> None:
    done = edge(*arguments, cwd=tmp_path)
    assert done.returncode == status
    assert words in done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


@pytest.mark.parametrize(
    "arguments",
    [["history"], ["model", "rollback", "--model", "m.tflite"], ["run", "--check", "--source", "synthetic:"]],
    ids=["history", "rollback", "check"],
)
@pytest.mark.parametrize("state", ["notes.txt", "notes.txt/below"])
def test_a_state_folder_that_is_a_file_is_said_as_such(
    arguments: list[str], state: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").touch()
    assert main([*arguments, "--state", str(tmp_path / state)]) == 1
    said = capsys.readouterr().err
    assert f"{tmp_path}/notes.txt: is a file, but the state folder must be a folder" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("publish", "name"),
    [
        (["mqtt://broker/home", "mqtt://joe@broker:1883/home/?version=3"], "mqtt://broker:1883/home"),
        (["https://joe:pw@shed/in?x=1", "jsonl:-", "https://shed/in?x=1"], "https://shed/("),
    ],
    ids=["mqtt", "webhook"],
)
@pytest.mark.parametrize("check", [[], ["--check"]], ids=["start", "check"])
def test_two_publishers_of_one_place_are_refused(
    publish: list[str], name: str, check: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """They would share how far it got: each would miss what the other had sent."""
    assert main(["run", "--source", "synthetic:", "--frames", "1", *check, "--publish", *publish]) == 1
    said = capsys.readouterr().err
    assert name in said and "publish names this place twice; remove one of them" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("publisher", "says"),
    [
        ("mqtt://joe@broker/home?password_file={}/none", "password file {}/none: cannot be read (No such file"),
        ("mqtt://joe@broker/home?password_file={}", "password file {}: cannot be read (Is a directory)"),
        ("mqtts://broker/home?ca={}/none", "ca={}/none: cannot be read (No such file"),
        ("mqtts://broker/home?ca={}/text", "ca={}/text: is not a valid PEM file"),
        ("mqtts://broker/home?cert={}/none&key={}/text", "cert={}/none key={}/text: cannot be read (No such file"),
        ("mqtts://broker/home?cert={}/text", "cert={}/text: is not a valid PEM file"),
        ("https://shed/in#secret_file={}/none", "secret_file {}/none: cannot be read (No such file"),
        ("https://shed/in#secret_file={}/text", "secret_file {}/text: contains no valid secret"),
        ("https://shed/in#ca={}/text", "ca {}/text: is not a PEM file"),
    ],
)
def test_files_that_a_publisher_needs_are_checked(
    publisher: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text").write_text("neither a secret nor a certificate")
    publisher, says = (text.replace("{}", str(tmp_path)) for text in (publisher, says))
    assert main(["run", "--check", "--source", "synthetic:", "--publish", publisher]) == 1
    said = capsys.readouterr().err
    assert says in said
    assert len(said.splitlines()) == 1 and said.count(";") <= 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--publish", "mqtt://broker/home?password=canary"],
        ["--publish", "mqtt://broker/home?user=joe&password=c@nary"],
        ["--publish", "mqtt://broker/home?password=canary&password=canary"],
        ["--publish", "mqtt://joe:canary?x=1@broker/home"],
        ["--publish", "mqqt://joe:canary@broker/home"],
        ["--publish", "htps://shed/canary?key=canary"],
        ["--source", "rtps://joe:canary@shed/live"],
        ["mqtt://joe:canary@broker/home"],
    ],
)
def test_a_secret_in_the_wrong_place_is_not_repeated(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor in a line of the log, when the service's settings have it so."""
    # Otherwise the default, picamera2:0, may be wrong too.
    monkeypatch.setenv("EDGE_SOURCE", "synthetic:")
    try:
        assert main(["run", "--check", *arguments]) == 1
    except SystemExit as left:
        assert left.code == 2
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1
    assert "nary" not in said.out + said.err


@pytest.mark.parametrize(("source", "words"), [("picamera2:0", "picamera2"), ("v4l2:/dev/video99", "/dev/video99")])
def test_no_camera_is_one_line_and_it_waits(source: str, words: str) -> None:
    command = [sys.executable, "-W", "error", "-m", "edge.cli", "run", "--source", source]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        # Long enough for it to try again, and to say nothing new.
        time.sleep(2)
        process.send_signal(signal.SIGTERM)
        out, errors = process.communicate(timeout=patience(30))
    assert (process.returncode, errors) == (0, "")
    # After its deadline listeners are told, too, once.
    assert [json.loads(line)["state"] for line in out.splitlines()] in ([], ["starting"])
    assert words in said and said.endswith(" (retrying until it works)\n")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "MemoryError; memory is full: end other programs"),
        (OSError(errno.EMFILE, "Too many open files"), "raise the limit of open files"),
        (RuntimeError("can't start new thread"), "too many threads"),
        (ImportError("no module"), "start it again; --debug shows where it failed"),
        (SystemError("error return without exception set"), "start it again; --debug shows where it failed"),
    ],
)
def test_what_the_system_refuses_is_one_line(
    error: Exception, words: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(arguments: object) -> int:
        raise error

    monkeypatch.setattr("edge.commands.history.run", fail)
    monkeypatch.setattr("edge.cli.discard_output", lambda: None)
    assert main(["history"]) == 1
    [line] = capfd.readouterr().err.splitlines()
    assert line.startswith("edge: ") and words in line


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    done = edge("read", "--debug", "--model", "none.tflite", "x.png", cwd=tmp_path)
    assert done.returncode == 1
    assert "Traceback" in done.stderr


@pytest.mark.parametrize("command", ["", "read", "run", "demo", "tune"])
def test_help_tells_every_flag(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*filter(None, [command]), "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "usage: edge" in said
    if command:
        assert "--vision.median" in said and "--debug" in said


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.startswith("edge-digits 0.")


def test_run_reads_files_to_several_publishers(photo: Path, tmp_path: Path) -> None:
    done = edge("run", "--source", f"files:{photo}", "--publish", "jsonl:-", "jsonl:out.jsonl", cwd=tmp_path)
    assert done.returncode == 0
    assert json.loads(done.stdout)["text"] == "2357\n4680"
    assert (tmp_path / "out.jsonl").read_text() == done.stdout


def test_run_goes_on_after_a_bad_file_and_says_so(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"broken")
    done = edge("run", "--source", f"files:{tmp_path}/*.png", cwd=tmp_path)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1
    assert len(done.stderr.splitlines()) == 1


def test_a_file_whose_name_would_write_to_the_terminal_is_one_line_of_the_log(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "a\n\x1b[31mb.png").write_bytes(b"broken")
    done = edge("run", "--source", f"files:{tmp_path}/*.png", cwd=tmp_path)
    assert done.stderr.startswith(f"edge: {tmp_path}/a / ?[31mb.png: is not an image")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run_stops_cleanly_at_a_signal(number: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "edge.cli", "run", "--source", "synthetic:?fps=5", "--publish", "jsonl:out.jsonl"]
    with subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as process:
        out = tmp_path / "out.jsonl"
        until = time.monotonic() + patience(30)
        while not (out.exists() and out.stat().st_size) and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(number)
        _, errors = process.communicate(timeout=patience(30))
    assert (process.returncode, errors) == (0, b"")
    for line in out.read_text().splitlines():
        json.loads(line)


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = f"{sys.executable} -m edge.cli run --source synthetic: --frames 40 | head -n 1"
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1


def test_demo_reads_pages_and_sums_up() -> None:
    done = edge("demo", "--seconds", "2")
    assert done.returncode == 0
    last = done.stdout.splitlines()[-1]
    assert "pages without a mistake" in last


def test_tune_prints_a_table(photo: Path) -> None:
    (photo.parent / "labels.csv").write_text("file,text\ndesk.png,2357/4680\n")
    done = edge("tune", photo.parent / "labels.csv")
    assert done.returncode == 0
    assert done.stdout.startswith("| choice |")
    assert "100.0%" in done.stdout.splitlines()[2]


def test_settings_come_from_the_file_that_is_named(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "edge.toml").write_text("min_confidence = 1.0\n")
    done = edge("read", "--config", "edge.toml", photo, cwd=tmp_path)
    assert "nothing read" in done.stdout
