"""What the commands do about streams that are closed or full, and about memory that runs out."""

import signal
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest

from convert.system import command_line
from convert.system.command_line import is_out_of_memory
from edge.errors import ConvertError

ROOT = Path(__file__).parents[3]
SAYS = """
import sys
from convert import confined
from convert.cli import convert_main
from edge.errors import ConvertError
def run(task, options, debug):
    if "bad" in str(options["model"]):
        raise ConvertError("m: is bad; delete it")
    # As the answers of the real one, it may be kept in a file.
    with open(sys.argv[1], "w") as file:
        file.write("kept")
    return "answer"
confined.run = run
sys.exit(convert_main(["inspect", sys.argv[2]]))
"""


@pytest.mark.parametrize(
    ("model", "streams", "status", "out", "err"),
    [
        ("m", "", 0, "answer\n", ""),
        ("m", ">&-", 0, "", ""),
        ("m", "<&- >&- 2>&-", 0, "", ""),
        ("bad", "2>&-", 1, "", ""),
        ("bad", "", 1, "", "edge-convert: m: is bad; delete it\n"),
        ("m", ">/dev/full", 1, "", "edge-convert: stdout: cannot be written (No space left on device); "),
    ],
)
def test_each_stream_may_be_closed_or_full(
    model: str, streams: str, status: int, out: str, err: str, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    command = ["sh", "-c", f'exec "$@" {streams}', "sh", sys.executable, "-c", SAYS, str(kept), model]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (status, out)
    assert done.stderr.startswith(err) and done.stderr.count("\n") == bool(err)
    assert model == "bad" or kept.read_text() == "kept"


class ResourceExhaustedError(Exception):
    """Named as TensorFlow's."""


@pytest.mark.parametrize(
    ("error", "is_memory"),
    [(MemoryError(), True), (ResourceExhaustedError("x"), True), (ValueError("(… OOM when allocating …)"), True),
     (RuntimeError("std::bad_alloc"), True), (RuntimeError("Resource temporarily unavailable"), True),
     (ValueError("x"), False)],
)  # fmt: skip
def test_memory_that_ran_out_is_known_by_its_cause(error: Exception, is_memory: bool) -> None:
    outer = ConvertError("m: does not run")
    outer.__cause__ = error
    assert is_out_of_memory(error) == is_out_of_memory(outer) == is_memory


def test_an_error_that_a_library_made_of_ctrl_c_is_still_ctrl_c() -> None:
    def work() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt as interrupt:
            raise SystemError("returned a result with an exception set") from interrupt

    stderr = StringIO()
    assert command_line.reported("edge-convert", False, work, stderr) == 130 and not stderr.getvalue()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
