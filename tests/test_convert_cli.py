from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import small

from convert import pipeline
from convert.cli import convert_main, train_main
from edge.card import read_card
from edge.model import Model

pytestmark = small.QUIET
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module", autouse=True)
def tensorflow() -> None:
    small.keras()


@pytest.fixture(scope="module")
def mnist(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(small.write_npz(tmp_path_factory.mktemp("data") / "mnist.npz"))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return small.saved(small.trained(), tmp_path / "m.h5")


def failure(arguments: list[str], capfd: pytest.CaptureFixture[str], program: str = "edge-convert") -> str:
    """The one line that a failing run leaves on stderr; nothing is written."""
    before = {path: path.stat().st_mtime_ns for path in Path(arguments[0]).parent.glob("*")}
    capfd.readouterr()
    assert (convert_main if program == "edge-convert" else train_main)(arguments) == 1
    out, err = capfd.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith(f"{program}: ") and "Traceback" not in err
    assert {path: path.stat().st_mtime_ns for path in Path(arguments[0]).parent.glob("*")} == before
    return err.strip()


def test_it_writes_the_file_beside_the_model_and_says_what_it_cost(
    model: Path, mnist: str, capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()
    assert convert_main([str(model), "--data", mnist]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    written = model.with_suffix(".tflite")
    assert sorted(path.name for path in model.parent.iterdir()) == ["m.h5", "m.tflite"]
    for part in ("accuracy", "of 300 test images", "calibrated on 1,000", str(written), f"{written.stat().st_size:,}"):
        assert part in out
    with Model(written) as quantised:
        assert (quantised.predict(small.data().test).argmax(1) == small.data().test_labels).mean() > 0.95


def test_the_card_says_how_it_was_made_and_what_it_is_worth(model: Path, mnist: str, tmp_path: Path) -> None:
    out = tmp_path / "out.tflite"
    arguments = ["-o", str(out), "--data", mnist, "--calibration-images", "600", "--seed", "7", "--io", "int8"]
    assert convert_main([str(model), *arguments]) == 0
    card = read_card(out.read_bytes(), "out")
    assert card is not None and (card.name, card.paper, card.ink, card.output) == ("m", 0, 1, "probabilities")
    assert card.labels == tuple("0123456789") and 0.2 <= card.temperature <= 5
    assert card.source["file"] == "m.h5" and card.source["sha256"] == sha256(model.read_bytes()).hexdigest()
    assert {"tensorflow", "keras", "edge-digits"} <= set(card.source)
    said = card.quantisation
    assert (said["recipe"], said["input"], said["output"], said["seed"]) == ("int8", "int8", "int8", 7)
    assert said["calibration_images"] == 600 and re.fullmatch("[0-9a-f]{64}", said["calibration_sha256"])
    with Model(out) as quantised:
        right = (quantised.predict(small.data().test).argmax(1) == small.data().test_labels).mean()
    assert card.evaluation["accuracy_int8"] == pytest.approx(right)
    assert card.evaluation["data_sha256"] == small.data().digest
    with zipfile.ZipFile(out) as zipped:
        assert json.loads(zipped.read("metadata.json"))["quantisation"] == said


def test_an_eleventh_output_is_what_is_no_digit(mnist: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = small.saved(small.with_none(), tmp_path / "m.h5")
    capfd.readouterr()
    assert convert_main([str(path), "--data", mnist]) == 0
    assert re.search(r"no digit +0\.00%", capfd.readouterr().out)
    with Model(path.with_suffix(".tflite")) as quantised:
        assert quantised.card.labels == (*"0123456789", "none")
        found = quantised.predict(small.data().test)
        assert found.shape == (300, 11) and (found.argmax(1) == small.data().test_labels).mean() > 0.95


def test_one_order_gives_the_same_bytes_twice(model: Path, mnist: str, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("one.tflite", "two.tflite")]
    for file in files:
        assert convert_main([str(model), "-o", str(file), "--data", mnist]) == 0
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_model_that_int8_breaks_is_refused_and_an_older_file_stays(
    mnist: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    broken = small.saved(small.breaks_in_int8(), tmp_path / "b.h5")
    out = tmp_path / "b.tflite"
    out.write_bytes(b"older")
    line = failure([str(broken), "--data", mnist], capfd)
    assert re.search(r"b\.h5: int8 loses \d+\.\d\d percentage points \(99\.\d\d% -> ", line)
    assert "more than --max-drop 0.3" in line
    assert out.read_bytes() == b"older"
    assert convert_main([str(broken), "--data", mnist, "--max-drop", "100"]) == 0
    assert out.read_bytes() != b"older"


def test_even_no_loss_is_refused_where_a_gain_is_asked_for(
    model: Path, mnist: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert "more than --max-drop -50" in failure([str(model), "--data", mnist, "--max-drop", "-50"], capfd)


def test_what_the_runtime_cannot_run_is_refused_by_its_own_name(
    mnist: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    # Its scales are so far apart that XNNPACK gives up.
    path = small.saved(small.breaks_in_int8(1e5), tmp_path / "x.h5")
    assert f"edge-convert: {path}: " in failure([str(path), "--data", mnist], capfd)


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [("empty.h5", b"", "is empty"), ("text.h5", b"hello", "is no Keras file"),
     ("cut.h5", b"\x89HDF\r\n\x1a\n" + bytes(90), "is damaged or cut short")],
)  # fmt: skip
def test_every_bad_model_is_one_line(
    name: str, content: bytes, complaint: str, mnist: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert complaint in failure([str(path), "--data", mnist], capfd)


def test_every_missing_thing_is_one_line(
    model: Path, mnist: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder").mkdir()
    assert "no such file" in failure([str(tmp_path / "none.h5"), "--data", mnist], capfd)
    assert "no such file or folder" in failure([str(model), "--data", "/no/where"], capfd)
    assert "neither" in failure([str(model), "--data", str(tmp_path)], capfd)
    assert "cannot be written" in failure([str(model), "-o", "/no/where/x.tflite", "--data", mnist], capfd)
    assert "is a folder" in failure([str(model), "-o", str(tmp_path / "folder"), "--data", mnist], capfd)


def test_an_unforeseen_error_is_one_line_and_debug_shows_where(
    model: Path, mnist: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(pipeline, "convert", fail)
    assert "RuntimeError: two lines; run it again with --debug" in failure([str(model), "--data", mnist], capfd)
    assert convert_main([str(model), "--data", mnist, "--debug"]) == 1
    assert "Traceback" in capfd.readouterr().err


def test_nothing_is_left_over_where_writing_fails_halfway(
    model: Path, mnist: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    write = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if path.parent == model.parent:
            write(path, content[:100])
            raise OSError(28, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    assert "cannot be written (No space left on device)" in failure([str(model), "--data", mnist], capfd)


def test_ctrl_c_is_quiet_and_leaves_nothing(
    model: Path, mnist: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "verify", interrupted)
    capfd.readouterr()
    assert convert_main([str(model), "--data", mnist]) == 130
    assert capfd.readouterr() == ("", "")
    assert [path.name for path in model.parent.iterdir()] == ["m.h5"]


@pytest.mark.parametrize(
    "arguments",
    [[], ["m.h5", "--calibration-images", "499"], ["m.h5", "--max-drop", "nan"], ["m.h5", "--max-drop", "little"],
     ["m.h5", "--io", "float32"], ["m.h5", "--seed", "-1"], ["m.h5", "-o", "m.h5"], ["m.h5", "--fast"]],
)  # fmt: skip
def test_wrong_usage_exits_2(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        convert_main(arguments)
    assert ended.value.code == 2
    assert "edge-convert: error: " in capfd.readouterr().err


@pytest.mark.parametrize("arguments", [["--epochs", "0"], ["--limit", "0"], ["-o", "m.tflite"], ["m.h5"]])
def test_wrong_usage_of_training_exits_2(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        train_main(arguments)
    assert ended.value.code == 2
    assert "edge-train: error: " in capfd.readouterr().err


def test_a_model_read_in_the_wrong_way_is_noticed(
    mnist: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = small.saved(small.untrained(), tmp_path / "u.h5")
    assert convert_main([str(path), "--data", mnist, "--max-drop", "100"]) == 0
    assert "Note: the Keras model itself reads only" in capfd.readouterr().out


def run(program: str, *arguments: str) -> list[str]:
    code = f"import sys; from convert.cli import {program}; sys.exit({program}(sys.argv[1:]))"
    return [sys.executable, "-c", code, *arguments]


@pytest.mark.parametrize("program", ["convert_main", "train_main"])
def test_help_is_instant(program: str) -> None:
    code = (
        f"import sys\nfrom convert.cli import {program}\ntry:\n    {program}(['--help'])\n"
        "except SystemExit as ended:\n    assert ended.code == 0\n"
        "assert not {'tensorflow', 'keras', 'rich', 'numpy', 'cv2', 'h5py'} & set(sys.modules), sorted(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    assert "--data" in done.stdout and "Exit status" in done.stdout


def test_a_fresh_process_says_nothing_on_stderr(model: Path, mnist: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    done = subprocess.run(
        run("convert_main", str(model), "--data", mnist), capture_output=True, text=True, cwd=ROOT, env=environment
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_ctrl_c_ends_a_training_quietly_at_once(mnist: str, tmp_path: Path) -> None:
    out = tmp_path / "t.h5"
    script = tmp_path / "train.py"
    script.write_text(
        "import sys\nfrom convert.cli import train_main\nif __name__ == '__main__':\n    sys.exit(train_main())\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    training = subprocess.Popen(
        [sys.executable, str(script), "-o", str(out), "--data", mnist, "--epochs", "1000", "--limit", "100"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True,
    )  # fmt: skip
    try:
        assert training.stderr is not None
        assert training.stderr.readline().startswith("epoch 1/1000: loss ")
        asked = time.monotonic()
        # To all of its processes, as a terminal does it.
        os.killpg(training.pid, signal.SIGINT)
        _, err = training.communicate(timeout=20)
    finally:
        if training.poll() is None:
            os.killpg(training.pid, signal.SIGKILL)
            training.communicate()
    assert training.returncode == 130 and time.monotonic() - asked < 10
    assert all(line.startswith("epoch ") for line in err.splitlines()), err
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["t.checkpoint.keras", "train.py"], "and the next one goes on from there"


def test_the_real_thing_loses_less_than_a_third_of_a_point(data: Path, tmp_path: Path) -> None:
    model = data / "keras_models" / "digit_classifier__peerkar__digit-classification-with-cnn.h5"
    order = pipeline.Order(model=model, out=tmp_path / "m.tflite", data=str(data / "mnist"))
    done = pipeline.convert(order, told=lambda step: None)
    assert done.verdict.images == 10_000 and done.verdict.accuracy > 0.98 and done.verdict.agreement > 0.995
    assert np.isfinite(done.verdict.microseconds)
