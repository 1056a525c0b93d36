"""The lock is whole: all that pyproject.toml requires, everywhere that the service is installed, with hashes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.supply.declared import ROOT, declared
from tests.supply.lock import BUILD_LOCK, LOCK, LOCK_32, read

MACHINES = {
    "bookworm": ("3.11", "x86_64"),
    "bookworm-arm64": ("3.11", "aarch64"),
    "noble": ("3.12", "x86_64"),
    "trixie": ("3.13", "x86_64"),
    "trixie-arm64": ("3.13", "aarch64"),
}
"""Python and processor. With 32 bits, all comes from apt but for Bookworm, which has a lock of its own."""
KERNELS = ("armv7l", "armv8l", "aarch64")
"""What a 32-bit Python may run on: its markers are the kernel's."""
APT = {"numpy": "1.24.2"}
"""What comes from Bookworm's apt and stands in requirements of pip's, too."""
LIMITS = (ROOT / "systemd" / "bookworm.txt").read_text("utf-8").splitlines()


def environment(python: str, machine: str) -> dict[str, str]:
    return {
        "python_version": python,
        "python_full_version": f"{python}.2",
        "platform_machine": machine,
        "sys_platform": "linux",
        "platform_system": "Linux",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "os_name": "posix",
        "extra": "",
    }


def installed(path: Path, where: dict[str, str]) -> dict[str, str]:
    """name -> version of what pip takes from a lock on such a machine; each name once."""
    there = [one for one in read(path) if not one.requirement.marker or one.requirement.marker.evaluate(where)]
    assert len({one.name for one in there}) == len(there), "two versions of one package"
    return {one.name: one.version for one in there}


def missing(requirements: list[str], found: dict[str, str], where: dict[str, str]) -> list[str]:
    """The requirements that these versions do not fulfil on such a machine."""
    lacks = []
    for one in map(Requirement, requirements):
        version = found.get(canonicalize_name(one.name))
        is_wanted = not one.marker or one.marker.evaluate(where)
        if is_wanted and (version is None or not one.specifier.contains(version, prereleases=True)):
            lacks.append(str(one))
    return lacks


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_each_machine_gets_what_the_project_requires(machine: tuple[str, str]) -> None:
    where = environment(*machine)
    found = installed(LOCK, where)
    assert missing(declared(), found, where) == [], "run: make lock"
    limits = [line for line in LIMITS if line and not line.startswith("#")]
    assert len(limits) == 2 and missing(limits, found, where) == []
    assert missing(declared("build"), installed(BUILD_LOCK, where), where) == []


@pytest.mark.parametrize("kernel", KERNELS)
def test_32_bit_bookworm_gets_what_the_project_requires(kernel: str) -> None:
    where = environment("3.11", kernel)
    found = installed(LOCK_32, where)
    assert "tflite-runtime" in found and not {"ai-edge-litert", "opencv-python-headless", "numpy"} & found.keys()
    assert missing(declared("bits-32"), {**APT, **found}, where) == [], "run: make lock"
    assert missing(declared("build"), installed(BUILD_LOCK, where), where) == []


def test_both_locks_have_the_same_versions() -> None:
    where = environment("3.11", "aarch64")
    both = installed(LOCK, where)
    assert {name: both.get(name, version) for name, version in installed(LOCK_32, where).items()} == installed(
        LOCK_32, where
    )


def test_a_requirement_that_the_lock_does_not_fulfil_is_seen() -> None:
    where = environment("3.11", "aarch64")
    found = installed(LOCK, where)
    assert missing(["starlette>=999", "pyserial", "numpy>=2; python_version >= '3.12'"], found, where) == [
        "starlette>=999",
        "pyserial",
    ]


def test_what_the_tests_run_with_needs_no_more_than_is_locked() -> None:
    """The packages that are installed here in the locked version say what they need themselves."""
    from importlib.metadata import PackageNotFoundError, requires, version
    from platform import machine, python_version_tuple

    where = environment(".".join(python_version_tuple()[:2]), machine())
    found = {**installed(LOCK, where), **installed(BUILD_LOCK, where)}
    for name, locked in found.items():
        try:
            needed = (requires(name) or []) if version(name) == locked else []
        except PackageNotFoundError:
            continue
        assert missing(needed, found, where) == [], f"{name} {locked} needs what is not locked"


@pytest.mark.parametrize("path", [LOCK, LOCK_32, BUILD_LOCK], ids=lambda path: path.name)
def test_no_line_names_a_place_and_each_has_hashes(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"://|^-|@ ", text, re.MULTILINE), "an index, an option or an address"
    assert read(path)


@pytest.mark.parametrize("line", ["numpy>=2 --hash=sha256:" + 64 * "0", "numpy==2.0", "numpy==2.* --hash=sha256:00"])
def test_a_line_without_one_version_or_hashes_is_refused(line: str, tmp_path: Path) -> None:
    (tmp_path / "lock.txt").write_text(line)
    with pytest.raises(ValueError, match="is not one version with hashes"):
        read(tmp_path / "lock.txt")
