"""The unit is one that systemd takes, tightly sandboxed; install.sh puts the files in place and takes them away."""

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.system import state_folder
from tests.supply.lock import LOCK, LOCK_32
from tests.support.patience import patience

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "systemd" / "edge.service"
SCRIPT = ROOT / "systemd" / "install.sh"
CONFIG = (ROOT / "systemd" / "edge.toml").read_bytes()
EXPOSURE = 1.5
"""Highest exposure level of the unit by ``systemd-analyze security``, from 0 (safe) to 10 (open)."""

analyze = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd-analyze is missing: sudo apt install -y systemd"
)


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=patience(60))


def install(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return run(SCRIPT, *arguments)


def files(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


class Unit(configparser.RawConfigParser):
    def optionxform(self, optionstr: str) -> str:
        return optionstr


def service(name: str) -> str:
    unit = Unit(strict=False)
    unit.read(UNIT)
    return unit["Service"][name]


@analyze
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    # It also asks whether the program is there.
    here = UNIT.read_text("utf-8").replace("/opt/edge-digits/bin/edge", sys.executable)
    assert sys.executable in here
    (tmp_path / UNIT.name).write_text(here, "utf-8")
    done = run("systemd-analyze", "verify", "--man=no", tmp_path / UNIT.name)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@analyze
def test_its_sandbox_is_tight() -> None:
    limit = f"--threshold={round(EXPOSURE * 10)}"
    done = run("systemd-analyze", "security", "--offline=true", "--no-pager", limit, UNIT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Overall exposure level for {UNIT.name}" in done.stdout


def test_the_unit_and_the_script_name_the_same_places(tmp_path: Path) -> None:
    assert install("install", "--root", tmp_path).returncode == 0
    program, *arguments = service("ExecStart").split()
    assert arguments == ["run", "--config", "/etc/edge-digits/edge.toml"]
    assert (tmp_path / arguments[2].lstrip("/")).is_file()
    script = SCRIPT.read_text("utf-8")
    assert program == "/opt/edge-digits/bin/edge" and "venv=$root/opt/$name\n" in script
    assert "name=edge-digits\n" in script
    users = (tmp_path / "etc" / "sysusers.d" / "edge-digits.conf").read_text("utf-8")
    assert f"u {service('User')} " in users
    assert Path("/var/lib", service("StateDirectory")) == state_folder.SERVICE_FOLDER
    assert "state=$root/var/lib/$name\n" in script
    for group in service("SupplementaryGroups").split():
        assert f"m {service('User')} {group}\n" in users


def test_installing_twice_is_installing_once(tmp_path: Path) -> None:
    first = install("install", "--root", tmp_path)
    assert (first.returncode, first.stdout, first.stderr) == (0, "", "")
    laid = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    assert list(laid) == [
        "etc/edge-digits/edge.toml",
        "etc/systemd/system/edge.service",
        "etc/sysusers.d/edge-digits.conf",
    ]
    assert laid["etc/edge-digits/edge.toml"] == CONFIG
    assert laid["etc/systemd/system/edge.service"] == UNIT.read_bytes()
    assert (tmp_path / "etc/edge-digits/edge.toml").stat().st_mode & 0o007 == 0, "it may hold a password"
    assert install("install", "--root", tmp_path).returncode == 0
    assert {name: (tmp_path / name).read_bytes() for name in files(tmp_path)} == laid


def test_a_config_that_is_there_is_kept_and_the_new_one_lies_beside_it(tmp_path: Path) -> None:
    install("install", "--root", tmp_path)
    mine = tmp_path / "etc" / "edge-digits" / "edge.toml"
    mine.write_text('source = "v4l2:/dev/video0"\n')
    (tmp_path / "etc/systemd/system/edge.service").write_text("an older one")
    done = install("upgrade", "--root", tmp_path)
    assert done.returncode == 0 and "edge.toml.new" in done.stdout
    assert mine.read_text() == 'source = "v4l2:/dev/video0"\n'
    assert mine.with_name("edge.toml.new").read_bytes() == CONFIG
    assert (tmp_path / "etc/systemd/system/edge.service").read_bytes() == UNIT.read_bytes()
    mine.write_bytes(CONFIG)
    assert install("upgrade", "--root", tmp_path).returncode == 0
    assert not mine.with_name("edge.toml.new").exists(), "nothing is new any more"


def test_uninstalling_leaves_the_config_and_the_state(tmp_path: Path) -> None:
    install("install", "--root", tmp_path)
    (tmp_path / "opt" / "edge-digits" / "bin").mkdir(parents=True)
    (tmp_path / "var" / "lib" / "edge-digits").mkdir(parents=True)
    (tmp_path / "var" / "lib" / "edge-digits" / "readings.jsonl").touch()
    (tmp_path / "opt" / "other").mkdir()
    assert install("uninstall", "--root", tmp_path).returncode == 0
    assert files(tmp_path) == ["etc/edge-digits/edge.toml", "var/lib/edge-digits/readings.jsonl"]
    assert not (tmp_path / "opt" / "edge-digits").exists()
    assert install("uninstall", "--purge", "--root", tmp_path).returncode == 0
    assert files(tmp_path) == []
    assert (tmp_path / "opt" / "other").is_dir()
    again = install("uninstall", "--purge", "--root", tmp_path)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


@pytest.fixture
def make_tokens(tmp_path: Path) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """The script's step that makes the tokens, with the settings that are given; this user plays the service's."""
    script = SCRIPT.read_text("utf-8")
    step = "".join(re.findall(r"^(?:say|tokens)\(\) \{\n.*?^\}\n", script, re.MULTILINE | re.DOTALL))
    venv, settings, bin = tmp_path / "venv", tmp_path / "etc", tmp_path / "bin"
    for folder in (venv / "bin", settings, bin):
        folder.mkdir(parents=True)
    edge = f'PYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} -m edge.cli "$@"'
    stand_ins = {
        venv / "bin" / "edge": edge,
        bin / "runuser": '[ "$1 $2 $3" = "-u edge-digits --" ] && shift 3 && exec "$@"',
        bin / "install": 'for last; do :; done; exec mkdir -p "$last"',
    }
    for path, text in stand_ins.items():
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def run_with(text: str) -> subprocess.CompletedProcess[str]:
        (settings / "edge.toml").write_text(text)
        places = f"name=edge-digits venv={venv} settings={settings} state={tmp_path / 'state'}"
        environment = {**os.environ, "PATH": f"{bin}{os.pathsep}{os.environ['PATH']}"}
        command = ["sh", "-euc", f"{places}\n{step}tokens"]
        return subprocess.run(command, capture_output=True, text=True, timeout=patience(60), env=environment, cwd="/")

    return run_with


@pytest.mark.parametrize(
    ("settings", "folder"), [("", "state"), ('state = "inner"', "state/inner"), ('state = "{}/other"', "other")]
)
def test_tokens_are_made_where_the_service_looks_for_them(
    make_tokens: Callable[[str], subprocess.CompletedProcess[str]], tmp_path: Path, settings: str, folder: str
) -> None:
    done = make_tokens(settings.format(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("web-tokens.json")] == [
        f"{folder}/web-tokens.json"
    ]


def test_where_the_page_is_on_it_says_what_shows_the_links(
    make_tokens: Callable[[str], subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    given = f'state = "{tmp_path / "state"}"\n'
    assert make_tokens(f'{given}web = ""\n# web = "0.0.0.0:8080"\n').stdout == ""
    done = make_tokens(f'{given}web = "0.0.0.0:8080"\n')
    assert done.stdout.startswith("install.sh: links to the live page: sudo ") and "token=" not in done.stdout
    _, _, command = done.stdout.strip().partition(": sudo ")
    shown = run(*command.split())
    assert shown.returncode == 0 and shown.stdout.count(":8080/#token=") == 2


def test_settings_that_are_wrong_do_not_end_the_installation_there(
    make_tokens: Callable[[str], subprocess.CompletedProcess[str]],
) -> None:
    done = make_tokens("wbe = 3\n")
    assert done.returncode == 0
    assert "wbe: no such setting" in done.stderr and "no tokens for the live page were made" in done.stdout


@pytest.fixture
def pip_calls(tmp_path: Path) -> Callable[..., list[list[str]]]:
    """What a step of the script asks of pip, with a Python of such a word size and version, which a stand-in plays."""
    script = SCRIPT.read_text("utf-8")
    names = "say|fail|userland|run_pip|run_locked|wheel|dependencies"
    steps = "".join(re.findall(rf"^(?:{names})\(\) \{{\n.*?^\}}\n", script, re.MULTILINE | re.DOTALL))
    python, log, work = tmp_path / "venv" / "bin" / "python", tmp_path / "calls", tmp_path / "work"
    python.parent.mkdir(parents=True)
    work.mkdir()
    python.write_text(
        f'#!/bin/sh\nif [ "$1" = -c ]; then echo "$USERLAND"; exit; fi\nprintf "%s\\n" "$*" >>{shlex.quote(str(log))}\n'
    )
    python.chmod(0o755)

    def run_step(step: str, userland: str = "64 13", **variables: str | Path) -> list[list[str]]:
        given = {"python": python, "venv": python.parents[1], "here": ROOT / "systemd", "work": work, **variables}
        given["lock"] = LOCK
        places = " ".join(f"{name}={shlex.quote(str(value))}" for name, value in given.items())
        command = ["sh", "-euc", f"{places}\n{steps}{step}"]
        log.unlink(missing_ok=True)
        done = subprocess.run(
            command, capture_output=True, text=True, env={**os.environ, "USERLAND": userland}, cwd="/"
        )
        assert done.returncode == 0, done.stderr
        return [line.split() for line in log.read_text().splitlines()] if log.exists() else []

    return run_step


LOCKED = {"--require-hashes", "--only-binary", ":all:", "--no-deps"}
"""What pip is told so that it takes only wheels whose hash is known."""


@pytest.mark.parametrize(
    ("userland", "lock"),
    [("64 11", LOCK), ("64 13", LOCK), ("32 11", LOCK_32)],
    ids=lambda value: value.name if isinstance(value, Path) else value,
)
def test_what_the_program_needs_comes_from_a_lock_alone(
    pip_calls: Callable[..., list[list[str]]], userland: str, lock: Path
) -> None:
    (call,) = pip_calls("dependencies", userland)
    assert {"-P", *LOCKED} < set(call) and call[-2:] == ["--requirement", str(lock)]


def test_with_32_bits_and_a_newer_python_pip_is_not_asked(pip_calls: Callable[..., list[list[str]]]) -> None:
    assert pip_calls("dependencies", "32 13") == []


@pytest.fixture
def says(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """What a step of the script says on a machine of such a Python, and such a kernel."""
    script = SCRIPT.read_text("utf-8")
    steps = "".join(re.findall(r"^(?:say|fail|userland|fits|from_apt)\(\) \{\n.*?^\}\n", script, re.M | re.S))
    for name, answer in (("python", '"$USERLAND"'), ("uname", '"$KERNEL"')):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {answer}\n")
        (tmp_path / name).chmod(0o755)

    def run_step(step: str, userland: str, kernel: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "USERLAND": userland, "KERNEL": kernel}
        command = ["sh", "-euc", f"python={shlex.quote(str(tmp_path / 'python'))}\n{steps}{step}"]
        return subprocess.run(command, capture_output=True, text=True, env=environment)

    return run_step


@pytest.mark.parametrize("kernel", ["aarch64", "armv7l", "armv6l"])
def test_the_word_size_of_python_decides_and_not_the_kernel(
    says: Callable[..., subprocess.CompletedProcess[str]], kernel: str
) -> None:
    """A 32-bit Raspberry Pi OS runs a 64-bit kernel on a Pi 4 and 5."""
    assert says("from_apt", "64 13", kernel).stdout == ""
    old, new = (set(says("from_apt", f"32 {minor}", kernel).stdout.split()) for minor in (11, 13))
    assert {"python3-numpy", "python3-opencv"} < old < new and "python3-uvicorn" in new


@pytest.mark.parametrize(
    ("userland", "kernel", "refused"),
    [
        ("64 11", "aarch64", False),
        ("32 11", "aarch64", False),
        ("32 11", "armv7l", False),
        ("32 13", "armv6l", False),
        ("32 11", "armv6l", True),
    ],
)
def test_what_can_never_run_is_refused_in_one_line(
    says: Callable[..., subprocess.CompletedProcess[str]], userland: str, kernel: str, refused: bool
) -> None:
    done = says("fits", userland, kernel)
    lines = done.stderr.splitlines()
    assert (done.returncode, len(lines)) == ((1, 1) if refused else (0, 0))
    assert not refused or lines[0].endswith("use Raspberry Pi OS Trixie, 32-bit")


def test_the_program_is_built_with_locked_tools_and_no_index(
    pip_calls: Callable[..., list[list[str]]], tmp_path: Path
) -> None:
    tools, build = pip_calls("wheel", **{"from": ROOT})
    assert set(tools) > {*LOCKED, "--target"} and tools[-1] == str(ROOT / "systemd" / "requirements-build.txt")
    assert set(build) > {"wheel", "--no-index", "--no-build-isolation", "--no-deps"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give install, upgrade or uninstall"),
        (["instal"], "unknown argument instal"),
        (["install", "uninstall"], "not two"),
        (["install", "--purge"], "--purge works only with uninstall"),
        (["install", "--from"], "--from needs"),
        (["uninstall", "--purge", "--root", "/"], "--root needs"),
    ],
)
def test_wrong_use_says_what_and_changes_nothing(arguments: list[str], words: str) -> None:
    done = install(*arguments)
    assert done.returncode == 2
    assert words in done.stderr.splitlines()[0]
    assert "usage: install.sh" in done.stderr


def test_what_is_not_there_cannot_be_upgraded(tmp_path: Path) -> None:
    done = install("upgrade", "--root", tmp_path)
    assert done.returncode == 1
    assert "use install" in done.stderr
    assert files(tmp_path) == []


def test_without_root_it_is_one_line(tmp_path: Path) -> None:
    """As an ordinary user, here played by an ``id`` that says so."""
    (tmp_path / "id").write_text("#!/bin/sh\necho 1000\n")
    (tmp_path / "id").chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    command = [str(SCRIPT), "upgrade"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=patience(60), env={**os.environ, "PATH": path}
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "install.sh: needs root; run it with sudo\n"


def test_make_install_calls_it() -> None:
    assert run("make", "-C", ROOT, "--no-print-directory", "-n", "install").stdout == "systemd/install.sh install\n"


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is missing: sudo apt install -y shellcheck")
def test_the_script_is_clean() -> None:
    done = run("shellcheck", SCRIPT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
