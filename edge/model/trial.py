"""Tries a model in a process of its own: a damaged file may crash, hang or bloat whoever loads it.

``python -m edge.model.trial THREADS SECONDS RUNTIME FILE`` is that process: it loads the file (``-``: the bytes from
stdin), lets it read the golden digits, and prints what it found as one line of JSON on stdout.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import ModelError
from edge.system.text import one_line

SECONDS = 45
"""A trial that computes for longer is ended. A Pi Zero needs about ten, mostly to import."""
CLOCK_FACTOR = 4
"""It may take so many times as long by the clock: where there is one core, whoever reads has most of it."""
GRACE_SECONDS = 5.0
"""So many seconds more until it is ended from outside, where it could not end itself."""
HEADROOM_BYTES = 256 * 2**20
"""So many bytes a model may take beyond what an empty process has; the packaged one takes 10 MB."""
NICE = 10
"""Reading goes on beside it, and comes first."""
_OOM_FIRST = "1000"
"""The greatest oom_score_adj (proc(5)): where memory runs out, this process goes and not the one that reads."""
_REPORT_BYTES = 10_000
EMPTY_ANSWER: dict[str, Any] = {"here": True, "version": "", "model": "", "right": 0, "asked": 0, "error": ""}
"""What the process of its own says: whether the runtime is installed, its name and version, the model's name, how many
golden digits it read of how many; or why it is refused."""


@dataclass(frozen=True, slots=True)
class TrialResult:
    """A model that may be used."""

    name: str
    """Its card's name and the start of its hash."""
    runtime: str
    """What ran it: ``ai-edge-litert 2.1.0``."""
    right: int
    """So many of the golden digits it read,"""
    asked: int
    """of so many."""


def trial_command(file: str = "-", *, runtime: str = "", threads: int = 1, seconds: int = SECONDS) -> list[str]:
    """The command that tries a file; without ``runtime`` with the first one installed, empty ``file``: the packaged."""
    return [sys.executable, "-P", "-m", "edge.model.trial", str(threads), str(seconds), runtime, file]


def try_model(content: bytes, where: str, *, threads: int = 1, seconds: int = SECONDS) -> TrialResult:
    """Try the bytes of a model, of a file named ``where``. Raises ModelError, one line that says why it is refused."""
    environment = dict(os.environ)
    # The child finds the same edge, however this process did.
    ours = str(Path(__file__).parents[2])
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [ours, environment.get("PYTHONPATH", "")]))
    try:
        with subprocess.Popen(
            trial_command(threads=threads, seconds=seconds),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        ) as process:
            try:
                out, said = process.communicate(content, timeout=CLOCK_FACTOR * seconds + GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                out, said = process.communicate()
                process.returncode = -signal.SIGALRM
    except OSError as error:
        raise ModelError(f"{where}: could not be tried ({error.strerror or error}); try again") from error
    problem = signal_problem(process.returncode, seconds) or _last_line(said if process.returncode else b"")
    answer = parse_answer(out)
    if process.returncode or not answer:
        raise ModelError(f"{where}: {problem or 'gave no answer when it was tried'}; convert the model again")
    if answer["error"]:
        # The child, which knows no name, has called it so.
        raise ModelError(f"{where}: {str(answer['error']).removeprefix('-: ')}")
    return TrialResult(answer["model"], answer["version"], answer["right"], answer["asked"])


def signal_problem(status: int, seconds: int = SECONDS) -> str:
    """How a process that was tried in ended, by its exit status; empty where it ended by itself."""
    if status >= 0:
        return ""
    if -status == signal.SIGPROF:
        return f"gave no answer within {seconds} s of computing"
    if -status == signal.SIGALRM:
        return f"gave no answer within {CLOCK_FACTOR * seconds} s"
    if -status == signal.SIGKILL:
        return "was killed when it was tried, as happens where memory runs out"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"crashes the TFLite runtime ({name})"


def parse_answer(out: bytes | str) -> dict[str, Any] | None:
    """The answer on the last line of a trial's stdout; None where it did not get there."""
    try:
        answer = json.loads(_last_line(out))
    except ValueError:
        return None
    return answer if isinstance(answer, dict) and answer.keys() >= EMPTY_ANSWER.keys() else None


def _last_line(text: bytes | str) -> str:
    text = text.decode(errors="replace") if isinstance(text, bytes) else text
    return (text.strip().splitlines() or [""])[-1][-_REPORT_BYTES:].strip()


def main(arguments: Sequence[str]) -> None:
    """The process of its own: prints what it found."""
    threads, seconds, runtime, file = arguments
    # Without handlers, so that they end even a loop within the runtime.
    signal.setitimer(signal.ITIMER_PROF, int(seconds))
    signal.alarm(CLOCK_FACTOR * int(seconds))
    _lower_priority()
    answer = dict(EMPTY_ANSWER)
    try:
        _run_trial(answer, runtime, int(threads), file)
    except ModelError as error:
        answer["error"] = str(error)
    except MemoryError:
        answer["error"] = f"{file}: needs more than {HEADROOM_BYTES // 2**20} MiB; make a smaller one with edge-convert"
    except Exception as error:
        # Whatever a damaged file comes to in the runtime or in NumPy.
        why = one_line(error, 200) or type(error).__name__
        answer["error"] = f"{file}: does not run ({why}); convert the model again"
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    # Its interpreter, damaged perhaps, is not taken apart.
    os._exit(0)


def _run_trial(answer: dict[str, Any], runtime: str, threads: int, file: str) -> None:
    from importlib.metadata import version
    from importlib.util import find_spec

    if runtime and not find_spec(runtime):
        answer["here"] = False
        return
    from edge.model import golden_digits
    from edge.model.classifier import Model, content_of, interpreter_class, packaged_model

    package = interpreter_class(runtime or None).__module__.partition(".")[0].replace("_", "-")
    answer["version"] = f"{package} {version(package)}"
    path = Path(file) if file else packaged_model()
    content = sys.stdin.buffer.read() if file == "-" else content_of(path)
    golden_digits.golden_glyphs()
    _limit_memory()
    with Model(path, threads=threads, runtime=runtime or None, content=content) as model:
        score = golden_digits.score(model)
        answer.update(right=score.right, asked=score.asked)
        if score.problem:
            raise ModelError(f"{model.path}: {score.problem}; convert the model again, or train it")
        answer["model"] = model.name


def _lower_priority() -> None:
    """Be the first to go, and the last to run; where a sandbox refuses either, it is done without."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_OOM_FIRST)
    with contextlib.suppress(OSError):
        os.nice(NICE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_memory() -> None:
    """Not much more memory than it has now: RLIMIT_DATA counts what is private and writable, see getrlimit(2)."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        pages = int(Path("/proc/self/statm").read_text().split()[5])
        most = pages * resource.getpagesize() + HEADROOM_BYTES
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


if __name__ == "__main__":
    main(sys.argv[1:])
