"""Imports point down, each dependency has one door, and `edge` needs nothing of the workstation's.

The floors are those of the tables in CONTRIBUTING.md: a folder, or a module that stands directly in `edge/` or
`convert/`, imports only what stands below it there. Within a folder no imports go round in a circle.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("edge", "convert")
DOORS = {
    "picamera2": {"edge/sources/picamera.py"},
    "libcamera": {"edge/sources/picamera.py"},
    "ai_edge_litert": {"edge/model/runtime.py", "convert/tflite/flatbuffer.py"},
    "tflite_runtime": {"edge/model/runtime.py"},
    "paho": {"edge/mqtt/client.py", "edge/mqtt/connection.py"},
    "prometheus_client": {"edge/running/metrics.py"},
    "starlette": {path.relative_to(ROOT).as_posix() for path in (ROOT / "edge" / "web").glob("*.py")},
    "uvicorn": {"edge/web/bounded_server.py", "edge/web/connection.py"},
    "pydantic": {"edge/settings.py"},
    "pydantic_settings": {"edge/settings.py"},
}
WORKSTATION = {"tensorflow", "keras", "tf_keras", "convert", "h5py", "matplotlib", "PIL", "rich"}
MOST_MODULES = 10
"""Python files that stand directly in `edge/` or `convert/`, at most."""
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def floors() -> dict[str, list[str]]:
    """The rows of CONTRIBUTING.md's tables whose first cell is a folder or module, from the top floor down."""
    rows = re.findall(r"^\| `((edge|convert)/[\w/.]*)` \|", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.MULTILINE)
    return {package: [row for row, of in rows if of == package] for package in PACKAGES}


FLOORS = floors()


def module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module(path): path for path in FILES}


def imports(path: Path) -> Iterator[str]:
    """Every module or member that a file imports, also within functions and for types alone."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{path}: imports are absolute"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def imported(path: Path) -> set[str]:
    """The project's own modules that a file imports."""
    found = set()
    for name in imports(path):
        if name.partition(".")[0] in PACKAGES:
            found.add(name if name in MODULES else name.rpartition(".")[0])
    return found - {module(path)}


def room(name: str) -> str:
    """The row of the table that a module belongs to: its folder, or itself."""
    package, _, inner = name.partition(".")
    first = inner.partition(".")[0]
    return (
        f"{package}/{first}/" if (ROOT / package / first).is_dir() and first else f"{package}/{first or '__init__'}.py"
    )


@pytest.mark.parametrize("package", PACKAGES)
def test_the_tables_name_each_folder_and_module_once(package: str) -> None:
    there = {room(name) for name in MODULES if name.partition(".")[0] == package}
    assert sorted(FLOORS[package]) == sorted(there)


@pytest.mark.parametrize("package", PACKAGES)
def test_few_modules_stand_directly_in_a_package(package: str) -> None:
    assert len(list((ROOT / package).glob("*.py"))) <= MOST_MODULES


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    package, here = module(path).partition(".")[0], room(module(path))
    for name in imported(path):
        there = room(name)
        if name.partition(".")[0] == package and there != here:
            assert FLOORS[package].index(there) > FLOORS[package].index(here), f"{path}: {here} imports {name}"


def test_no_imports_go_round_in_a_circle() -> None:
    try:
        TopologicalSorter({module(path): imported(path) for path in FILES}).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_dependency_has_one_door_and_the_pi_needs_no_workstation(path: Path) -> None:
    place = path.relative_to(ROOT).as_posix()
    if not place.startswith("edge/"):
        return
    for name in imports(path):
        package = name.split(".")[0]
        assert package not in WORKSTATION, f"{place} imports {name}"
        assert place in DOORS.get(package, {place}), f"{place} imports {name}"


def test_vision_is_pure() -> None:
    for path in (ROOT / "edge" / "vision").glob("*.py"):
        packages = {name.split(".")[0] for name in imports(path)}
        pure = {"__future__", "cv2", "numpy", "edge", "dataclasses", "typing", "collections", "heapq", "math"}
        assert packages <= pure, path


def test_tensorflow_is_only_under_convert() -> None:
    users = {
        path.relative_to(ROOT).parts[0]
        for path in FILES
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
