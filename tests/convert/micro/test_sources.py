"""The C++ files for microcontrollers, compiled with stand-ins for TFLM's headers (``stub/``) and run."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from convert.micro import sources
from convert.micro.facts import Facts
from convert.micro.operators import OPERATORS
from edge.model.card import Card
from edge.model.classifier import probabilities
from edge.model.preprocessing import Preprocessor, image_shape
from tests.support import small

COMPILER = shutil.which("g++") or shutil.which("clang++")
FLAGS = ("-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror", "-I", str(Path(__file__).parent / "stub"))
LOGITS = Facts(
    model_bytes=1000, input_shape=(1, 28, 28, 1), input_scale=float(np.float32(1 / 255)), input_zero=-128,
    output_scale=0.1, output_zero=3, classes=10, operators=tuple(OPERATORS), arena_bytes=4000,
)  # fmt: skip
FINER = replace(
    LOGITS, input_scale=0.03, input_zero=-10, output_scale=1 / 256, output_zero=-128, operators=("CONV_2D",)
)
CARDS = {
    "plain": (Card(output="logits", temperature=0.7), LOGITS),
    # A file's name may be anything; a label too.
    '5 a"\\\n*\\ä%s': (
        Card(paper=2.8, ink=-0.42, transposed=True, labels=('"\\?', *"1234567", "ä1", "none")),
        replace(FINER, input_shape=(1, 784)),
    ),
    "turned": (Card(rotation=90, paper=1, ink=0, output="logits"), replace(LOGITS, input_shape=(1, 28, 28, 1))),
    "mirrored": (
        Card(fit="margin", transposed=True, rotation=270, normalisation="rows"),
        replace(FINER, input_shape=(1, 32, 36, 1)),
    ),
    "larger": (
        Card(fit="margin", transposed=True, normalisation="columns", paper=1, ink=0),
        replace(FINER, input_shape=(1, 32, 36, 3), input_scale=0.01),
    ),
    "channels": (
        Card(fit="margin", normalisation="torch", paper=1, ink=0), replace(FINER, input_shape=(1, 32, 36, 3)),
    ),
    "blue": (
        Card(normalisation="caffe", transposed=True), replace(FINER, input_shape=(1, 28, 28, 3), input_scale=1.0),
    ),
    "cut": (Card(fit="margin", normalisation="image"), replace(FINER, input_shape=(1, 20, 23), input_scale=0.003)),
    "smaller": (Card(fit="resize", temperature=2.0), replace(FINER, input_shape=(1, 14, 10, 1), input_scale=1 / 255)),
    "enlarged": (Card(fit="resize", ink=255), replace(FINER, input_shape=(1, 40, 33, 1), input_scale=1)),
    "mixed": (Card(fit="resize"), replace(FINER, input_shape=(1, 20, 48), input_scale=1 / 255, input_zero=-128)),
    "crop": (Card(fit="crop", ink=16), replace(FINER, input_shape=(1, 8, 8, 1), input_scale=16 / 255)),
    "tall": (Card(fit="crop", ink=255), replace(FINER, input_shape=(1, 40, 12), input_scale=1)),
    "stretch": (
        Card(fit="stretch", normalisation="standard", ink=255), replace(FINER, input_shape=(1, 24, 16)),
    ),
    "rows": (
        Card(fit="stretch", transposed=True, normalisation="rows"), replace(FINER, input_shape=(1, 12, 24, 1)),
    ),
}  # fmt: skip
"""Name of a .tflite -> its card and facts: each way to fit, to normalise and to read the outputs."""
TRANSFORMED = {"smaller", "enlarged", "mixed", "crop", "tall", "stretch", "rows"}
"""Those whose glyphs are scaled: OpenCV rounds otherwise."""


def wanted(name: str, glyphs: np.ndarray) -> np.ndarray:
    """What the reader would feed the model: (n, values) int8."""
    card, facts = CARDS[name]
    detail = {"dtype": np.int8, "quantization": (facts.input_scale, facts.input_zero)}
    return Preprocessor(card, image_shape(facts.input_shape, name), detail)(glyphs).reshape(len(glyphs), -1)


def program(folder: Path, names: list[str]) -> Path:
    """A program that has the example of each of these, and feeds all glyphs of its stdin to each."""
    main = ["#include <cstdio>", "#include <vector>"]
    body = []
    compiled = []
    for name in names:
        card, facts = CARDS[name]
        model = bytes(range(250)) * 4
        out = folder / f"{name}.tflite"
        written = sources.texts(model, card, facts, out)
        assert tuple(written) == sources.paths(out)
        for path, text in written.items():
            path.write_text(text, "ascii")
        header, source, example = written
        compiled.append(source)
        main.append(f'#include "{example.name}"')
        space = sources.space(out)
        body.append(f"""
  if (!{space}::SetUp() || {space}::kModelSize != 1000 || {space}::kModelData[251] != 1) return 1;
  if (reinterpret_cast<std::uintptr_t>({space}::kModelData) % 16) return 2;
  for (const char* label : {space}::kLabels) std::fprintf(stderr, "%s\\n", label);
  for (std::size_t i = 0; i < glyphs.size(); i += 784) {{
    float found[{space}::kClasses];
    const int best = {space}::Read(&glyphs[i], found);
    std::fwrite({space}::interpreter->input(0)->data.int8, 1, {space}::kPixels * {space}::kInputChannels, stdout);
    std::fwrite(found, 4, {space}::kClasses, stdout);
    std::fwrite(&best, 4, 1, stdout);
  }}""")
    main.append("int main() {\n  std::vector<std::uint8_t> glyphs;")
    main.append("  for (int byte; (byte = std::getchar()) != EOF;) glyphs.push_back(static_cast<std::uint8_t>(byte));")
    (folder / "main.cc").write_text("\n".join([*main, *body, "  return 0;\n}\n"]))
    built = folder / "program"
    command = [str(COMPILER), *FLAGS, str(folder / "main.cc"), *map(str, compiled), "-o", str(built)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return built


@pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")
def test_the_example_feeds_and_reads_a_model_as_the_reader_does(tmp_path: Path) -> None:
    glyphs = np.concatenate(
        [small.data().test[:40], np.zeros((1, 28, 28), np.uint8), np.full((1, 28, 28), 255, np.uint8)]
    )
    glyphs[0] = np.arange(784).reshape(28, 28) % 256
    glyphs[1] = 0
    glyphs[1, 3:20, 9] = 200
    done = subprocess.run([program(tmp_path, list(CARDS))], input=glyphs.tobytes(), capture_output=True)
    assert done.returncode == 0
    labels = done.stderr.decode().splitlines()
    at = 0
    for number, (name, (card, facts)) in enumerate(CARDS.items()):
        assert tuple(labels[10 * number : 10 * number + 10]) == card.labels
        inputs = wanted(name, glyphs)
        row = np.dtype([("fed", np.int8, inputs.shape[1]), ("found", np.float32, 10), ("best", np.int32)])
        rows = np.frombuffer(done.stdout, row, len(glyphs), at)
        at += rows.nbytes
        wrong = np.abs(rows["fed"].astype(int) - inputs)
        if name in TRANSFORMED:
            # A level of grey; where a row of one faint pixel becomes 1, that may be much.
            most = wrong.max() if card.normalisation == "none" else np.quantile(wrong, 0.999)
            assert most <= (1 if card.normalisation == "none" else 3) and (wrong == 0).mean() > 0.9, name
        else:
            assert wrong.max() <= (card.normalisation != "none") and (wrong == 0).mean() > 0.999, name
        real = (rows["fed"][:, :10].astype(np.float32) - facts.output_zero) * np.float32(facts.output_scale)
        # Of these outputs, all 0, the reader and the example both make zeros.
        expected = probabilities(real, card.output, card.temperature)
        assert np.allclose(rows["found"], expected, atol=1e-5), name
        assert (rows["best"] == rows["found"].argmax(axis=1)).all()
    assert at == len(done.stdout)


@pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")
def test_the_example_is_a_program_too(tmp_path: Path) -> None:
    for path, text in sources.texts(bytes(1000), *CARDS["plain"], tmp_path / "m.tflite").items():
        path.write_text(text, "ascii")
    command = [str(COMPILER), *FLAGS, "-DEDGE_EXAMPLE_MAIN", "m.cc", "m_example.cc", "-o", "m"]
    subprocess.run(command, check=True, cwd=tmp_path)
    done = subprocess.run([tmp_path / "m"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr.endswith(" %")


@pytest.mark.parametrize(
    ("name", "space", "header"),
    [
        ("mnist.tflite", "mnist_model", "mnist.h"),
        ("Mein Modell (2).tflite", "mein_modell_2_model", "Mein_Modell__2_.h"),
        ("7seg-v1.2.tflite", "model_7seg_v1_2_model", "7seg-v1.2.h"),
        ("int", "int_model", "int.h"),
        ("__init__", "init_model", "__init__.h"),
        ("123.tflite", "model_123_model", "123.h"),
        ("Ä.tflite", "a_model", "A.h"),
        ("e\u0301t\u00e9.tflite", "ete_model", "ete.h"),
        ("Ω.tflite", "omega_model", "omega.h"),
        ("Ψ-2.tflite", "psi_2_model", "psi-2.h"),
        ("Größe ½.tflite", "grose_1_2_model", "Grose_1_2.h"),
        ("数.tflite", "ideograph_6570_model", "ideograph-6570.h"),
        ("___.tflite", "model_model", "model.h"),
        ("\udcfd🙂.tflite", "model_model", "model.h"),
        ('"\n#error.tflite', "error_model", "___error.h"),
    ],
)
def test_any_file_name_gives_names_that_c_takes(name: str, space: str, header: str) -> None:
    out = Path("folder") / name
    assert sources.space(out) == space
    assert [path.name for path in sources.paths(out)] == [
        header, f"{header[:-2]}.cc", f"{header[:-2]}_example.cc"
    ]  # fmt: skip
