"""Which packages are required, and which machines a wheel is for: by Python's word size, not by the kernel's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.supply.declared import ROOT, declared

hatch_build = pytest.importorskip("hatch_build")

BOTH = "manylinux_2_17_x86_64.manylinux_2_17_aarch64"


@pytest.mark.parametrize("bits", [32, 64])
def test_the_hook_requires_what_is_declared(bits: int) -> None:
    import tomllib

    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["metadata"]["hooks"]["custom"]
    names = {line.split(">")[0].split("<")[0] for line in hatch_build.required(config, bits)}
    assert hatch_build.required(config, bits) == declared(f"bits-{bits}")
    assert ("ai-edge-litert" in names, "opencv-python-headless" in names) == (bits == 64, bits == 64)


@pytest.mark.parametrize(
    ("bits", "machine", "own", "expected"),
    [
        (64, "x86_64", ["manylinux_2_36_x86_64", "manylinux_2_17_x86_64", "linux_x86_64"], BOTH),
        (64, "aarch64", ["linux_aarch64", "manylinux_2_17_aarch64"], BOTH),
        (64, "riscv64", ["manylinux_2_39_riscv64", "linux_riscv64"], "linux_riscv64"),
        (64, "x86_64", ["musllinux_1_2_x86_64", "linux_x86_64"], "linux_x86_64"),
        (64, "arm64", ["macosx_14_0_arm64"], "macosx_14_0_arm64"),
        (32, "armv7l", ["manylinux_2_36_armv7l", "linux_armv7l"], "linux_armv7l"),
        # A 64-bit kernel: pip of Bookworm calls it armv7l, newer ones armv8l first.
        (32, "aarch64", ["linux_armv8l", "linux_armv7l"], "linux_armv7l"),
        (32, "armv6l", ["linux_armv6l"], "linux_armv6l"),
    ],
)
def test_a_wheel_is_for_machines_of_its_word_size(bits: int, machine: str, own: list[str], expected: str) -> None:
    assert hatch_build.tag(bits, machine, own) == expected


def test_with_64_bits_nothing_has_to_be_there_first() -> None:
    assert hatch_build.lacks(64, "aarch64") == []


@pytest.mark.parametrize(
    ("machine", "packages"),
    [
        ("armv7l", ["python3-opencv", "python3-numpy"]),
        ("aarch64", ["python3-opencv", "python3-numpy"]),
        ("armv6l", ["python3-opencv", "python3-numpy", "python3-pydantic-settings"]),
    ],
)
def test_with_32_bits_it_says_in_one_line_what_apt_has_to_bring(
    machine: str, packages: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an environment without anything."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "v")], check=True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "v" / "bin" / "python"))
    assert hatch_build.lacks(32, machine) == packages
    said = hatch_build.refusal(packages)
    assert "\n" not in said and f"sudo apt install -y {' '.join(packages)}," in said


def test_where_the_modules_are_nothing_lacks() -> None:
    assert hatch_build.lacks(32, "armv6l") == []
