"""Give hostile model files to edge-convert and edge, and print what each of them reached (run by hand).

``python -m tests.hostile.models FOLDER [--only WORD]`` makes more than 500 files in FOLDER and runs a command on each
under strace. A foreign read or write is a file that was opened, made, moved or removed though it is neither the
system's, Python's, the model's, the data's nor the command's own.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from convert.confined import SYSTEM

ROOT = Path(__file__).parents[2]
MOST_SECONDS, MOST_BYTES = 30.0, 2 * 10**9
"""What a command may take: computing time, which other work on the machine does not disturb, and memory."""
ORDER = ("tflite", "zip", "h5", "pb", "saved")
"""How the names begin, the quick ones first."""
CALLS = (
    "open,openat,openat2,creat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,symlink,symlinkat,link,linkat"
)
"""System calls by which a file is read or written, and others by which names are made and removed."""
LINE = re.compile(r"^(?:\d+ +)?(\w+)\((.*)\) = (\d+|-1)(.*)$")
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
OWN = re.compile(r"/tmp(/((edge-convert-|tmp|pymp-)[\w.-]+(/.*)?|[a-z0-9_]{8}))?")
"""Temporary files of the command's own, and those with which Python's tempfile tries a folder."""


@dataclass
class Result:
    """What a command did with a file; times in seconds."""

    name: str
    status: int
    wall: float
    seconds: float
    """Computing time, of all its processes."""
    peak_bytes: int
    said: str
    reads: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """What must not be."""
        found = [f"reads {path}" for path in self.reads] + [f"writes {path}" for path in self.writes]
        if "Traceback" in self.said:
            found.append("traceback")
        if any(ord(letter) < 32 and letter != "\n" or ord(letter) == 127 for letter in self.said):
            found.append("control characters")
        if self.status not in (0, 1):
            found.append(f"status {self.status}")
        if self.status == 1 and self.said.count("\n") != 1:
            found.append("not one line")
        if self.seconds > MOST_SECONDS:
            found.append(f"{self.seconds:.0f} s")
        if self.peak_bytes > MOST_BYTES:
            found.append(f"{self.peak_bytes / 1e9:.1f} GB")
        return found


def make(folder: Path) -> None:
    """Write all hostile models, and what good ones need: a picture and digits."""
    import cv2
    import numpy as np

    from tests.hostile import frozen_graphs, keras_files, saved_models, tflites
    from tests.support import small

    cv2.imwrite(str(folder / "page.png"), np.full((64, 64), 255, np.uint8))
    small.write_npz(folder / "mnist.npz")
    models, hidden = folder / "models", (folder / "hidden").resolve()
    models.mkdir()
    for _ in (
        *tflites.made(models), *keras_files.hdf5(models, hidden / "secret"),
        *keras_files.archives(models, hidden / "secret"),
        *frozen_graphs.made(models), *saved_models.made(models, hidden / "secret", hidden / "written"),
    ):  # fmt: skip
        pass


def command(path: Path, out: Path, image: Path, data: Path) -> list[str]:
    """What is run on a file."""
    convert = [
        sys.executable,
        "-c",
        "import sys; from convert.cli import convert_main; sys.exit(convert_main(sys.argv[1:]))",
    ]
    written = [str(path), "-o", str(out / "x.tflite"), "--data", str(data)]
    if "-bare-" in path.name:
        from tests.support import files

        return [*convert, "adopt", *written, "--labels", ",".join(files.card().labels)]
    if path.suffix == ".tflite":
        if any(word in path.name for word in ("flipped", "cut", "head", "far", "zeros", "ones")):
            # What may crash the runtime is tried in a process of its own.
            return [sys.executable, "-m", "edge.cli", "model", "check", str(path)]
        return [sys.executable, "-m", "edge.cli", "read", "--model", str(path), str(image)]
    return [*convert, *written, "--recipe", "float32"]


def run(path: Path, folder: Path, image: Path, data: Path) -> Result:
    """Run the command on a file under strace."""
    out, log = folder / "out", folder / "strace.log"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    traced = ["strace", "-f", "-q", "--seccomp-bpf", "-y", "-s", "4096", "-e", f"trace={CALLS}", "-o", str(log)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1"}
    started = time.monotonic()
    with (folder / "said").open("w+b") as said:
        process = subprocess.Popen(
            [*traced, *command(path, out, image, data)],
            stdout=said, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment, cwd=folder,
            start_new_session=True,
        )  # fmt: skip
        timer = subprocess.Popen(["sleep", "600"])
        try:
            while True:
                ended, status, usage = os.wait4(process.pid, os.WNOHANG)
                if ended:
                    break
                if timer.poll() is not None:
                    os.killpg(process.pid, signal.SIGKILL)
                time.sleep(0.02)
        finally:
            timer.kill()
            timer.wait()
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read().decode(errors="replace")
    reads, writes = reached(log, [path, data, image, out, log.parent / "said"])
    return Result(
        path.name, process.returncode, time.monotonic() - started, usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss * 1024, text, reads, writes,
    )  # fmt: skip


def reached(log: Path, given: list[Path]) -> tuple[list[str], list[str]]:
    """Foreign files that were read and written, by strace's log."""
    home = Path.home()
    readable = [*map(Path, SYSTEM), Path("/proc"), Path("/sys"), Path("/dev"), Path("/etc/ld.so.preload"), ROOT, *given]
    readable += [Path(path) for path in {sys.prefix, sys.base_prefix, *sys.path} if path]
    readable += [home / ".cache" / "matplotlib"]
    written, read = set(), set()
    for line in log.read_text(errors="replace").splitlines():
        found = LINE.match(line)
        if not found or found[3] == "-1" or "ENOENT" in found[4]:
            continue
        call, arguments = found[1], found[2]
        for path in QUOTED.findall(arguments):
            is_write = not call.startswith("open") or re.search("O_WRONLY|O_RDWR|O_CREAT|O_TRUNC", arguments)
            if not path.startswith("/"):
                folder = re.search(r"<(/[^>]*)>", arguments)
                path = f"{folder[1] if folder else ''}/{path}"
            if OWN.fullmatch(path) or path in ("/dev/null", "/proc/self/oom_score_adj"):
                continue
            if is_write and not Path(path).is_relative_to(given[3]):
                written.add(path)
            # The folder that it is started in is on Python's path, so it is looked at.
            elif not is_write and Path(path) != log.parent and not any(map(Path(path).is_relative_to, readable)):
                read.add(path)
    return sorted(read), sorted(written)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.models", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder for the files; it is made, and removed at the end")
    parser.add_argument("--make", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--only", default="", metavar="WORD", help="only files with this in their name")
    options = parser.parse_args()
    folder: Path = options.folder
    if options.make:
        make(folder)
        return 0
    hidden = Path(tempfile.mkdtemp(prefix="canary-", dir=Path.home()))
    try:
        folder.mkdir(parents=True)
        (folder / "hidden").symlink_to(hidden)
        (hidden / "secret").write_bytes(b"only for its owner\n" * 2000)
        # In another process: a process's greatest memory counts for what it starts.
        subprocess.run([sys.executable, "-m", "tests.hostile.models", str(folder), "--make"], check=True)
        results = []
        for path in sorted(
            (folder / "models").iterdir(), key=lambda one: (ORDER.index(one.name.partition("-")[0]), one)
        ):
            if options.only in path.name:
                result = run(path, folder, folder / "page.png", folder / "mnist.npz")
                results.append(result)
                mark = "; ".join(result.faults) or "-"
                print(
                    f"{result.name:45} {result.status:3} {result.wall:6.1f} s {result.seconds:6.1f} s"
                    f" {result.peak_bytes / 1e6:6.0f} MB  {mark}  {ascii(result.said.strip()[-160:])}",
                    flush=True,
                )
        left = sorted(path.name for path in hidden.iterdir() if path.name != "secret")
        show(results, left)
        return int(any(result.faults for result in results) or bool(left))
    finally:
        shutil.rmtree(hidden)
        shutil.rmtree(folder)


def show(results: list[Result], left: list[str]) -> None:
    """The table of the reach."""
    slowest, largest = (max(results, key=lambda one: getattr(one, by)) for by in ("wall", "peak_bytes"))
    busiest = max(results, key=lambda one: one.seconds)
    print(f"\n| {len(results)} hostile model files | |\n|---|---|")
    print(f"| accepted | {sum(one.status == 0 for one in results)} |")
    print(f"| writes outside the output | {sum(len(one.writes) for one in results) + len(left)} |")
    print(f"| foreign reads | {sum(len(one.reads) for one in results)} |")
    print(f"| tracebacks | {sum('Traceback' in one.said for one in results)} |")
    print(f"| exit status other than 0 and 1 | {sum(one.status not in (0, 1) for one in results)} |")
    print(f"| slowest by the clock | {slowest.wall:.1f} s ({slowest.name}) |")
    print(f"| most computing time | {busiest.seconds:.1f} s ({busiest.name}) |")
    print(f"| largest memory | {largest.peak_bytes / 1e9:.2f} GB ({largest.name}) |")
    print(f"| any fault | {sum(bool(one.faults) for one in results)} |")


if __name__ == "__main__":
    sys.exit(main())
