"""The wheel as a user installs it: whole, in any directory, without TensorFlow."""

import email
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import pytest

from edge.system.version import __version__
from tests.support.patience import patience

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return next(folder.glob("edge_digits-*.whl"))


def test_the_wheel_carries_the_models_and_the_schema(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    code = ("edge/py.typed", "convert/py.typed")
    for name in (*code, "edge/schema/reading.json", "convert/schema/report.json", "convert/schema/progress.json"):
        assert name in names
    assert "convert/report/style.css" in names
    assert not [name for name in names if name.startswith(("tests/", "models/"))]
    for name in ("mnist.tflite", "belief.tflite"):
        assert zipfile.ZipFile(wheel).read(f"edge/models/{name}") == (ROOT / "models" / name).read_bytes()


def test_what_it_says_of_itself(wheel: Path) -> None:
    metadata = email.message_from_bytes(zipfile.ZipFile(wheel).read(f"edge_digits-{__version__}.dist-info/METADATA"))
    assert metadata["License-Expression"] == "Apache-2.0"
    needed = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    names = {re.split(r"[<>=; ]", line)[0] for line in needed}
    runtime = {"ai-edge-litert"}
    libraries = {"numpy", "opencv-python-headless", "paho-mqtt", "prometheus-client", "pydantic-settings"}
    page = {"starlette", "uvicorn"}
    assert names == runtime | libraries | page, "no TensorFlow on a Pi"
    scripts = zipfile.ZipFile(wheel).read(f"edge_digits-{__version__}.dist-info/entry_points.txt").decode()
    assert {line.split(" ")[0] for line in scripts.splitlines() if " = " in line} == {
        "edge",
        "edge-convert",
        "edge-train",
    }


def test_an_installed_edge_reads_in_any_directory(wheel: Path, page, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    site, work = tmp_path / "site", tmp_path / "work"
    work.mkdir()
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    cv2.imwrite(str(work / "desk.png"), page("2357"))
    program = "import edge, sys; from edge.cli import main; print(edge.__file__); sys.exit(main(['read', 'desk.png']))"
    environment = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=work, env=environment, capture_output=True, text=True, timeout=patience(60)
    )
    assert done.stdout.splitlines() == [str(site / "edge" / "__init__.py"), "desk.png: 2357"]
    assert (done.returncode, done.stderr) == (0, "")
