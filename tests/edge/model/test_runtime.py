"""Which TFLite runtime is used, and what stands in for one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from edge.errors import ModelError
from edge.model.runtime import RUNTIMES, STAND_IN, interpreter_class, name_of, refusal_of, title_of
from tests.support.patience import patience

ROOT = Path(__file__).parents[3]


def test_without_a_runtime_numpy_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in RUNTIMES:
        for module in (name, f"{name}.interpreter"):
            monkeypatch.setitem(sys.modules, module, None)
    found = interpreter_class()
    assert name_of(found) == STAND_IN
    assert title_of(found) == f"NumPy {np.__version__} in place of a TFLite runtime"
    assert "a 64-bit system" in refusal_of(found, "it cannot compute LSTM", "use another")


def test_one_that_is_named_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("tflite_runtime", "tflite_runtime.interpreter"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ModelError, match="no TFLite runtime .tflite_runtime."):
        interpreter_class("tflite_runtime")


def test_one_that_is_broken_is_not_replaced_silently(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "interpreter.py").write_text("raise ImportError('libc.so.9: not found')\n")
    broken = ModuleType("ai_edge_litert")
    broken.__path__ = [str(tmp_path)]
    monkeypatch.setitem(sys.modules, "ai_edge_litert", broken)
    monkeypatch.delitem(sys.modules, "ai_edge_litert.interpreter", raising=False)
    with pytest.raises(ModelError, match=r"ai_edge_litert: is installed, but does not load \(libc.so.9: not found\)"):
        interpreter_class()


PROGRAM = """
import sys
for name in {names!r}:
    sys.modules[name] = None
from edge.cli import main
sys.exit(main({arguments!r}))
"""


def edge(names: tuple[str, ...], *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command in a process that lacks some modules."""
    program = PROGRAM.format(names=names, arguments=list(arguments))
    command = [sys.executable, "-W", "error", "-c", program]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=patience(60))


def test_a_photograph_is_read_without_a_runtime(page, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    cv2.imwrite(str(tmp_path / "desk.png"), page("2357"))
    done = edge(RUNTIMES, "read", str(tmp_path / "desk.png"))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{tmp_path / 'desk.png'}: 2357\n", "")


def test_a_module_that_only_apt_has_is_named_with_the_command() -> None:
    done = edge(("cv2",), "read", "desk.png")
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert "sudo apt install -y python3-opencv" in done.stderr
