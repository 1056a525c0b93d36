"""Tries a model in a process of its own, because loading a damaged file may crash, hang or use up the memory.

``python -m edge.model.trial THREADS SECONDS RUNTIME FILE`` is that process. It loads the file, lets the model read the
golden digits, and prints the result as one line of JSON to stdout. With a fifth argument, ``-``, the file's bytes come
from stdin.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import ModelError
from edge.system.text import one_line

SECONDS = 25
"""How much processor time a trial may take, in seconds. A Pi Zero needs about 10, mostly for imports."""
CLOCK_FACTOR = 4
"""How many times SECONDS a trial may take by the clock: on a single core, the process that reads gets most of the time.
Chosen."""
GRACE_SECONDS = 5.0
"""How many seconds after that the process is killed, if it could not end itself. Chosen."""
HEADROOM_BYTES = 256 * 2**20
"""How many bytes a model may use beyond those of the process before it loads the model. The packaged one uses 10 MB."""
NICE = 10
"""How much the priority of the trial is lowered (nice(2)), so that the process that reads comes first. Chosen."""
_OOM_SCORE_ADJ = "1000"
"""The greatest oom_score_adj (proc(5)): if memory runs out, the kernel kills the trial, not the process that reads."""
_MAX_LINE = 10_000
"""How many characters of a line of output are used."""
EMPTY_ANSWER: dict[str, Any] = {
    "here": True, "version": "", "model": "", "right": 0, "asked": 0, "weak": False, "error": "",
    "digit_ms": 0.0,
}  # fmt: skip
"""The fields of the JSON line: whether the runtime is installed, its name and version, the model's name, how many
golden digits it read, how many it was given and how long one took in milliseconds; or why it is refused, and whether
only because it reads too few."""


@dataclass(frozen=True, slots=True)
class TrialResult:
    """The result of a trial that the model has passed."""

    name: str
    """The name on the model's card and the start of its hash; empty if it is weak."""
    runtime: str
    """The runtime that ran it, such as ``ai-edge-litert 2.1.0``."""
    right: int
    """How many golden digits it read."""
    asked: int
    """How many golden digits it was given."""
    weakness: str = ""
    """Why it would be refused, if it may not be weak, with the file's name; empty if it reads enough of them."""


def trial_command(
    file: str, *, runtime: str = "", threads: int = 1, seconds: int = SECONDS, stdin: bool = False
) -> list[str]:
    """The command that tries a file. Empty ``file``: the packaged model; empty ``runtime``: the first one installed.

    ``stdin``: the file's bytes come from stdin, and ``file`` is only its name.
    """
    own = [str(threads), str(seconds), runtime, file, *(["-"] if stdin else [])]
    return [sys.executable, "-P", "-m", "edge.model.trial", *own]


def try_model(
    content: bytes, where: str, *, threads: int = 1, seconds: int = SECONDS, weak: bool = False
) -> TrialResult:
    """Try a model, the bytes of the file named ``where``. Raises ModelError, which says why it is refused.

    ``weak``: it may read few of the golden digits, or none.
    """
    environment = dict(os.environ)
    # So that the child imports the same edge package as this process.
    ours = str(Path(__file__).parents[2])
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [ours, environment.get("PYTHONPATH", "")]))
    try:
        with subprocess.Popen(
            trial_command(where, threads=threads, seconds=seconds, stdin=True),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        ) as process:
            try:
                out, errors = process.communicate(content, timeout=CLOCK_FACTOR * seconds + GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                out, errors = process.communicate()
                process.returncode = -signal.SIGALRM
    except OSError as error:
        raise ModelError(f"{where}: could not be tried ({error.strerror or error}); try again") from error
    problem = signal_problem(process.returncode, seconds) or _last_line(errors if process.returncode else b"")
    answer = parse_answer(out)
    if process.returncode or not answer:
        why = problem or "gave no answer when it was tried"
        raise ModelError(f"{where}: {why}; use another model, or convert this one again")
    if answer["error"] and not (weak and answer["weak"]):
        raise ModelError(str(answer["error"]))
    return TrialResult(answer["model"], answer["version"], answer["right"], answer["asked"], str(answer["error"]))


def signal_problem(status: int, seconds: int = SECONDS) -> str:
    """Which signal ended the trial's process, as words for an error; empty if none did."""
    if status >= 0:
        return ""
    if -status == signal.SIGPROF:
        return f"gave no answer within {seconds} s of computing"
    if -status == signal.SIGALRM:
        return f"gave no answer within {CLOCK_FACTOR * seconds} s"
    if -status == signal.SIGKILL:
        return "was killed when it was tried, as happens when memory runs out"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"crashes the TFLite runtime ({name})"


def parse_answer(out: bytes | str) -> dict[str, Any] | None:
    """The answer, the last line of a trial's stdout; None if there is none."""
    try:
        answer = json.loads(_last_line(out))
    except ValueError:
        return None
    return answer if isinstance(answer, dict) and answer.keys() >= EMPTY_ANSWER.keys() else None


def _last_line(text: bytes | str) -> str:
    text = text.decode(errors="replace") if isinstance(text, bytes) else text
    return (text.strip().splitlines() or [""])[-1][-_MAX_LINE:].strip()


def main(arguments: Sequence[str]) -> None:
    """The trial's process: prints the answer."""
    threads, seconds, runtime, file, *stdin = arguments
    # These signals have no handlers, so they end even an endless loop in the runtime.
    signal.setitimer(signal.ITIMER_PROF, int(seconds))
    signal.alarm(CLOCK_FACTOR * int(seconds))
    _lower_priority()
    answer = dict(EMPTY_ANSWER)
    try:
        _run_trial(answer, runtime, int(threads), file, bool(stdin))
    except ModelError as error:
        answer["error"] = str(error)
    except MemoryError:
        answer["error"] = f"{file}: needs more than {HEADROOM_BYTES // 2**20} MiB; use a smaller model"
    except Exception as error:
        # A damaged file can cause all kinds of errors in the runtime and in NumPy.
        why = one_line(error, 200) or type(error).__name__
        answer["error"] = f"{file}: does not run ({why}); use another model, or convert this one again"
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    # Without the usual clean-up: freeing a damaged interpreter might crash.
    os._exit(0)


def _run_trial(answer: dict[str, Any], runtime: str, threads: int, file: str, stdin: bool) -> None:
    from importlib.util import find_spec

    if runtime and not find_spec(runtime):
        answer["here"] = False
        return
    from edge.model import golden_digits
    from edge.model.classifier import Model, adopting, content_of, packaged_model
    from edge.model.runtime import interpreter_class, title_of

    answer["version"] = title_of(interpreter_class(runtime or None))
    path = Path(file) if file else packaged_model()
    content = sys.stdin.buffer.read() if stdin else content_of(path)
    golden_digits.golden_glyphs()
    _limit_memory()
    with Model(path, threads=threads, runtime=runtime or None, content=content) as model:
        started = time.perf_counter()
        score = golden_digits.score(model)
        milliseconds = 1000 * (time.perf_counter() - started)
        answer.update(right=score.right, asked=score.asked, digit_ms=round(milliseconds / score.asked, 2))
        if score.problem:
            answer["weak"] = True
            advice = "convert the model again, or train it" if model.has_card else adopting(path)
            raise ModelError(f"{path}: {score.problem}; {advice}")
        answer["model"] = model.name


def _lower_priority() -> None:
    """Be the first to be killed and the last to run; go on if a sandbox forbids it."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE_ADJ)
    with contextlib.suppress(OSError):
        os.nice(NICE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_memory() -> None:
    """Limit memory to HEADROOM_BYTES more than now: RLIMIT_DATA counts private writable memory, see getrlimit(2)."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        pages = int(Path("/proc/self/statm").read_text().split()[5])
        limit = pages * resource.getpagesize() + HEADROOM_BYTES
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


if __name__ == "__main__":
    main(sys.argv[1:])
