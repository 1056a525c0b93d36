from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import traceback
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import jsonschema
import numpy as np
import pytest

from convert import confined, load
from convert.choices import RECIPES
from convert.classes import CLASSES
from convert.cli import convert_main, train_main
from convert.conversion import attempts, pipeline
from convert.data.mnist import load_mnist
from convert.system import command_line
from convert.training import train
from edge.errors import ConvertError
from edge.model.card import read_card
from edge.model.classifier import Model
from edge.reading.evaluation import load_labelled
from edge.reading.reader import Reader
from edge.types import Pixels
from tests.support import small

pytestmark = small.QUIET
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", autouse=True)
def tensorflow() -> None:
    small.keras()


@pytest.fixture(autouse=True)
def without_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Convert in this process, which has TensorFlow already; tests/convert/test_confined.py has real ones."""

    def answer(task: str, options: dict[str, Any], folder: Path, debug: bool) -> dict[str, str]:
        with command_line.quiet(debug) as stderr:
            try:
                return {"text": confined.TASKS[task](options, folder, stderr)}
            except Exception as error:
                if debug:
                    traceback.print_exc()
                return {"error": command_line.line(error)}

    monkeypatch.setattr(confined, "_answer", answer)


@pytest.fixture(scope="module")
def mnist(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(small.write_npz(tmp_path_factory.mktemp("data") / "mnist.npz"))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return small.saved(small.trained(), tmp_path / "m.h5")


def failure(arguments: list[str], capfd: pytest.CaptureFixture[str], program: str = "edge-convert") -> str:
    """The one line that a failing run leaves on stderr; nothing is written but a report."""
    before = files(Path(arguments[0]).parent)
    capfd.readouterr()
    assert (convert_main if program == "edge-convert" else train_main)(arguments) == 1
    out, err = capfd.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith(f"{program}: ") and "Traceback" not in err
    assert files(Path(arguments[0]).parent) == before
    return err.strip()


def files(folder: Path) -> dict[Path, int]:
    """When each file in the folder was last written."""
    return {path: path.stat().st_mtime_ns for path in folder.glob("*") if not path.name.endswith("-report")}


def test_it_writes_the_file_beside_the_model_and_says_what_it_cost(
    model: Path, mnist: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()
    assert convert_main([str(model), "--data", mnist]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    written = model.with_suffix(".tflite")
    assert sorted(path.name for path in model.parent.iterdir()) == ["m-report", "m.h5", "m.tflite"]
    assert sorted(path.name for path in (tmp_path / "m-report").iterdir()) == ["report.html", "report.json"]
    page = str(tmp_path / "m-report" / "report.html")
    for part in ("0..1, light ink", *RECIPES, "accuracy", str(written), f"{written.stat().st_size:,}", page):
        assert part in out
    with Model(written) as quantised:
        assert (quantised.predict(small.data().test).argmax(1) == small.data().test_labels).mean() > 0.95


def test_the_card_says_how_it_was_made_and_what_it_is_worth(model: Path, mnist: str, tmp_path: Path) -> None:
    out = tmp_path / "out.tflite"
    arguments = ["-o", str(out), "--data", mnist, "--calibration-images", "600", "--seed", "7", "--io", "int8"]
    arguments += ["--recipe", "int8", "--report", str(tmp_path / "told")]
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
    assert card.evaluation["mnist"]["accuracy"] == pytest.approx(right)
    assert card.evaluation["synthetic_camera"]["images"] == 300
    assert card.evaluation["input"][0]["range"] == "0..1" and len(card.evaluation["input"]) == 8
    assert (tmp_path / "told" / "report.json").exists()
    assert card.evaluation["data_sha256"] == small.data().digest
    with zipfile.ZipFile(out) as zipped:
        assert json.loads(zipped.read("metadata.json"))["quantisation"] == said


def test_a_file_for_microcontrollers_has_its_sources_beside_it(
    model: Path, mnist: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(model), "--data", mnist, "--target", "tflm"]
    (tmp_path / "m_example.cc").write_text("int main() {}  // by hand")
    assert "m_example.cc: was not written by edge-convert for a model of this name; " in failure(arguments, capfd)
    (tmp_path / "m_example.cc").unlink()
    capfd.readouterr()
    assert convert_main(arguments) == 0
    summary = capfd.readouterr().out
    assert "(beside it: m.h, m.cc, m_example.cc)" in summary and "int8, for microcontrollers" in summary
    names = ["m-report", "m.cc", "m.h", "m.h5", "m.tflite", "m_example.cc"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    content = (tmp_path / "m.tflite").read_bytes()
    card = read_card(content, "m")
    assert card is not None and card.quantisation["input"] == card.quantisation["output"] == "int8"
    array = (tmp_path / "m.cc").read_text("ascii").partition("kModelData[kModelSize] = {")[2].partition("}")[0]
    assert sha256(bytes(int(byte, 16) for byte in re.findall("0x[0-9a-f]{2}", array))).hexdigest() == card.model_sha256
    with zipfile.ZipFile(tmp_path / "m.tflite") as zipped:
        assert f"kModelSize = {zipped.infolist()[0].header_offset};" in (tmp_path / "m.h").read_text("ascii")
    said = json.loads((tmp_path / "m-report" / "report.json").read_text("utf-8"))
    assert said["order"]["target"] == "tflm" and [one["recipe"] for one in said["recipes"]] == ["int8"]
    assert f"kArenaSize = {said['result']['arena_bytes']};" in (tmp_path / "m.h").read_text("ascii")
    assert "A microcontroller needs" in (tmp_path / "m-report" / "report.html").read_text("utf-8")
    jsonschema.validate(said, json.loads((ROOT / "convert" / "schema" / "report.json").read_text("utf-8")))
    # Its own files it writes anew.
    assert convert_main(arguments) == 0 and (tmp_path / "m.tflite").read_bytes() == content


def test_what_a_microcontroller_lacks_is_refused_and_nothing_is_written(
    mnist: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = small.saved(small.untrained(activation="gelu"), tmp_path / "m.h5")
    said = failure([str(path), "--data", mnist, "--target", "tflm"], capfd)
    assert (
        f"edge-convert: {path}: needs GELU, which TensorFlow Lite for Microcontrollers does not compute on int8" in said
    )


def test_an_eleventh_output_is_what_is_no_digit(mnist: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = small.saved(small.with_none(), tmp_path / "m.h5")
    capfd.readouterr()
    assert convert_main([str(path), "--data", mnist]) == 0
    assert re.search(r"no digit +0\.0", capfd.readouterr().out)
    with Model(path.with_suffix(".tflite")) as quantised:
        assert quantised.card.labels == (*"0123456789", "none")
        found = quantised.predict(small.data().test)
        assert found.shape == (300, 11) and (found.argmax(1) == small.data().test_labels).mean() > 0.95


def test_the_labels_of_edge_train_are_known(mnist: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = small.saved(small.with_marks(), tmp_path / "m.h5")
    capfd.readouterr()
    assert convert_main([str(path), "--data", mnist]) == 0
    assert re.search(r"no digit +0\.0", capfd.readouterr().out)
    with Model(path.with_suffix(".tflite")) as quantised:
        assert quantised.card.labels == CLASSES
        assert quantised.card.digits == (*range(10), *[None] * 9)
        found = quantised.predict(small.data().test)
        assert found.shape == (300, 19) and (found.argmax(1) == small.data().test_labels).mean() > 0.95


def test_one_order_gives_the_same_bytes_twice(model: Path, mnist: str, tmp_path: Path) -> None:
    two = [tmp_path / name for name in ("one.tflite", "two.tflite")]
    for file in two:
        assert convert_main([str(model), "-o", str(file), "--recipe", "int8", "--data", mnist]) == 0
    assert two[0].read_bytes() == two[1].read_bytes()


def test_a_model_that_int8_breaks_is_refused_and_an_older_file_stays(
    mnist: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    broken = small.saved(small.breaks_in_int8(), tmp_path / "b.h5")
    out = tmp_path / "b.tflite"
    out.write_bytes(b"older")
    line = failure([str(broken), "--recipe", "int8", "--data", mnist], capfd)
    assert re.search(r"b\.h5: int8 loses \d+\.\d\d percentage points \(99\.\d\d% -> ", line)
    assert "more than --max-drop 0.3" in line
    assert out.read_bytes() == b"older"
    page = tmp_path / "b-report" / "report.html"
    assert line.endswith(f"(details: {page})") and "int8" in page.read_text("utf-8")
    assert (
        convert_main([str(broken), "--recipe", "int8", "--data", mnist, "--max-drop", "100", "--min-accuracy", "0"])
        == 0
    )
    assert out.read_bytes() != b"older"


def test_auto_leaves_int8_where_that_breaks_the_model(
    mnist: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    broken = small.saved(small.breaks_in_int8(), tmp_path / "b.h5")
    assert convert_main([str(broken), "--data", mnist]) == 0
    card = read_card(broken.with_suffix(".tflite").read_bytes(), "b")
    assert card is not None and card.quantisation["recipe"] != "int8"
    assert card.evaluation["mnist"]["agreement"] >= 0.995
    said = json.loads((tmp_path / "b-report" / "report.json").read_text("utf-8"))
    assert sorted(one["recipe"] for one in said["recipes"]) == sorted(RECIPES)


def test_even_no_loss_is_refused_where_a_gain_is_asked_for(
    model: Path, mnist: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert "more than --max-drop -50" in failure(
        [str(model), "--recipe", "dynamic", "--data", mnist, "--max-drop", "-50"], capfd
    )


def test_what_the_runtime_cannot_run_is_refused_by_its_own_name(
    mnist: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    # Its scales are so far apart that XNNPACK gives up.
    path = small.saved(small.breaks_in_int8(1e5), tmp_path / "x.h5")
    assert f"edge-convert: {path}: cannot be run as int8" in failure(
        [str(path), "--recipe", "int8", "--data", mnist], capfd
    )


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [("empty.h5", b"", "is empty"), ("text.h5", b"hello", "is not a Keras file"),
     ("cut.h5", b"\x89HDF\r\n\x1a\n" + bytes(90), "is damaged or cut short")],
)  # fmt: skip
def test_every_bad_model_is_one_line(
    name: str, content: bytes, complaint: str, mnist: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert complaint in failure([str(path), "--data", mnist], capfd)


def test_a_folder_without_a_name_has_that_of_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(confined, "run", lambda task, options, debug: asked.append(options))
    (tmp_path / "m" / "part").mkdir(parents=True)
    for folder, model in (("m", "."), ("m/part", "..")):
        monkeypatch.chdir(tmp_path / folder)
        assert convert_main([model, "--data", "x"]) == 0
    assert [(one["model"], one["output"]) for one in asked] == [(tmp_path / "m", tmp_path / "m.tflite")] * 2


def test_a_link_to_itself_is_one_line(mnist: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m.h5").symlink_to(tmp_path / "m.h5")
    capfd.readouterr()
    assert convert_main([str(tmp_path / "m.h5"), "--data", mnist]) == 1
    assert "m.h5: cannot be read (Too many levels of symbolic links)" in capfd.readouterr().err


def test_a_report_that_cannot_be_written_is_said_before_the_work(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(confined, "run", None)
    (tmp_path / "file").write_text("x")
    for folder in ("file", "file/report"):
        said = failure([str(model), "--data", "x", "--report", str(tmp_path / folder)], capfd)
        assert "cannot create this folder" in said and "choose another with --report" in said
    assert "cannot create" in failure([str(model), "--data", "x", "--report", "/proc/self/report"], capfd)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["m.h5", "-o", "a" * 300], "a.* cannot be written"), (["m.h5", "-o", "a" * 255], "a-report: cannot create"),
        (["a" * 252 + ".h5"], "a.tflite: cannot be written"), (["m.h5", "--report", "a" * 300], "a: cannot create"),
        (["m.h5", "--target", "tflm", "-o", "a" * 246 + ".tflite"], "a_example.cc: cannot be written"),
        (["adopt", "a" * 300 + ".tflite"], "a-adopted.tflite: cannot be written"),
        (["edge-train", "-o", "a" * 240 + ".h5"], "a.checkpoint.keras: cannot be written"),
    ],
)  # fmt: skip
def test_a_name_that_is_too_long_is_said_before_the_work(
    arguments: list[str], named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(confined, "run", None)
    monkeypatch.setattr(train, "train", None)
    is_training = arguments[0] == "edge-train"
    capfd.readouterr()
    assert (train_main(arguments[1:]) if is_training else convert_main([*arguments, "--data", "x"])) == 1
    said = capfd.readouterr().err
    assert re.fullmatch(rf"edge-(convert|train): a*{named}.*\(File name too long\); choose another .*\n", said)
    assert not list(tmp_path.iterdir())


def test_a_name_that_cannot_be_printed_or_stored_is_shown_without_it(
    model: Path, mnist: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    odd = model.rename(tmp_path / os.fsdecode(b"\xfd\x1b[31m.h5"))
    capfd.readouterr()
    assert convert_main([str(odd), "--data", mnist, "--recipe", "float32", "-o", str(tmp_path / "m.tflite")]) == 0
    out, err = capfd.readouterr()
    assert err == "" and "\x1b" not in out and f"converted from {tmp_path}/??[31m.h5" in out
    card = read_card((tmp_path / "m.tflite").read_bytes(), "m")
    assert card and card.source["file"] == "??[31m.h5"
    assert json.loads((tmp_path / "m-report" / "report.json").read_text("utf-8"))["model"]["file"] == "??[31m.h5"


def test_a_model_is_timed_on_digits(
    model: Path, mnist: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """One that is slow on these alone would otherwise get as long as a quick one needs, or far too long."""

    def slow(model: Any, images: Any, path: Path) -> float:
        assert images.shape == (pipeline.TIMED_IMAGES, 28, 28, 1)
        assert {-1, 0, 1, 255} <= set(images.ravel()) and (images.std((1, 2, 3)) > 0).all()
        raise ConvertError("timed")

    monkeypatch.setattr(load, "seconds_per_image", slow)
    assert failure([str(model), "--data", mnist], capfd) == "edge-convert: timed"


def test_every_missing_thing_is_one_line(
    model: Path, mnist: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder").mkdir()
    assert "no such file" in failure([str(tmp_path / "none.h5"), "--data", mnist], capfd)
    # Without MNIST too: that is not downloaded for it.
    assert "no such file" in failure([str(tmp_path / "none.h5")], capfd)
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

    monkeypatch.setattr(attempts, "compare", interrupted)
    capfd.readouterr()
    assert convert_main([str(model), "--data", mnist]) == 130
    assert capfd.readouterr() == ("", "")
    assert [path.name for path in model.parent.iterdir()] == ["m.h5"]


@pytest.mark.parametrize(
    "arguments",
    [[], ["m.h5", "--recipe", "int4"], ["m.h5", "--input-range", "0..2"], ["m.h5", "--labels", "1,1"],
     ["m.h5", "--io", "int8", "--recipe", "float16"], ["m.h5", "--labels", "0,,1"], ["inspect"],
     ["m.h5", "--calibration-images", "499"], ["m.h5", "--max-drop", "nan"], ["m.h5", "--max-drop", "little"],
     ["m.h5", "--io", "float32"], ["m.h5", "--seed", "-1"], ["m.h5", "-o", "m.h5"], ["m.h5", "--fast"], ["/"],
     ["m.h5", "-o", "/"], ["m.h5", "--target", "esp32"], ["m.h5", "--target", "tflm", "--recipe", "dynamic"],
     ["m.h5", "--target", "tflm", "--io", "uint8"], ["m.h5", "-o", "out", "--report", "./out"]],
)  # fmt: skip
def test_wrong_usage_exits_2(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        convert_main(arguments)
    assert ended.value.code == 2
    assert re.search("edge-convert( inspect)?: error: ", capfd.readouterr().err)


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
    line = failure([str(path), "--data", mnist], capfd)
    assert re.search(
        r"u\.h5: reads \d+\.\d\d% of MNIST's test images, less than --min-accuracy 90, fed in the best of", line
    )
    assert "nothing is written; " in line and "--labels" in line and "--input-range" in line
    said = json.loads((tmp_path / "u-report" / "report.json").read_text("utf-8"))
    assert [one["recipe"] for one in said["recipes"]] == ["float32"] and not said["result"]["kept"]
    assert convert_main([str(path), "--recipe", "float32", "--data", mnist, "--min-accuracy", "5"]) == 0
    assert "the model reads only" in " ".join(capfd.readouterr().out.split())


def test_a_file_that_reads_less_than_the_floor_is_not_written(
    model: Path, mnist: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The Keras model reads enough, the file a little less, within --max-drop."""
    arguments = [str(model), "--recipe", "float16", "--data", mnist, "--max-drop", "5", "--min-accuracy", "97"]
    line = failure([*arguments, "--min-accuracy", "100"], capfd)
    assert "train it on digits like MNIST's, or lower --min-accuracy" in line and "--labels" not in line
    compare = attempts.compare

    def worse(attempt: Any, test: Any, folder: Path) -> Any:
        found = compare(attempt, test, folder)
        found.tflite[: found.images // 25] = np.roll(found.tflite[: found.images // 25], 1, axis=1)
        return found

    monkeypatch.setattr(attempts, "compare", worse)
    assert re.search(
        r"m\.h5: as float16 reads 9[56]\.\d\d% of .* less than --min-accuracy 97; nothing", failure(arguments, capfd)
    )


def test_another_order_of_the_outputs_is_found_kept_and_said(
    mnist: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    keras = small.keras()
    glyph = keras.layers.Input((28, 28, 1))
    turned = keras.layers.Dense(10, use_bias=False)
    turned.build((None, 10))
    turned.set_weights([np.eye(10)[:, [*range(1, 10), 0]]])
    path = small.saved(keras.Model(glyph, turned(small.trained()(glyph))), tmp_path / "t.h5")
    line = failure([str(path), "--data", mnist, "--labels", "0-9"], capfd)
    assert re.search(
        r"t\.h5: reads \d\.\d% of the digits with these --labels; looks like --labels 1-9,0: 9\d\.\d%$", line
    )
    assert convert_main([str(path), "--recipe", "float32", "--data", mnist]) == 0
    assert "Note: labels found: 1-9,0 (" in capfd.readouterr().out
    said = json.loads((tmp_path / "t-report" / "report.json").read_text("utf-8"))
    assert said["model"]["labels"] == [*"1234567890"] and said["input"]["remarks"][0].startswith("labels found: 1-9,0")
    with Model(path.with_suffix(".tflite")) as converted:
        assert converted.card.labels == tuple("1234567890")
        read = np.array(converted.card.digits)[converted.predict(small.data().test).argmax(1)]
    assert (read == small.data().test_labels).mean() > 0.95


def test_what_is_told_of_the_model_goes_into_the_file(model: Path, mnist: str, tmp_path: Path) -> None:
    keras = small.keras()
    glyph = keras.layers.Input((28, 28, 1))
    upside = small.saved(
        keras.Model(glyph, small.trained()(keras.layers.Rescaling(-0.5, 0.5)(glyph))), tmp_path / "n.h5"
    )
    labels = ",".join("0123456789")
    arguments = ["--input-range", "-1..1", "--polarity", "dark", "--labels", labels, "--recipe", "int8"]
    assert convert_main([str(upside), "--data", mnist, *arguments]) == 0
    with Model(upside.with_suffix(".tflite")) as quantised:
        assert (quantised.card.paper, quantised.card.ink) == (1, -1)
        assert (quantised.predict(small.data().test).argmax(1) == small.data().test_labels).mean() > 0.95


def test_own_photographs_calibrate(
    model: Path, mnist: str, tmp_path: Path, page: Callable[..., Pixels], capfd: pytest.CaptureFixture[str]
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    assert "no image in this folder" in failure([str(model), "--data", mnist, "--calibrate", str(photos)], capfd)
    cv2.imwrite(str(photos / "a.png"), page("12345", "67890"))
    assert convert_main([str(model), "--data", mnist, "--recipe", "int8", "--calibrate", str(photos)]) == 0
    card = read_card(model.with_suffix(".tflite").read_bytes(), "m")
    assert card is not None and card.quantisation["calibration_photographed"] >= 8


def test_inspecting_shows_the_card_and_the_graph(
    model: Path, mnist: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert convert_main([str(model), "--recipe", "int8", "--data", mnist, "--seed", "9"]) == 0
    capfd.readouterr()
    assert convert_main(["inspect", str(model.with_suffix(".tflite"))]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    for part in (
        "glyph (1, 28, 28, 1) uint8, real = (uint8 - 0) * 0.00392157",
        "seed: 9",
        "m.h5",
        "CONV_2D",
        "recipe: int8",
    ):
        assert part in out


@pytest.mark.parametrize("task", ["adopt", "inspect"])
def test_what_is_no_tflite_of_another_maker_is_named_or_made(
    task: str, model: Path, mnist: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.tflite").touch()
    given = [] if task == "inspect" else ["--data", mnist]
    for path, what in (
        (tmp_path / "none.tflite", "no such file"), (tmp_path / "empty.tflite", "is empty"),
        (model, "is not a .tflite model"),
    ):  # fmt: skip
        capfd.readouterr()
        assert convert_main([task, str(path), *given]) == 1
        assert capfd.readouterr().err == (
            f"edge-convert: {path}: {what}; name a .tflite file, or make one of a Keras model with edge-convert"
            " MODEL.h5\n"
        )


@pytest.mark.parametrize("task", ["convert", "adopt", "inspect"])
def test_mnist_is_downloaded_before_the_process_that_has_no_network(
    task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []

    def answer(task: str, options: dict[str, Any], folder: Path, debug: bool) -> dict[str, str]:
        asked.append(options)
        return {"error": "seen"}

    monkeypatch.setattr(confined, "_answer", answer)
    monkeypatch.setattr(confined.mnist, "downloaded", lambda: tmp_path / "mnist.npz")
    monkeypatch.chdir(tmp_path)
    Path("m.tflite").touch()
    assert convert_main(
        [*([] if task == "convert" else [task]), "m.tflite", *(["-o", "x"] if task != "inspect" else [])]
    )
    assert asked[0].get("data") == (None if task == "inspect" else str(tmp_path / "mnist.npz"))


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


def test_a_fresh_process_says_nothing_on_stderr_also_if_its_reader_goes_early(model: Path, mnist: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    command = " ".join(map(shlex.quote, run("convert_main", str(model), "--data", mnist)))
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} | true"], capture_output=True, text=True, cwd=ROOT, env=environment
    )
    assert (done.returncode, done.stderr) == (0, "") and model.with_suffix(".tflite").exists()


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
    assert training.returncode == 130 and time.monotonic() - asked < 10, err
    assert all(line.startswith("epoch ") for line in err.splitlines()), err
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["t.checkpoint.keras", "t.progress.jsonl", "train.py"], "and the next one goes on from there"
    lines = (tmp_path / "t.progress.jsonl").read_text("utf-8").splitlines(keepends=True)
    assert [json.loads(line)["epoch"] for line in lines] == list(range(1, len(lines) + 1)) and lines[-1].endswith("\n")


@pytest.mark.parametrize(
    ("name", "best"),
    # Of Keras 2.2.4, 3.3 (784 numbers) and 2.14 (three channels); the accuracy on 2,000 digits that models.csv gives.
    [("mnist__C3NZ__mnist-nn.h5", 0.967), ("mnist_model__4bumuhammad__python-keras-mnist-classifier.h5", 0.9685),
     ("mnist_model__Crist1128__Handwritten-numeral-recognition.h5", 0.9905)],
)  # fmt: skip
def test_models_that_people_published_keep_what_they_can(name: str, best: float, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.tflite"
    assert convert_main([str(data / "keras_models" / name), "-o", str(out), "--data", str(data / "mnist")]) == 0
    digits = load_mnist(str(data / "mnist"))
    with Model(out) as quantised:
        right = (quantised.predict(digits.test[:2000]).argmax(1) == digits.test_labels[:2000]).mean()
        assert right > best - 0.003
        assert quantised.card.evaluation["mnist"]["agreement"] >= 0.995
        assert quantised.card.evaluation["synthetic_camera"]["accuracy"] > best - 0.02
    # And the file reads photographs with no further word.
    photographs = load_labelled(data / "photos" / "single" / "labels.csv")[:20]
    with Reader(out) as reader:
        assert sum(reader.read(one.frame).text == one.text for one in photographs) >= 14


@pytest.mark.parametrize(
    ("name", "reason"),
    [("lenet5__Lucas1Jorge__Lenet-5_Handwritten_CT213.h5", "has weights only, no architecture")],
)  # fmt: skip
def test_published_models_that_cannot_be_loaded_say_why(
    name: str, reason: str, data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "m.tflite")
    capfd.readouterr()
    assert convert_main([str(data / "keras_models" / name), "-o", out, "--data", str(data / "mnist")]) == 1
    assert reason in capfd.readouterr().err and not list(tmp_path.iterdir())
