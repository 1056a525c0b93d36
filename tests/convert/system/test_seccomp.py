"""The numbers of the system calls that are refused, and a filter that is in force in a real process."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from convert.system import seccomp

HEADERS = {0: "/usr/include/x86_64-linux-gnu/asm/unistd_64.h", 1: "/usr/include/asm-generic/unistd.h"}
"""Column of NUMBERS -> the header of the kernel, or of the C library, that has the same."""
PROGRAM = """
import ctypes, errno, fcntl, os, pty, socket, sys, threading
from convert.system import seccomp
terminal = pty.openpty()[1]
if not seccomp.restrict():
    sys.exit("not in force")
def refused(work):
    try:
        work()
    except OSError as error:
        return error.errno == errno.EPERM
    return False
calls = [
    lambda: socket.socket(socket.AF_UNIX), lambda: os.chmod("file", 0o777), lambda: os.chmod(3, 0o777),
    lambda: os.chown("file", os.getuid(), -1), lambda: os.utime("file", (1, 1)),
    lambda: os.setxattr("file", "user.x", b"1"), os.setsid, lambda: os.setpgid(0, 0),
    lambda: fcntl.ioctl(terminal, 0x5412, b"x"),
]
print([refused(call) for call in calls].count(False))
fcntl.ioctl(terminal, 0x5413, bytes(8))
threading.Thread(target=open, args=("own", "w")).start()
"""


@pytest.mark.parametrize("column", HEADERS)
def test_the_numbers_are_those_of_the_kernel(column: int) -> None:
    header = Path(HEADERS[column])
    if not header.exists():
        pytest.skip(f"{header}: no such file; apt-get install build-essential")
    known = {
        name: int(number)
        for name, number in re.findall(r"^#define __NR(?:3264)?_(\w+)\s+(\d+)$", header.read_text("utf-8"), re.M)
    }
    ours = {name: numbers[column] for name, numbers in seccomp.NUMBERS.items() if name in known}
    # 64-bit ARM has no calls with a 64-bit time of their own; the header has them for 32-bit machines.
    ours = {name: number for name, number in ours.items() if not name.endswith("64")}
    assert ours == {name: known[name] for name in ours} and len(ours) > 50


@pytest.mark.skipif(not seccomp.machine(), reason="there is no filter for this machine")
def test_what_is_refused_fails_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    root = str(Path(__file__).parents[3])
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {root!r})\n{PROGRAM}"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")
    assert (tmp_path / "own").exists()
