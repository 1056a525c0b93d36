"""What ``edge-convert`` and ``edge-train`` share: options, silencing TensorFlow, errors and exit status."""

from __future__ import annotations

import argparse
import errno
import os
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from convert.choices import MIN_ACCURACY, POLARITIES, listed
from edge.errors import ConvertError, EdgeError
from edge.system.process import discard_output
from edge.system.stderr import without
from edge.system.text import is_text, one_line, printable

NOISE = "|".join(
    (
        # What TensorFlow's C++ prints before it reads its log level: information and warnings in absl's format.
        r"WARNING: All log messages before absl",
        r"[IW]\d{4} \d",
        r"WARNING:(absl|tensorflow):",
        r"fully_quantize: ",
        r"INFO: ",
    )
)
"""How the lines begin that TensorFlow writes to stderr although nothing is wrong (regular expressions);
``--debug`` shows them."""
EXIT_STATUS = "Exit status: 0 done; 1 failed, with one line on stderr that says why; 2 wrong usage."
"""The last line of each ``--help``."""
PACKAGES = ("tensorflow", "keras", "tf_keras", "h5py", "rich", "matplotlib")
"""What ``pip install 'edge-digits[convert]'`` installs; if one of them is missing, an error names that command."""


def add_data(parser: argparse.ArgumentParser) -> None:
    """``--data``: where MNIST is."""
    parser.add_argument(
        "--data", metavar="FOLDER|mnist.npz",
        help="MNIST: a folder with the four original files, or an mnist.npz (default: Keras downloads it)",
    )  # fmt: skip


def add_labels(parser: argparse.ArgumentParser, more: str) -> None:
    """``--labels``; ``more``: the rest of its help text."""
    parser.add_argument(
        "--labels", metavar="A,B,...", type=_labels, help=f"what each output stands for, in order{more}"
    )


def add_polarity(parser: argparse.ArgumentParser) -> None:
    """``--polarity``."""
    parser.add_argument(
        "--polarity", choices=POLARITIES,
        help="ink of the digits that the model was trained on; light as in MNIST, or dark (default: detected)",
    )  # fmt: skip


def add_min_accuracy(parser: argparse.ArgumentParser, what: str) -> None:
    """``--min-accuracy``; ``what`` is the help text."""
    parser.add_argument(
        "--min-accuracy", metavar="PERCENT", type=number(0, 100), default=MIN_ACCURACY,
        help=f"{what} (default: %(default)g)",
    )  # fmt: skip


def check_other_file(parser: argparse.ArgumentParser, out: Path, model: Path) -> None:
    """Exit with 2 if the file to write is MODEL itself."""
    # Not Path.resolve, which raises RuntimeError for a link to itself.
    if os.path.realpath(out) == os.path.realpath(model):
        ready = "; a .tflite is converted already: see edge-convert adopt" if out.suffix == ".tflite" else ""
        parser.error(f"{printable(str(out))} is MODEL itself; choose another file with -o{ready}")


def add_seed(parser: argparse.ArgumentParser, what: str) -> None:
    """``--seed``; ``what`` is the help text: what the seed decides."""
    parser.add_argument(
        "--seed", metavar="N", type=whole_number(0, 2**32 - 1), default=1, help=f"{what} (default: %(default)s)"
    )


def add_debug(parser: argparse.ArgumentParser) -> None:
    """``--debug``."""
    parser.add_argument("--debug", action="store_true", help="show TensorFlow's own messages and tracebacks")


def whole_number(least: int, most: int = 10**9) -> Callable[[str], int]:
    """The type of an option that takes a whole number from ``least`` to ``most``."""

    def parse(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")
        return int(text)

    return parse


def number(least: float, most: float) -> Callable[[str], float]:
    """The type of an option that takes any number from ``least`` to ``most``."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {least} to {most}")
        return value

    return parse


def _labels(text: str) -> tuple[str, ...]:
    labels = listed(text)
    if not all(labels) or len(set(labels)) < len(labels) or not all(map(is_text, labels)):
        raise argparse.ArgumentTypeError(
            f"{text[:200]!r} is not a list of different labels such as 0,1,2,3,4,5,6,7,8,9,none or 1-9,0"
        )
    return labels


def time_since(started: float) -> str:
    """How long it is since ``started``, of ``time.monotonic``: "9 min 07 s"."""
    minutes, seconds = divmod(round(time.monotonic() - started), 60)
    return f"{minutes} min {seconds:02} s"


def run(program: str, debug: bool, work: Callable[[TextIO], None]) -> int:
    """Do the work without TensorFlow's messages; an error becomes one line on stderr. Returns the exit status."""
    with quiet(debug) as stderr:
        return reported(program, debug, lambda: work(stderr), stderr)


@contextmanager
def quiet(debug: bool) -> Iterator[TextIO]:
    """Keep TensorFlow's messages off stderr, unless ``debug``; yields the stderr to write to."""
    # Keras can use other backends, which the TFLite converter does not support.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    if debug:
        yield sys.stderr
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with warnings.catch_warnings(), without(NOISE) as stderr:
        warnings.simplefilter("ignore")
        yield stderr


def reported(program: str, debug: bool, work: Callable[[], None], stderr: TextIO) -> int:
    """Do the work; an error becomes one line on ``stderr``. Returns the exit status."""
    ended_by: list[int] = []
    try:
        with _ended_by_signals(ended_by):
            work()
            say()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output has closed it (… | head): not a failure, and there is nobody to print to.
        discard_output()
    except Exception as error:
        # A library that a signal interrupts may make another error of it.
        if ended_by:
            return 128 + ended_by[0]
        if debug:
            traceback.print_exc()
        print(f"{program}: {line(error)}", file=stderr)
        return 1
    return 0


@contextmanager
def _ended_by_signals(ended_by: list[int]) -> Iterator[None]:
    """Within the block, SIGTERM and SIGHUP end the program as Ctrl-C does, so that it removes its temporary files.

    The numbers of these signals and of Ctrl-C's are appended to ``ended_by``. The exit status is 128 and the number, as
    a shell has it. Only in the main thread, where signals arrive.
    """

    def end(number: int, frame: object) -> None:
        ended_by.append(number)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        signal.signal(number, signal.SIG_IGN)
        raise SystemExit(128 + number)

    # nohup ignores SIGHUP, and a shell's background job SIGINT: that stays so.
    defaults = {
        signal.SIGTERM: signal.SIG_DFL, signal.SIGHUP: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler
    }  # fmt: skip
    ours = {one: default for one, default in defaults.items() if signal.getsignal(one) == default}
    if threading.current_thread() is not threading.main_thread():
        ours = {}
    try:
        for one in ours:
            signal.signal(one, end)
        yield
    finally:
        for one, default in ours.items():
            signal.signal(one, default)


def say(*lines: str) -> None:
    """Print these lines, and all before them: else a full disk, or a reader that has gone, would show only at the exit.

    Raises ConvertError, and BrokenPipeError if the reader has gone.
    """
    try:
        for text in lines:
            print(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_output()
        raise ConvertError(
            f"stdout: cannot be written ({error.strerror}); free some space, or print elsewhere"
        ) from error


def open_streams() -> None:
    """Give a program that was started without stdin, stdout or stderr the null device in its place.

    Otherwise the next file that it opens would take that place, and get what is printed.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened == number:
                os.set_inheritable(number, True)
            else:
                os.dup2(opened, number)
                os.close(opened)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", closefd=False))  # noqa: SIM115


OUT_OF_MEMORY = ("OOM when", "std::bad_alloc", "Resource temporarily unavailable")
"""What TensorFlow's errors of other kinds say of it, and C++ of memory and of a thread that gets no stack."""


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether an error, or one that led to it, is that there is not enough memory; TensorFlow has its own for that."""
    while error is not None:
        if (
            isinstance(error, MemoryError)
            or type(error).__name__ == "ResourceExhaustedError"
            or any(sign in str(error) for sign in OUT_OF_MEMORY)
        ):
            return True
        error = error.__cause__ or error.__context__
    return False


def line(error: Exception) -> str:
    """The error as one line: what went wrong and what to do. It is safe to print: it may have names from a file."""
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in PACKAGES:
        return f"{error.name}: not installed; pip install 'edge-digits[convert]'"
    text = printable(one_line(error))
    if isinstance(error, EdgeError):
        return text
    if isinstance(error, OSError) and error.strerror:
        named = f"{printable(str(error.filename))}: " if error.filename else ""
        is_too_long = error.errno == errno.ENAMETOOLONG
        advice = "give a shorter one" if is_too_long else "run it again with --debug to see where"
        return f"{named}{error.strerror}; {advice}"
    return f"{type(error).__name__}: {text[:300]}; run it again with --debug to see where"
