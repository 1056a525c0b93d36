"""What a contributor types: `make help` names every target, and all scripts are clean."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TARGETS = dict(re.findall(r"^([a-z][a-z0-9-]*):(?!.*:=)(.*)", MAKEFILE, re.MULTILINE))
"""Each target with what stands behind it: the targets that it needs, and ## with its description."""
SCRIPTS = [*ROOT.glob("*.sh"), ROOT / ".ci" / "run", *ROOT.glob("systemd/*.sh"), *ROOT.glob("tests/**/*.sh")]


def test_help_is_the_default_and_lists_each_target() -> None:
    """Only a target that others need, such as ``data``, has no description."""
    command = ["make", "--no-print-directory", "-C", str(ROOT)]
    listed = dict(
        re.fullmatch(r"make (\S+) +(.+)", line).groups()  # type: ignore[union-attr]
        for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    )
    described = {name: rest.partition("## ")[2] for name, rest in TARGETS.items() if "## " in rest}
    assert listed == described and len(listed) > 10
    needed = {word for rest in TARGETS.values() for word in rest.partition("##")[0].split()}
    assert TARGETS.keys() - described.keys() <= needed


def test_no_target_is_a_file() -> None:
    phony = {name for line in re.findall(r"^\.PHONY: (.*)", MAKEFILE, re.MULTILINE) for name in line.split()}
    assert phony == TARGETS.keys()


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is missing: sudo apt install -y shellcheck")
@pytest.mark.parametrize("script", [path for path in SCRIPTS if path.exists()], ids=lambda path: path.name)
def test_scripts_are_clean(script: Path) -> None:
    done = subprocess.run(["shellcheck", str(script)], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_pre_commit_runs_make_check_and_nothing_else() -> None:
    """So it has the same ruff and mypy."""
    config = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")
    assert re.findall(r"entry: (.*)", config) == ["make --no-print-directory check"]
    assert re.findall(r"repo: (.*)", config) == ["local"]


@pytest.mark.skipif(not find_spec("pre_commit"), reason="pre-commit is not installed here; make check brings it")
def test_pre_commit_accepts_its_configuration() -> None:
    command = [sys.executable, "-m", "pre_commit", "validate-config", str(ROOT / ".pre-commit-config.yaml")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
