"""setup.sh installs the packages that are missing, or names them in one line. apt-get and sudo are fakes here."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SETUP = TESTS.parent / "setup.sh"
PROGRAMS = {
    "mosquitto": "mosquitto",
    "chromium": "chromium",
    "systemd": "systemd-analyze",
    "shellcheck": "shellcheck",
    "openssl": "openssl",
    "build-essential": "cc",
}
"""The packages that the tests need, and a program of each."""
ALL = " ".join(PROGRAMS)


class Machine:
    """A computer whose programs are all in one folder. ``log`` tells what apt-get was asked."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        self._log = folder / "log"
        self._log.touch()
        self._script = folder / "setup.sh"
        self._script.write_text(SETUP.read_text("utf-8").replace("/usr/sbin/", f"{self.bin}/sbin-"))
        for name in ("sh", "env", "touch", "chmod"):
            (self.bin / name).symlink_to(str(shutil.which(name)))

    def has(self, *names: str, does: str = "exit 0") -> None:
        """Programs that do this."""
        for name in names:
            (self.bin / name).unlink(missing_ok=True)
            (self.bin / name).write_text(f"#!/bin/sh\n{does}\n")
            (self.bin / name).chmod(0o755)

    def has_python(self, name: str = "python3", *, venv: bool = True, new: bool = True) -> None:
        self.has(name, does=f'case "$2" in *venv*) exit {int(not venv)} ;; *) exit {int(not new)} ;; esac')

    def has_apt(self, *knows: str) -> None:
        """An apt-get that installs these packages, by making a program of each, and refuses others."""
        lines = [f'echo "$*" >> {self._log}', "for package; do :; done", 'case "$package" in', "update) ;;"]
        for package in knows:
            if package == "python3-venv":
                body = f"printf '#!/bin/sh\\nexit 0\\n' > {self.bin}/python3 && chmod +x {self.bin}/python3"
            else:
                body = f"touch {self.bin}/{PROGRAMS[package]} && chmod +x {self.bin}/{PROGRAMS[package]}"
            lines.append(f"{package}) {body} ;;")
        self.has("apt-get", does="\n".join([*lines, '*) echo "E: $package" >&2; exit 100 ;;', "esac"]))

    def is_root(self, root: bool) -> None:
        self.has("id", does=f"echo {0 if root else 1000}")

    @property
    def log(self) -> list[str]:
        return self._log.read_text("utf-8").splitlines()

    def setup(self, purpose: str = "test", **environment: str) -> tuple[int, str]:
        """The exit status of setup.sh, and what it says."""
        done = subprocess.run(
            [str(self.bin / "sh"), str(self._script), purpose],
            env={"PATH": str(self.bin), **environment},
            capture_output=True,
            text=True,
        )
        assert not done.stdout
        return done.returncode, done.stderr


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A bare Debian: Python without its venv module, apt, and a user who is not root."""
    one = Machine(tmp_path)
    one.has_python(venv=False)
    one.has_apt("python3-venv", *PROGRAMS)
    one.is_root(False)
    return one


def test_where_nothing_is_missing_nothing_is_said_or_asked(machine: Machine) -> None:
    machine.has_python()
    assert machine.setup("run") == (0, "")
    machine.has("sbin-mosquitto", "chromium-browser", "systemd-analyze", "shellcheck", "openssl", "cc")
    assert machine.setup("test") == (0, "")
    machine.has("valgrind")
    assert machine.setup("bench") == (0, "")
    assert machine.log == []


def test_root_gets_what_is_missing_and_only_that(machine: Machine) -> None:
    machine.is_root(True)
    assert machine.setup("run") == (0, "setup.sh: installing python3-venv\n")
    machine.has("shellcheck")
    assert machine.setup("test") == (0, "setup.sh: installing mosquitto chromium systemd openssl build-essential\n")
    installed = [line.rpartition(" ")[2] for line in machine.log]
    assert installed == [
        "update",
        "python3-venv",
        "update",
        "mosquitto",
        "chromium",
        "systemd",
        "openssl",
        "build-essential",
    ]


def test_a_sudo_that_asks_nothing_is_used(machine: Machine) -> None:
    machine.has("sudo", does='[ "$1" = -n ] && shift && exec "$@"')
    machine.has("true")
    assert machine.setup() == (0, f"setup.sh: installing python3-venv {ALL}\n")
    assert len(machine.log) == 2 + len(PROGRAMS)


def test_a_sudo_that_asks_is_not_asked_but_named_in_one_line_to_paste(machine: Machine) -> None:
    machine.has("sudo", does="echo 'sudo: a password is required' >&2; exit 1")
    install = "apt-get update && apt-get install -y --no-install-recommends"
    line = f"setup.sh: packages are missing; paste this line: sudo sh -c '{install} python3-venv {ALL}'\n"
    assert machine.setup() == (1, line)
    assert machine.log == []


def test_where_only_tests_lack_something_the_line_is_a_warning(machine: Machine) -> None:
    machine.has_python()
    machine.has("mosquitto", "chromium", "systemd-analyze", "openssl", "cc")
    install = "apt-get update && apt-get install -y --no-install-recommends shellcheck"
    line = f"setup.sh: packages are missing; paste this line: su -l -c '{install}'"
    assert machine.setup() == (0, f"{line} (tests that need these packages are skipped)\n")
    assert machine.setup(CI="true") == (1, f"{line}\n"), "nobody looks at what CI skips"


def test_a_package_that_apt_does_not_know_does_not_hold_up_the_others(machine: Machine) -> None:
    machine.is_root(True)
    machine.has_apt("python3-venv", *(PROGRAMS.keys() - {"chromium"}))
    status, said = machine.setup()
    assert (status, said.splitlines()[-1]) == (
        0,
        "setup.sh: apt-get did not bring chromium; its messages above say why (tests that need these packages are"
        " skipped)",
    )


@pytest.mark.parametrize(("venv", "status"), [(True, 0), (False, 1)])
def test_a_system_without_apt_is_told_what_is_missing(machine: Machine, venv: bool, status: int) -> None:
    (machine.bin / "apt-get").unlink()
    machine.has_python(venv=venv)
    found, said = machine.setup()
    assert found == status and said.count("\n") == 1
    assert said.startswith("setup.sh: these Debian packages, or what this system has in their place, are missing: ")
    assert ("python3-venv" in said) is not venv and ALL in said


def test_an_old_python_is_refused_before_anything_is_installed(machine: Machine) -> None:
    machine.is_root(True)
    machine.has_python(new=False)
    status, said = machine.setup("run")
    assert status == 1 and said.startswith("setup.sh: python3 is older than Python 3.11") and said.count("\n") == 1
    assert machine.log == []


def test_another_python_has_a_package_of_its_own(machine: Machine) -> None:
    machine.has_python("python3.12", venv=False)
    status, said = machine.setup("run", PYTHON="python3.12")
    assert status == 1 and "install -y --no-install-recommends python3.12-venv'" in said


def test_what_it_does_not_know_is_a_wrong_use(machine: Machine) -> None:
    assert machine.setup("all") == (2, "setup.sh: usage: ./setup.sh run|test|bench\n")


def test_it_brings_all_that_tests_are_skipped_for_want_of() -> None:
    """Every package that a skipped test tells to install is in the list of setup.sh, and no other is."""
    reasons = "\n".join(
        line
        for path in TESTS.rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
        if re.search("skip|reason", line)
    )
    told = set(re.findall(r"apt(?:-get)? install (?:-y )?([\w-]+)", reasons))
    (listed,) = re.findall(r"^    test\)\n(.*?);;", SETUP.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"need ([\w-]+)", listed)) == set(PROGRAMS)
    # A certificate's tests say only that openssl is not there.
    assert told == set(PROGRAMS) - {"openssl"}
