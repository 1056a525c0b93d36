"""What is built depends on the userland, which no marker in pyproject.toml can see.

A Raspberry Pi 4 with 32-bit Raspberry Pi OS runs a 64-bit kernel: there ``platform_machine`` is aarch64, but pip takes
wheels for 32 bits. So the word size of the Python that builds decides which packages are required, and the wheel is
tagged for machines of that size; pip builds a new one from the sources on others.
"""

from __future__ import annotations

import platform
import struct
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface
from packaging.tags import platform_tags

BITS = 8 * struct.calcsize("P")
"""32 or 64: the word size of this Python, and so of the libraries that it loads."""
FROM_APT = {"cv2": "python3-opencv", "numpy": "python3-numpy", "pydantic_core": "python3-pydantic-settings"}
"""Modules of which pip has no wheel for 32 bits -> Debian's package."""
LITERT = ("x86_64", "aarch64")
"""Processors for which there is LiteRT."""


class Dependencies(MetadataHookInterface):
    """Which packages are required: the ones in pyproject.toml for everywhere, and those for this word size."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Called by hatchling."""
        metadata["dependencies"] = required(self.config, BITS)


class Wheel(BuildHookInterface):
    """Which machines the wheel is for. Building ends with one line where the program could not run."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling."""
        lacking = lacks(BITS, platform.machine())
        if lacking:
            raise SystemExit(refusal(lacking))
        build_data["tag"] = f"py3-none-{tag(BITS, platform.machine(), list(platform_tags()))}"


def required(config: Mapping[str, list[str]], bits: int) -> list[str]:
    """The requirements on a machine of this word size."""
    return [*config["everywhere"], *config[f"bits-{bits}"]]


def tag(bits: int, machine: str, own: list[str]) -> str:
    """The platforms of a wheel, of which ``own`` are those of this machine."""
    wide = [f"manylinux_2_17_{processor}" for processor in LITERT]
    if bits == 64 and f"manylinux_2_17_{machine}" in {*wide} & {*own}:
        return ".".join(wide)
    # A 64-bit processor with 32-bit programs is armv8l for newer pips, but armv7l for all.
    return next((one for one in own if one.startswith("linux_")), own[0]).replace("armv8l", "armv7l")


def lacks(bits: int, machine: str) -> list[str]:
    """Debian's packages that have to be there first: none with 64 bits."""
    if bits == 64:
        return []
    # pip has a wheel of pydantic-core for ARMv7, but not for the ARMv6 of a Pi Zero.
    modules = [
        module for module in FROM_APT if module != "pydantic_core" or not machine.startswith(("armv7", "aarch64"))
    ]
    program = f"import importlib.util as u; print(*(m for m in {modules} if not u.find_spec(m)))"
    # Isolated: as the program will be, not as pip builds it.
    done = subprocess.run([sys.executable, "-I", "-c", program], stdout=subprocess.PIPE, text=True, check=True)
    return [FROM_APT[module] for module in done.stdout.split()]


def refusal(packages: list[str]) -> str:
    """What to do, on one line."""
    return (
        f"edge-digits: for 32 bits, pip lacks what apt has: sudo apt install -y {' '.join(packages)}, and make the"
        " virtual environment with --system-site-packages; or use a 64-bit system"
    )
