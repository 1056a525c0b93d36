"""`edge setup` as root, for the service: a machine that is laid out here, on which systemd is played."""

import argparse
import io
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from edge.commands.doctor.machine import Machine, User
from edge.commands.setup import broker as brokers
from edge.commands.setup import cameras, changes, first_event, interrupted_once, steps
from edge.commands.setup.dialogue import Dialogue
from edge.commands.setup.service import Service
from edge.errors import EdgeError, SettingsError, StateError
from edge.settings import Settings
from edge.sources.cameras_found import FoundCamera
from edge.system import command, files
from edge.system.command import MISSING, Done
from tests.support.mosquitto import Broker, Listener, body, free_port, only_mosquitto, password_file
from tests.support.patience import patience

ROOT = Path(__file__).parents[4]
UNIT = (ROOT / "systemd" / "edge.service").read_text("utf-8")
CONFIG = (ROOT / "systemd" / "edge.toml").read_text("utf-8")
CAMERA = FoundCamera("synthetic:?seed=3&digits=4&hold=100000", "imx708", "libcamera")
FLAGS = ("source", "broker", "user", "password_file", "web", "device", "config")


class Systemd:
    """Plays systemd: with ``real`` it starts what the unit would start, in a process of its own."""

    def __init__(self, root: Path, *, real: bool = False) -> None:
        self.root, self.real = root, real
        self.state = "active"
        self.called: list[str] = []
        self.log = ""
        self.status = "reading"
        self.starts = True
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, words: Sequence[str], **variables: str) -> Done:
        """As the machine runs a command."""
        line = " ".join(words)
        if words[0] == sys.executable:
            return command.run(words, seconds=patience(60), **variables)
        if words[:2] == ["systemctl", "show"]:
            values = {"ActiveState": self.state, "StatusText": self.status, "LoadState": "loaded"}
            if words[-2] == "-P":
                return Done(0, values.get(words[-1], "") + "\n")
            return Done(0, "".join(f"{name}={value}\n" for name, value in values.items()))
        if words[0] == "systemctl":
            self.called.append(line)
            return self._change(words)
        if words[0] == "journalctl":
            return Done(0, self.log)
        return Done(MISSING)

    def _change(self, words: Sequence[str]) -> Done:
        if "stop" in words:
            self.state = "inactive"
        if "start" in words or "restart" in words:
            if not self.starts:
                self.state = "failed"
                return Done(1)
            self.state = "active"
            if self.real:
                config = self.root / "etc/edge-digits/edge.toml"
                credentials = {"CREDENTIALS_DIRECTORY": str(config.parent)} if self._hands_over() else {}
                environment = {**os.environ, "PYTHONPATH": str(ROOT), **credentials}
                run = [sys.executable, "-m", "edge.cli", "run", "--config", str(config)]
                self.process = subprocess.Popen(run, env=environment, stdout=subprocess.DEVNULL)
        return Done(0)

    def _hands_over(self) -> bool:
        """Whether a drop-in of the unit names the password's file, as systemd wants it."""
        line = "[Service]\nLoadCredential=mqtt-password:/etc/edge-digits/mqtt-password\n"
        return any(path.read_text() == line for path in self.root.glob("etc/systemd/system/edge.service.d/*.conf"))


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systemd]:
    """A machine with the service freshly installed, one camera, and no broker."""
    root = tmp_path / "root"
    for name, text in {
        "etc/systemd/system/edge.service": UNIT,
        "etc/edge-digits/edge.toml": CONFIG.replace("/var/lib/edge-digits", str(tmp_path / "state")),
        "run/systemd/system/here": "",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    monkeypatch.setattr(cameras, "find_cameras", lambda *rest: [CAMERA])
    monkeypatch.setattr(brokers, "LOCAL", f"127.0.0.1:{free_port()}")
    monkeypatch.setattr(first_event, "EVENT_SECONDS", patience(30))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    played = Systemd(root)
    yield played
    if played.process:
        played.process.kill()
        played.process.wait()


Begin = Callable[..., int]


def machine(systemd: Systemd, user: int = 0) -> Machine:
    """A Pi with this systemd."""
    return Machine(
        root=systemd.root,
        run=systemd.run,
        user=User("root" if not user else "pi", user),
        may_use=lambda path: True,
        free_bytes=lambda path: 10**10,
        architecture="aarch64",
        bits=64,
        python=(3, 13),
        prefix=Path("/opt/edge-digits"),
        process=1,
    )


@pytest.fixture
def begin(systemd: Systemd, monkeypatch: pytest.MonkeyPatch) -> Begin:
    """Runs the set-up with these answers, flags and user; gives the exit status."""

    def start(answers: str = "", *, user: int = 0, defaults: bool = False, **flags: str) -> int:
        monkeypatch.setattr(sys, "stdin", io.StringIO(answers))
        arguments = argparse.Namespace(**{name: flags.get(name) for name in FLAGS})
        return steps.SetUp(machine(systemd, user), Dialogue(defaults=defaults), arguments).run()

    return start


def config(systemd: Systemd) -> Path:
    return systemd.root / "etc/edge-digits/edge.toml"


def tree(systemd: Systemd) -> dict[str, bytes]:
    return {
        str(path.relative_to(systemd.root)): path.read_bytes() for path in systemd.root.rglob("*") if path.is_file()
    }


@pytest.mark.slow
@only_mosquitto("has no passwords")
def test_from_a_fresh_installation_to_the_first_event(
    systemd: Systemd, begin: Begin, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    systemd.real, web = True, f"127.0.0.1:{free_port()}"
    (tmp_path / "broker").mkdir()
    passwords = password_file(tmp_path / "broker" / "passwords", joe="a secret")
    broker = Broker(tmp_path / "broker", "allow_anonymous false", f"password_file {passwords}")
    try:
        with Listener(broker.port, "edge-digits/shed/event", user="joe", password="a secret") as listener:
            listener.say("edge-digits/shed/availability", b"online", retain=True)
            answers = f"127.0.0.1:{broker.port}\njoe\na secret\n{web}\ny\n"
            assert begin(answers, device="shed") == 0
            assert body(listener.next("event"))["text"] == "8012"
    finally:
        broker.kill()
    shown = capsys.readouterr().out
    assert "Another device of this name was online there already" in shown
    assert "has the first event: 8012" in shown and "/#token=" in shown and "a secret" not in shown
    secret = config(systemd).with_name("mqtt-password")
    assert secret.read_text() == "a secret\n" and secret.stat().st_mode & 0o777 == 0o600
    uri = f"mqtt://joe@127.0.0.1:{broker.port}/edge-digits"
    backup = config(systemd).with_name("edge.toml.bak").read_text()
    assert backup.replace(str(tmp_path / "state"), "/var/lib/edge-digits") == CONFIG
    lines = zip(backup.splitlines(), config(systemd).read_text().splitlines(), strict=True)
    assert [new for old, new in lines if old != new] == [
        f'source = "{CAMERA.uri}"',
        f'publish = ["jsonl:-?what=events", "{uri}"]',
        'device = "shed"',
        f'web = "{web}"',
    ]
    assert systemd.called == [
        "systemctl stop edge.service",
        "systemctl daemon-reload",
        "systemctl reset-failed edge.service",
        "systemctl --quiet enable edge.service",
        "systemctl restart edge.service",
    ]


@pytest.mark.parametrize(
    ("answers", "error"), [("", SettingsError), ("none\nthis\n", SettingsError), ("none\nthis\nn\n", None)]
)
def test_what_is_not_finished_leaves_the_service_as_it_was(
    systemd: Systemd, begin: Begin, answers: str, error: type[EdgeError] | None
) -> None:
    before = tree(systemd)
    if error:
        with pytest.raises(error, match="nothing was changed"):
            begin(answers)
    else:
        assert begin(answers) == 0
    assert tree(systemd) == before and systemd.state == "active"
    assert systemd.called == ["systemctl stop edge.service", "systemctl --no-block start edge.service"]


def test_a_service_that_was_stopped_on_purpose_is_not_started_by_an_interruption(
    systemd: Systemd, begin: Begin, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*rest: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(brokers, "choose_broker", interrupt)
    for state, called in (("inactive", 0), ("active", 2)):
        systemd.state = state
        with pytest.raises(KeyboardInterrupt):
            begin()
        assert systemd.state == state and len(systemd.called) == called
        assert capsys.readouterr().out.endswith("Interrupted; nothing was changed.\n")


@pytest.mark.parametrize("ends_input", [True, False])
def test_a_terminal_that_is_closed_does_not_leave_the_service_stopped(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch, ends_input: bool
) -> None:
    """It ends the input and sends its signals, of which the first or the second comes only while all is undone."""
    run = systemd.run

    def run_meanwhile(words: Sequence[str], **variables: str) -> Done:
        if systemd.called == ["systemctl stop edge.service"]:
            os.kill(os.getpid(), signal.SIGHUP)
        return run(words, **variables)

    monkeypatch.setattr(systemd, "run", run_meanwhile)
    handler = signal.getsignal(signal.SIGHUP)
    with pytest.raises(KeyboardInterrupt), interrupted_once(), Service(machine(systemd)).paused():
        if ends_input:
            raise EOFError
        os.kill(os.getpid(), signal.SIGHUP)
    assert systemd.state == "active"
    assert signal.getsignal(signal.SIGHUP) == handler


@pytest.mark.parametrize("state", ["inactive", "deactivating", "failed", ""])
def test_a_service_that_does_not_run_goes_on(systemd: Systemd, state: str) -> None:
    with Service(machine(systemd)).paused():
        systemd.state = state
    assert systemd.called == ["systemctl stop edge.service", "systemctl --no-block start edge.service"]


@pytest.mark.parametrize("failing", range(4))
@pytest.mark.parametrize("errno", [28, 30], ids=["full", "read-only"])
def test_a_disk_that_takes_nothing_more_leaves_all_as_it_was(
    systemd: Systemd, begin: Begin, monkeypatch: pytest.MonkeyPatch, failing: int, errno: int
) -> None:
    """Password, drop-in, backup, settings: whichever cannot be written."""
    before, writes = tree(systemd), []

    def write(path: Path, content: bytes, **rest: bool) -> None:
        writes.append(path.name)
        if len(writes) == failing + 1:
            raise OSError(errno, os.strerror(errno))
        files.write_atomically(path, content, **rest)

    monkeypatch.setattr(changes, "write_atomically", write)
    monkeypatch.setattr(brokers, "probe", lambda address: "MQTT 5")
    names = ["mqtt-password", "mqtt-password.conf", "edge.toml.bak", "edge.toml"]
    with pytest.raises(StateError, match=f"{names[failing]}: cannot be written .*; nothing was changed"):
        begin("mqtt://joe:pw@127.0.0.1\nthis\ny\n")
    assert writes[: failing + 1] == names[: failing + 1] and tree(systemd) == before and systemd.state == "active"


def test_settings_that_do_not_pass_the_check_are_taken_back(
    systemd: Systemd, begin: Begin, capsys: pytest.CaptureFixture[str]
) -> None:
    file = config(systemd)
    file.write_text(file.read_text().replace('model = ""', 'model = "/nowhere.tflite"'))
    before = tree(systemd)
    with pytest.raises(SettingsError, match="does not pass the check above; nothing was changed"):
        begin("none\nthis\ny\n")
    assert "/nowhere.tflite" in capsys.readouterr().err
    assert tree(systemd) == before and systemd.state == "active"


def test_a_service_that_does_not_start_says_why(
    systemd: Systemd, begin: Begin, capsys: pytest.CaptureFixture[str]
) -> None:
    systemd.starts, systemd.log = False, "noise\nedge: web: 0.0.0.0:8080: cannot listen there\nSomething else\n"
    assert begin("none\nthis\ny\n") == 1
    shown = capsys.readouterr().out
    assert "failure  service      failed" in shown
    assert "The service logged: web: 0.0.0.0:8080: cannot listen there\n" in shown


def test_a_service_that_gives_no_frame_says_what_the_doctor_says(
    systemd: Systemd, begin: Begin, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(first_event, "READING_SECONDS", 0.1)
    systemd.status, systemd.log = "waiting for the camera's first frame", "edge: picamera2:0: no frame\n"
    assert begin("none\nthis\ny\n") == 1
    shown = capsys.readouterr().out
    assert "gives no reading yet: waiting for the camera's first frame" in shown
    assert "The service logged: picamera2:0: no frame" in shown


def test_a_broker_that_hears_nothing_is_explained(
    systemd: Systemd, begin: Begin, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(first_event, "EVENT_SECONDS", 0.1)
    systemd.log = "edge: mqtt://127.0.0.1:1/edge-digits: nothing listens on 127.0.0.1:1; is the broker running?\n"
    assert begin("none\n", broker="127.0.0.1:1", web="off", defaults=True) == 1
    shown = capsys.readouterr().out
    assert "The broker has heard nothing of this device yet" in shown
    assert "warning  publisher    mqtt://127.0.0.1:1/edge-digits: nothing listens on" in shown


def test_an_ordinary_user_is_told_to_use_sudo(systemd: Systemd, begin: Begin, tmp_path: Path) -> None:
    for flags in ({}, {"config": "/etc/edge-digits/edge.toml"}):
        with pytest.raises(SettingsError, match="sudo /opt/edge-digits/bin/edge setup; .* edge setup --config FILE"):
            begin(user=1000, **flags)
    assert begin("none\noff\ny\n", user=1000, config=str(tmp_path / "own.toml")) == 0
    assert tomllib.loads((tmp_path / "own.toml").read_text()) == {"source": CAMERA.uri}
    assert systemd.called == []


def test_without_systemd_it_says_the_one_command(
    systemd: Systemd, begin: Begin, capsys: pytest.CaptureFixture[str]
) -> None:
    (systemd.root / "run/systemd/system/here").unlink()
    (systemd.root / "run/systemd/system").rmdir()
    assert begin("none\nthis\ny\n") == 0
    assert "sudo systemctl enable --now edge" in capsys.readouterr().out
    assert systemd.called == []


def test_the_password_goes_where_the_unit_says(systemd: Systemd, tmp_path: Path) -> None:
    machine = Machine(
        settings=Settings(), root=systemd.root, run=systemd.run, user=User("root", 0), may_use=bool, free_bytes=int,
        architecture="", bits=64, python=(3, 13), prefix=Path(), process=1,
    )  # fmt: skip
    folder = systemd.root / "etc/systemd/system/edge.service.d"
    secret, drop_in = Service(machine).password_file()
    assert secret == systemd.root / "etc/edge-digits/mqtt-password" and drop_in == folder / "mqtt-password.conf"
    folder.mkdir()
    (folder / "override.conf").write_text("[Service]\nLoadCredential=mqtt-password:/etc/edge-digits/other\n")
    assert Service(machine).password_file() == (systemd.root / "etc/edge-digits/other", None)


@pytest.mark.parametrize(
    ("before", "old", "new", "after"),
    [
        (("jsonl:-",), "", "mqtt://a", ("jsonl:-", "mqtt://a")),
        (("jsonl:-", "mqtt://a", "mqtt://b"), "mqtt://a", "mqtt://c", ("jsonl:-", "mqtt://c", "mqtt://b")),
        (("mqtt://a", "jsonl:-"), "mqtt://a", "", ("jsonl:-",)),
        (("mqtt://a",), "mqtt://a", "mqtt://a", ("mqtt://a",)),
        (("jsonl:-",), "", "", ("jsonl:-",)),
    ],
)
def test_the_other_publishers_stay(before: tuple[str, ...], old: str, new: str, after: tuple[str, ...]) -> None:
    assert steps.published(before, old, new) == after
