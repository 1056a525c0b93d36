"""Run the converter in a process of its own that can do no harm, because a model may be made to do some.

``python -m convert.confined`` is that process. It reads files that somebody else made, and writes only into a folder
that the other one, which has read none of them, then empties.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import site
import stat
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any, TextIO

from convert import results
from convert.data import mnist
from convert.micro import sources
from convert.system import command_line, confinement
from convert.system.confinement import Protections
from convert.system.files import atomic_write, make_folder
from edge.errors import ConvertError
from edge.system.text import parse_json, printable

MODEL, FACTS, REPORT = "converted.tflite", "facts.json", "report"
"""Where the results are in the folder of such a process: the file, what a microcontroller needs to know of it, and the
folder of the report."""
REPORT_FILES = ("report.json", "report.html")
"""The files of a report."""
MAX_ANSWER = 10_000_000
"""The longest answer of such a process that is read, in bytes. Chosen: a summary has a few thousand."""
SYSTEM = (
    "/usr", "/lib", "/lib32", "/lib64", "/bin", "/etc/fonts", "/etc/ld.so.cache", "/etc/localtime", "/proc/cpuinfo",
    "/proc/meminfo", "/proc/self", "/proc/stat", "/sys/devices/system", "/dev/random", "/dev/urandom", "/dev/zero",
)  # fmt: skip
"""What Python, NumPy and TensorFlow read of the system."""
STYLES = re.compile(r"(\x1b\[[01]m)")
"""What rich writes for bold text: the only commands that are let through to a terminal."""
CLEARED = "\r\x1b[K\x1b[?25h"
"""Clears the line of the progress on a terminal, and shows the cursor, which rich hides."""


def run(task: str, options: dict[str, Any], debug: bool) -> str:
    """Do a task of TASKS with these options in a process of its own, and put its results in their places.

    Returns the text for stdout. Raises ConvertError: what the process says, or how it ended; DataError if ``data`` is
    None and MNIST cannot be downloaded.
    """
    if "data" in options and options["data"] is None and Path(options["model"]).exists():
        # The process has no network. Of a model that is not there it says so, without MNIST.
        options = {**options, "data": str(mnist.downloaded())}
    with TemporaryDirectory(prefix="edge-convert-") as name:
        folder = Path(name)
        answer = _answer(task, options, folder, debug)
        if task == "convert":
            _keep_report(folder / REPORT, options["report"])
        if problem := answer.get("error"):
            raise ConvertError(str(problem))
        if task in ("convert", "adopt"):
            content = _content(folder / MODEL)
            results.check_tflite(content, MODEL)
            written = {options["output"]: content}
            if options.get("target") == "tflm":
                card, facts = results.checked_facts(FACTS, _content(folder / FACTS), content)
                made = sources.texts(content[: facts.model_bytes], card, facts, options["output"])
                written |= {path: text.encode("ascii") for path, text in made.items()}
            with contextlib.ExitStack() as whole:
                for path, data in written.items():
                    whole.enter_context(atomic_write(path)).write_bytes(data)
    has_styles = bool(options.get("terminal"))
    return "\n".join(_without_commands(line, has_styles) for line in str(answer.get("text")).split("\n"))


def convert(options: dict[str, Any], folder: Path, stderr: TextIO, protections: Protections | None = None) -> str:
    """Convert a model by the options of ``edge-convert``; MODEL and REPORT in ``folder`` are the results.

    Returns the summary. Raises ConvertError, also if the file is not accurate enough; then there is a report, too.
    """
    from rich.console import Console

    from convert import report
    from convert.conversion import pipeline
    from convert.conversion.request import Request
    from convert.system import progress

    out: Path = options["output"]
    asked = {name: value for name, value in options.items() if name in Request.__dataclass_fields__}
    request = Request(**asked, out=out)
    with progress.steps(stderr) as show_step:
        allowed = confinement.allow if protections else lambda seconds: None
        conversion = pipeline.convert(request, show_step, allowed, protections)
        allowed(pipeline.STEP_SECONDS)
        show_step("writing the report")
        (folder / REPORT).mkdir()
        for name, text in report.pages(conversion).items():
            (folder / REPORT / name).write_text(text, "utf-8")
    page = printable(str(options["report"] / "report.html"))
    if problem := conversion.problem():
        raise ConvertError(f"{problem} (details: {page})")
    size = pipeline.write(conversion, folder / MODEL)
    beside = ""
    if conversion.chosen and conversion.chosen.micro:
        (folder / FACTS).write_text(json.dumps(asdict(conversion.chosen.micro)))
        beside = f" (beside it: {', '.join(printable(path.name) for path in sources.paths(out))})"
    console = Console(force_terminal=options["terminal"], width=options["width"])
    with console.capture() as summary:
        console.print(report.summary(conversion))
    names = [printable(str(path)) for path in (out, options["model"])]
    return f"{summary.get()}{names[0]}: {size:,} bytes{beside}, converted from {names[1]}; report: {page}"


def adopt(options: dict[str, Any], folder: Path, stderr: TextIO, protections: Protections | None = None) -> str:
    """Make a copy with a card of a .tflite, by the options of ``edge-convert adopt``; MODEL in ``folder`` is that.

    Returns what was found. Raises ConvertError or ModelError, also if it reads too little.
    """
    from convert.conversion import adopt as adopting
    from convert.system import progress

    asked = {name: value for name, value in options.items() if name in adopting.Request.__dataclass_fields__}
    allowed = confinement.allow if protections else lambda seconds: None
    with progress.steps(stderr) as show_step:
        adopted = adopting.adopt(adopting.Request(**asked), show_step, allowed, folder)
    size = (folder / MODEL).write_bytes(adopted.content)
    names = [printable(str(options[name])) for name in ("output", "model")]
    done = (
        f"{names[0]}: {size:,} bytes, {names[1]} with a card; read with it: edge read --model {shlex.quote(names[0])}"
    )
    return f"{_columns(adopted.lines())}\n{done}"


def inspect(options: dict[str, Any], folder: Path, stderr: TextIO, protections: Protections | None = None) -> str:
    """What a .tflite says about itself, as text. Raises ModelError."""
    from convert.tflite import inspect as inspecting

    if protections:
        confinement.allow(INSPECT_SECONDS)
    return _columns(inspecting.lines(options["model"]))


def _columns(lines: Iterable[tuple[str, str]]) -> str:
    """Names and values in two columns."""
    found = [(name, printable(text)) for name, text in lines]
    width = max(len(name) for name, _ in found)
    return "\n".join(f"{name:{width}}  {text}" for name, text in found)


TASKS = {"convert": convert, "adopt": adopt, "inspect": inspect}
"""What such a process can do."""
INSPECT_SECONDS = 25.0
"""How long ``edge-convert inspect`` may compute, in seconds. Measured: 7 s, nearly all of them to import TensorFlow,
whose runtime is tried too."""


def _answer(task: str, options: dict[str, Any], folder: Path, debug: bool) -> dict[str, Any]:
    """What the process answers: ``text``, or ``error``. Raises ConvertError if it does not."""
    _refuse_pipes(options)
    order = {"task": task, "options": options, "debug": debug, "folder": folder}
    order["reading"] = [path for name in ("model", "architecture", "data", "calibrate") if (path := options.get(name))]
    environment = confinement.environment(folder)
    environment["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, sys.path)])
    environment["PYTHONUSERBASE"] = site.getuserbase()
    # Of a graphics card it could see all memory.
    environment["CUDA_VISIBLE_DEVICES"] = ""
    _give_fonts(Path(environment["XDG_CACHE_HOME"]))
    command = [sys.executable, "-P", "-m", "convert.confined"]
    # It answers into a file: what it has started could keep a pipe open.
    with (
        TemporaryFile() as said,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=said, env=environment, process_group=0) as process,
    ):
        try:
            process.communicate(json.dumps(order, default=str).encode())
        finally:
            # And what it has started: at Ctrl-C, or when it was ended itself, that would go on.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            if process.wait() and sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
                # It could not do this itself.
                sys.stderr.write(CLEARED)
                sys.stderr.flush()
        said.seek(0)
        out = said.read(MAX_ANSWER)
    where = options["model"]
    if process.returncode:
        raise ConvertError(f"{where}: {_ending(process.returncode)}")
    try:
        answer = parse_json(out)
    except ValueError as error:
        raise ConvertError(f"{where}: gave no answer; run it again with --debug") from error
    return answer if isinstance(answer, dict) else {}


def _ending(status: int) -> str:
    """Why a process ended with this status, in words."""
    if -status in (signal.SIGPROF, signal.SIGALRM, signal.SIGXCPU):
        return "takes longer than a classifier of digits does; give a smaller model"
    if -status == signal.SIGKILL:
        return "was killed while it was read, as happens when memory runs out; give a smaller model"
    if status < 0:
        name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
        memory = confinement.MEMORY_BYTES // 2**20
        many = f"or needs more than {memory:,} MiB; give a smaller model, or save it again"
        return f"crashes TensorFlow or TFLite ({name}), {many}"
    return f"could not be read (status {status}); run it again with --debug"


def _keep_report(found: Path, folder: Path) -> None:
    """Put the report, if there is one, into its folder."""
    files = {name: _content(found / name) for name in REPORT_FILES if os.path.lexists(found / name)}
    for name, content in files.items():
        results.check_report(name, content)
    if not files:
        return
    make_folder(folder)
    for name, content in files.items():
        with atomic_write(folder / name) as temporary:
            temporary.write_bytes(content)


def _content(path: Path) -> bytes:
    """The bytes of a result; it is not trusted: a link could lead to any file."""
    with contextlib.suppress(OSError):
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(number, "rb") as file:
            if stat.S_ISREG(os.fstat(number).st_mode):
                return file.read()
    raise ConvertError(f"{path.name}: was not written; run edge-convert again with --debug")


def _without_commands(line: str, has_styles: bool) -> str:
    """A line of the answer without commands to a terminal, but perhaps those of STYLES."""
    return "".join(part if has_styles and STYLES.fullmatch(part) else printable(part) for part in STYLES.split(line))


def _refuse_pipes(options: dict[str, Any]) -> None:
    """Raise ConvertError for what is to be read and is neither a file nor a folder: a pipe could be waited for."""
    for name in ("model", "architecture", "data"):
        if path := options.get(name):
            with contextlib.suppress(OSError):
                mode = Path(path).stat().st_mode
                if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                    raise ConvertError(f"{path}: is neither a file nor a folder; give one of these")


def _give_fonts(cache: Path) -> None:
    """Copy matplotlib's list of fonts: making it takes seconds."""
    # A user without a home folder has none.
    caches = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))  # noqa: PTH111
    place = Path(os.environ.get("MPLCONFIGDIR") or caches / "matplotlib")
    # Also the folder itself may be one that this user may not read, as after ``su`` without a home of its own.
    with contextlib.suppress(OSError):
        for file in place.glob("fontlist-*.json"):
            (cache / "matplotlib").mkdir(exist_ok=True)
            shutil.copyfile(file, cache / "matplotlib" / file.name)


def main() -> None:
    """The process: reads the order from stdin, and writes its answer to stdout."""
    # It is in a process group of its own, which some terminals (stty tostop) would stop when it shows its progress.
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    order = json.load(sys.stdin)
    # Libraries may print; the answer goes to the real stdout.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    folder, options = Path(order["folder"]), _with_paths(order["options"])
    linked = _linked([Path(options[name]) for name in ("data", "calibrate") if options.get(name)])
    protections = confinement.confine([*_readable(order["reading"]), *linked], [folder, Path(os.devnull)])
    answer: dict[str, str] = {}
    with command_line.quiet(order["debug"]) as stderr:
        try:
            answer["text"] = TASKS[order["task"]](options, folder, stderr, protections)
        except Exception as error:
            if order["debug"]:
                import traceback

                traceback.print_exc()
            answer["error"] = command_line.line(error)
            if command_line.is_out_of_memory(error):
                where, most = printable(str(options["model"])), protections.memory_bytes // 2**20
                answer["error"] = f"{where}: needs more than {most:,} MiB of memory; give a smaller model"
    json.dump(answer, answers)
    answers.flush()
    # Without the usual clean-up: what a damaged model left in memory might crash it.
    os._exit(0)


def _readable(given: list[str]) -> Iterator[Path]:
    """The files and folders that such a process may read."""
    yield from map(Path, SYSTEM)
    # Of Python and its packages; a package that is installed in place stands on sys.path.
    yield from map(Path, {sys.prefix, sys.base_prefix, sys.exec_prefix, os.path.realpath(sys.executable), *sys.path})
    yield from map(Path, given)


def _linked(folders: list[Path]) -> Iterator[Path]:
    """What the links in the user's own folders lead to; in a model's folder, links are refused."""
    for folder in folders:
        for here, folders_here, names in os.walk(folder):
            yield from (path for name in (*folders_here, *names) if (path := Path(here, name)).is_symlink())


def _with_paths(options: dict[str, Any]) -> dict[str, Any]:
    """The options, which came as JSON, with paths and labels as they were."""
    names = ("model", "output", "report", "architecture", "calibrate")
    paths = {name: Path(options[name]) for name in names if options.get(name)}
    labels = {"labels": tuple(options["labels"])} if options.get("labels") else {}
    return {**options, **paths, **labels}


if __name__ == "__main__":
    main()
