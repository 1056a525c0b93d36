"""Runs other programs with a time limit: a driver that hangs must not hang this one."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

SECONDS = 4.0
"""Time limit of a command. Chosen: beyond it a driver hangs, or the machine is too busy to be checked."""
MISSING, TIMED_OUT = 127, 124
"""Exit statuses for a command that does not exist (as of the shell) and one that was ended (as of timeout(1))."""


class Done(NamedTuple):
    """The result of a command."""

    status: int
    """0 success; MISSING; TIMED_OUT; below 0 the number of the signal that ended it; otherwise its own status."""
    out: str = ""
    """Its stdout."""
    error: str = ""
    """Its stderr."""


def run(command: Sequence[str], *, seconds: float = SECONDS, **variables: str) -> Done:
    """Run a command without input, with output in English, with more environment variables. Raises nothing."""
    try:
        started = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=_environment({**os.environ, **variables}),
            start_new_session=True,
        )
    except OSError as error:
        return Done(MISSING, "", error.strerror or str(error))
    try:
        out, errors = started.communicate(timeout=seconds)
        return Done(started.returncode, out, errors)
    except subprocess.TimeoutExpired:
        _kill(started)
        return Done(TIMED_OUT, "", f"no answer within {seconds:g} s")
    except BaseException:
        # Ctrl-C reaches only us, as the command has a session of its own.
        _kill(started)
        raise


def _kill(started: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(started.pid, signal.SIGKILL)
    # A process that hangs in a driver cannot be killed; it is left behind.
    with contextlib.suppress(subprocess.TimeoutExpired):
        started.communicate(timeout=0.5)


def python(program: str, *arguments: str) -> list[str]:
    """The command that runs a program in a Python process of its own, which imports the same ``edge``."""
    return [sys.executable, "-P", "-c", program, *arguments]


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    """Our variables, changed so that Python imports the same edge and libcamera logs only errors."""
    places = [str(Path(__file__).parents[2]), ours.get("PYTHONPATH", "")]
    quiet = {"LC_ALL": "C.UTF-8", "LIBCAMERA_LOG_LEVELS": "*:ERROR"}
    return {**ours, **quiet, "PYTHONPATH": os.pathsep.join(filter(None, places))}
