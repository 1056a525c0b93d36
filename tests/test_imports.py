"""Imports point down, each dependency has one door, and `edge` needs nothing of the workstation's."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LEVELS = {
    "errors": 0,
    "types": 1,
    "uri": 1,
    "quiet": 1,
    "closing": 1,
    "process": 1,
    "controls": 3,
    "address": 2,
    "broker": 3,
    "backoff": 1,
    "stopwatch": 1,
    "board": 1,
    "vision": 2,
    "forms": 2,
    "scene": 2,
    "hands": 3,
    "strokes": 4,
    "state": 3,
    "limits": 3,
    "damage": 3,
    "entry": 1,
    "lock": 2,
    "outlet": 2,
    "eventfile": 4,
    "keeper": 5,
    "store": 6,
    "history": 5,
    "corrections": 6,
    "export": 7,
    "tuning": 5,
    "golden": 5,
    "trial": 6,
    "kept": 4,
    "swap": 9,
    "card": 3,
    "images": 3,
    "schema": 3,
    "cover": 3,
    "places": 2,
    "tracking": 3,
    "tracker": 4,
    "still": 4,
    "model": 4,
    "candidates": 5,
    "doubt": 6,
    "look": 7,
    "settings": 4,
    "reader": 8,
    "sources": 5,
    "publishers": 5,
    "annotate": 9,
    "tune": 9,
    "watch": 9,
    "metrics": 9,
    "service": 9,
    "doctor": 9,
    "check": 10,
    "loop": 9,
    "viewer": 10,
    "web": 11,
    "running": 12,
    "demo": 13,
    "bench": 13,
    "commands": 14,
    "cli": 15,
}
"""A room imports only rooms of a lower level, or of its own folder."""
WORKSHOP = {
    "datasets": 0,
    "whole": 0,
    "progress": 0,
    "terminal": 0,
    "workers": 0,
    "names": 0,
    "blocks": 0,
    "flatbuffer": 0,
    "printed": 0,
    "photographs": 0,
    "taught": 1,
    "checkpoint": 1,
    "temperature": 1,
    "verify": 1,
    "runtimes": 1,
    "augment": 1,
    "load": 2,
    "convention": 2,
    "inspect": 2,
    "seen": 2,
    "nondigits": 2,
    "scoreboard": 2,
    "train": 3,
    "quantise": 3,
    "material": 4,
    "attempts": 4,
    "pipeline": 5,
    "report": 6,
    "cli": 7,
}
"""The same for ``convert/``, which may import ``edge`` besides."""
DOORS = {
    "picamera2": {"edge/sources/picamera.py"},
    "libcamera": {"edge/sources/picamera.py"},
    "ai_edge_litert": {"edge/model/classifier.py", "convert/tflite/flatbuffer.py"},
    "tflite_runtime": {"edge/model/classifier.py"},
    "paho": {"edge/mqtt/connection.py"},
    "prometheus_client": {"edge/running/metrics.py"},
    "starlette": {f"edge/web/{name}.py" for name in ("guard", "site", "slide", "teach", "upload")},
    "uvicorn": {"edge/web/server.py"},
    "pydantic": {"edge/settings.py"},
    "pydantic_settings": {"edge/settings.py"},
}
WORKSTATION = {"tensorflow", "keras", "tf_keras", "convert", "h5py", "matplotlib", "PIL", "rich"}
FILES = sorted((ROOT / "edge").rglob("*.py"))
WORKSHOP_FILES = sorted((ROOT / "convert").rglob("*.py"))


def imports(path: Path, package: str = "edge") -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            of = [f"{package}.{name.name}" for name in node.names]
            yield from of if node.module == package else [node.module or ""]


def room(path: Path, package: str = "edge") -> str:
    return path.relative_to(ROOT / package).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    if path == ROOT / "edge" / "__init__.py":
        return
    here = room(path)
    for name in imports(path):
        parts = name.split(".")
        if parts[0] != "edge" or len(parts) < 2 or parts[1] == "__version__":
            continue
        assert parts[1] in LEVELS, f"{path}: give {parts[1]} a level"
        assert parts[1] == here or LEVELS[parts[1]] < LEVELS[here], f"{path}: {here} imports {name}"


@pytest.mark.parametrize("path", WORKSHOP_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down_on_the_workstation_too(path: Path) -> None:
    here = room(path, "convert")
    for name in imports(path, package="convert"):
        parts = name.split(".")
        if parts[0] == "convert" and len(parts) > 1:
            assert parts[1] == here or WORKSHOP[parts[1]] < WORKSHOP[here], f"{path}: {here} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_dependency_has_one_door_and_the_pi_needs_no_workstation(path: Path) -> None:
    place = path.relative_to(ROOT).as_posix()
    for name in imports(path):
        package = name.split(".")[0]
        assert package not in WORKSTATION, f"{place} imports {name}"
        assert place in DOORS.get(package, {place}), f"{place} imports {name}"


def test_vision_is_pure() -> None:
    for path in (ROOT / "edge" / "vision").glob("*.py"):
        packages = {name.split(".")[0] for name in imports(path)}
        pure = {"__future__", "cv2", "numpy", "edge", "dataclasses", "typing", "collections", "statistics", "math"}
        assert packages <= pure, path


def test_tensorflow_is_only_under_convert() -> None:
    users = {
        path.relative_to(ROOT).parts[0]
        for folder in ("edge", "convert")
        for path in (ROOT / folder).rglob("*.py")
        for name in imports(path)
        if name.split(".")[0] in {"tensorflow", "keras", "tf_keras"}
    }
    assert users == {"convert"}


BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {names!r}:
            raise ModuleNotFoundError(f'No module named {{name!r}} (as on a Pi)', name=name)
sys.meta_path.insert(0, Blocked())
from edge.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_edge_runs_where_tensorflow_is_not(tmp_path: Path) -> None:
    """`edge run` on synthetic pages in a process that cannot import anything of the workstation's."""
    program = BLOCKED.format(names=WORKSTATION)
    command = [sys.executable, "-W", "error", "-c", program, "run", "--source", "synthetic:?seed=3", "--frames", "3"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    )
    assert done.stderr == ""
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 3
