"""run.py believes a machine only where every check that was planned came, and came out well."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.machine import run

BOOTING = "\x1b[!p\x1b]104\a\x1b[?7h"


def booted(tmp_path: Path, *lines: str) -> str:
    (tmp_path / "console").write_text("\r\n".join(lines) + "\r\n")
    return run.boot(["cat", str(tmp_path / "console")], {})


def test_all_is_well_where_every_check_is(tmp_path):
    assert booted(tmp_path, f"{BOOTING}1..2", "ok 1 - one (0 s)", "[  3.1] kernel: hm", "ok 2 - two (1 s): 2") == ""


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["1..2", "ok 1 - one", "not ok 2 - two", "# why"], "1 of 2 checks failed"),
        (["1..2", "ok 1 - one"], "1 of 2 checks came, 0 of them failed"),
        (["1..2", "ok 2 - two", "ok 2 - two"], "2 of 2 checks came, 0 of them failed"),
        (["1..2", "ok 1 - one", "ok 2 - two", "ok 3 - three"], "3 of 2 checks came, 0 of them failed"),
        (["Kernel panic"], "0 of all checks came, 0 of them failed"),
    ],
)
def test_what_is_missing_or_failed_is_said(tmp_path, lines, said):
    assert booted(tmp_path, *lines) == said


@pytest.mark.skipif(not (run.ROOT / ".git").exists(), reason="no git checkout: nothing says what belongs to the tree")
def test_the_tree_as_it_is_and_the_pages_are_what_the_machine_gets(tmp_path):
    run.snapshot(tmp_path / "project")
    listed = subprocess.run(
        ["git", "ls-files"], cwd=tmp_path / "project", check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert {"systemd/install.sh", "tests/machine/inside.py", "edge/__init__.py"} <= set(listed)
    for page in (run.PAGE, run.OTHER):
        pictures = {(tmp_path / "project" / name).read_bytes() for name in listed if f"pages/{page}/" in name}
        assert len(pictures) == run.FRAMES, "each with its own noise: the same one again would be a frozen camera"


def test_a_tool_that_is_not_there_is_one_line(tmp_path):
    command = [sys.executable, "-m", "tests.machine.run", tmp_path / "none"]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, cwd=run.ROOT)
    assert done.returncode == 1 and not done.stdout
    assert done.stderr.startswith(f"machine: {tmp_path / 'none'}: no such program") and done.stderr.count("\n") == 1
