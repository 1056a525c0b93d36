"""``make test-machine VM=FILE``: install, boot and check a whole machine; README.md beside this says what FILE is.

What is tested is the working tree as it lies there, committed or not.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from edge.handwriting import rendering, virtual_camera
from edge.model.classifier import Model
from edge.reading.reader import Reader
from edge.types import Frame
from tests.machine.ask import OTHER, PAGE

ROOT = Path(__file__).resolve().parent.parent.parent
SEEDS = {PAGE: 7, OTHER: 3}
"""What each page is drawn with."""
FRAMES = 8
"""Pictures of each page: the same writing, and each with its own noise, as a live camera has."""
SIZE = (1024, 768)
NEXT = "999.0.0"
"""Version of the program that it is upgraded to: the same one, but for this."""
BOOT_SECONDS = 1800
"""So long may the machine be up. Without hardware's help the checks take a third of it."""

PREPARE = r"""
# What an earlier run may have left.
systemd/install.sh uninstall --purge
rm -rf /opt/machine && mkdir /opt/machine
if ! command -v mosquitto mosquitto_sub >/dev/null; then
  apt-get update -qq && apt-get install -y -qq mosquitto mosquitto-clients >/dev/null
fi
python3 tests/machine/inside.py --census > /opt/machine/census.json
systemd/install.sh install
sed -i 's#^publish = .*#publish = ["jsonl:-", "jsonl:readings.jsonl"]#' /etc/edge-digits/edge.toml
cp -r . /opt/machine/next
sed -i 's/^__version__ = .*/__version__ = "{next}"/' /opt/machine/next/edge/__init__.py
python3 -m pip wheel --quiet --no-deps --wheel-dir /opt/machine /opt/machine/next
mkdir -p /opt/frames && rm -f /opt/frames/*.jpg && cp tests/machine/pages/{page}/*.jpg /opt/frames/
"""
BOOT = "exec /usr/bin/python3 -u /src/tests/machine/inside.py\n"


class Broken(Exception):
    """Why the machine could not be brought to its checks, in one line."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("machine", type=Path, metavar="FILE", help="the tool that README.md here describes")
    tool = parser.parse_args().machine.resolve()
    started = time.monotonic()
    try:
        if not os.access(tool, os.X_OK):
            raise Broken(f"{tool}: no such program; tests/machine/README.md says what it has to be")
        with tempfile.TemporaryDirectory(prefix="machine-") as folder:
            project, script = Path(folder, "project"), Path(folder, "boot.sh")
            snapshot(project)
            script.write_text(BOOT)
            environment = {"VM_S": str(BOOT_SECONDS), **os.environ, "PROJECT": str(project)}
            prepare = [str(tool), "prepare", PREPARE.format(next=NEXT, page=PAGE)]
            if subprocess.run(prepare, env=environment, cwd=project).returncode:
                raise Broken("the machine could not be prepared; the reason stands above")
            wrong = boot([str(tool), "boot", str(script)], environment)
    except Broken as error:
        print(f"machine: {error}", file=sys.stderr)
        return 1
    print(f"{wrong or 'all is well'}; {time.monotonic() - started:.0f} s")
    return 1 if wrong else 0


def snapshot(project: Path) -> None:
    """A repository of the working tree as it is, with the pages drawn in it: the tool takes what is committed."""

    def git(*words: str, at: Path) -> str:
        try:
            return subprocess.run(["git", *words], cwd=at, check=True, capture_output=True, text=True).stdout
        except (OSError, subprocess.CalledProcessError) as error:
            raise Broken(f"git {words[0]}: {getattr(error, 'stderr', '') or error}".strip()) from error

    project.mkdir()
    for name in git("ls-files", "-z", "--cached", "--others", "--exclude-standard", at=ROOT).split("\0"):
        if name and (ROOT / name).is_file():
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, project / name)
    for text, seed in SEEDS.items():
        draw(project / "tests" / "machine" / "pages" / text, text, seed)
    git("init", "--quiet", at=project)
    git("add", "--all", "--force", at=project)
    git("-c", "user.name=machine", "-c", "user.email=machine@localhost", "commit", "--quiet", "-m", "Test", at=project)


def draw(folder: Path, text: str, seed: int) -> None:
    """Pictures of one page, which are read right here: what is misread there is the machine's doing."""
    rng = np.random.default_rng(seed)
    ink, _ = rendering.page([text], SIZE[1], SIZE[0], rng)
    still = virtual_camera.lens_image(ink, rng, 0.5)
    folder.mkdir(parents=True)
    with Reader(Model()) as reader:
        for n in range(FRAMES):
            picture = virtual_camera.sensor_noise(still, np.random.default_rng([seed, n]), 0.7)
            read = reader.read(Frame(picture, text)).text
            if read != text:
                raise Broken(f"page {text} is read as {read!r} here already")
            cv2.imwrite(str(folder / f"{n}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 92])


def boot(command: list[str], environment: dict[str, str]) -> str:
    """Boot, print what is checked as it comes, and give what is wrong: nothing where all is well."""
    planned, results = 0, []
    # Binary: a console says what it likes while a machine boots.
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as machine:
        assert machine.stdout is not None
        for raw in machine.stdout:
            line = raw.decode("utf-8", "replace").strip()
            if plan := re.search(r"1\.\.(\d+)$", line):
                planned = int(plan[1])
            elif result := re.match(r"(not )?ok (\d+) - ", line):
                results.append((int(result[2]), not result[1]))
            if re.match(r"(not )?ok \d|# |1\.\.\d", line) or not planned:
                print(line, flush=True)
    failed = sum(not well for _, well in results)
    if not planned or [number for number, _ in results] != list(range(1, planned + 1)):
        return f"{len(results)} of {planned or 'all'} checks came, {failed} of them failed"
    return f"{failed} of {planned} checks failed" if failed else ""


if __name__ == "__main__":
    sys.exit(main())
