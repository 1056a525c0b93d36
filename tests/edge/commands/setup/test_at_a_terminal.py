"""`edge setup` in a terminal, as a new user types: real processes, a real broker, settings of one's own."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.mosquitto import Broker, Listener, body, free_port, only_mosquitto, password_file
from tests.support.patience import patience
from tests.support.terminal import Terminal

ROOT = Path(__file__).parents[4]
PROGRAM = """
import sys
from edge.commands.setup import broker, cameras, nearby
from edge.sources.cameras_found import FoundCamera
found, broker.LOCAL = {found!r}, "127.0.0.1:{port}"
cameras.find_cameras = lambda *rest: [FoundCamera(*camera) for camera in found]
nearby.AVAHI = "/nowhere"
from edge.cli import main
sys.exit(main(sys.argv[1:]))
"""
"""``edge`` on a machine with these cameras, and with a broker of its own, or none, on this port."""
ONE = ("synthetic:?seed=3&digits=4&hold=100000", "imx708", "libcamera")
TWO = ("synthetic:?seed=4&digits=3&hold=100000", "HD Webcam", "v4l2")
PASSWORD = "ä secret # of joe"

Start = Callable[..., Terminal]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts ``edge setup`` in a terminal, in the folder ``tmp_path``, with these cameras and this local broker."""
    terminals = []

    def make(*arguments: str, cameras: tuple[tuple[str, str, str], ...] = (ONE,), port: int = 0) -> Terminal:
        program = PROGRAM.format(found=cameras, port=port or free_port())
        command = [sys.executable, "-W", "error", "-c", program, "setup", *arguments]
        terminals.append(Terminal(command, tmp_path, environment(tmp_path)))
        return terminals[-1]

    yield make
    for terminal in terminals:
        terminal.__exit__()


def environment(home: Path) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("EDGE_", "XDG_", "SUDO_"))}
    return {**ours, "HOME": str(home), "TMPDIR": str(home), "PYTHONPATH": str(ROOT)}


def config(home: Path) -> Path:
    return home / ".config" / "edge-digits" / "edge.toml"


def is_untouched(home: Path) -> bool:
    return not list(home.glob(".config/**/*")) and not list(home.glob(".local/**/*"))


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Broker]:
    """A broker that lets in joe with his password only."""
    folder = tmp_path / "broker"
    folder.mkdir()
    passwords = password_file(folder / "passwords", joe=PASSWORD)
    broker = Broker(folder, "allow_anonymous false", f"password_file {passwords}")
    yield broker
    broker.kill()


@pytest.fixture
def open_broker(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path / "broker")
    yield broker
    broker.kill()


@pytest.mark.slow
@only_mosquitto("has no passwords")
def test_from_nothing_to_the_first_event(start: Start, tmp_path: Path, locked: Broker) -> None:
    """With every mistake that is usual, and without them six answers."""
    terminal = start()
    seen = terminal.wait_for("MQTT broker")
    assert "imx708 (synthetic:?seed=3&digits=4&hold=100000): 640x480, reads 8012" in seen
    picture = Path(seen.partition("its picture: ")[2].strip())
    assert picture.is_file() and picture.stat().st_mode & 0o077 == 0 and picture.parent.stat().st_mode & 0o077 == 0
    terminal.answer("[none]", "brok er")
    terminal.wait_for("mqtt")
    terminal.answer("MQTT broker, as host or host:port:", f"127.0.0.1:{locked.port}")
    terminal.wait_for("wants a user")
    terminal.answer("Its user", "joe")
    terminal.answer("Password of joe:", "wrong")
    terminal.wait_for("refuses user 'joe' or the password")
    terminal.answer("Its user (- to name another broker): [joe]", "")
    terminal.answer("Password of joe:", PASSWORD)
    terminal.wait_for("(MQTT 5)")
    terminal.answer("Live page", "everybody")
    terminal.wait_for("answer others, this, off")
    terminal.answer("Live page", "off")
    shown = terminal.wait_for("Write this?")
    assert "joe" not in shown and f'-> ["jsonl:-", "mqtt://127.0.0.1:{locked.port}/edge-digits"]' in shown
    terminal.answer("[Y/n]", "perhaps")
    terminal.answer("[Y/n]", "y")
    assert terminal.end() == 0
    assert PASSWORD not in terminal.screen and "wrong" not in terminal.screen
    secret = config(tmp_path).with_name("mqtt-password")
    assert secret.read_text() == f"{PASSWORD}\n" and secret.stat().st_mode & 0o777 == 0o600
    assert tomllib.loads(config(tmp_path).read_text()) == {
        "source": ONE[0],
        "publish": ["jsonl:-", f"mqtt://joe@127.0.0.1:{locked.port}/edge-digits?password_file={secret}"],
    }
    (line,) = [line for line in terminal.screen.splitlines() if "edge run --config" in line]
    command = [sys.executable, "-m", "edge.cli", *line.partition(": edge ")[2].split()]
    with (
        Listener(locked.port, "edge-digits/+/event", user="joe", password=PASSWORD) as listener,
        subprocess.Popen(command, cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.DEVNULL) as process,
    ):
        assert body(listener.next("event"))["text"] == "8012"
        process.terminate()


@pytest.mark.slow
def test_a_broker_on_this_machine_is_found_and_a_second_time_nothing_changes(
    start: Start, tmp_path: Path, open_broker: Broker
) -> None:
    first = start(port=open_broker.port)
    first.wait_for("there is one on this machine")
    first.answer("Live page", "")
    first.answer("Write this?", "")
    assert first.end() == 0 and first.answers == 2
    written = config(tmp_path).read_bytes()
    publish = ["jsonl:-", f"mqtt://127.0.0.1:{open_broker.port}/edge-digits"]
    settings = tomllib.loads(written.decode())
    assert settings.pop("web").startswith("127.0.0.1:808"), "8080, unless another program has it"
    assert settings == {"source": ONE[0], "publish": publish}
    second = start()
    second.answer(f"MQTT broker, as host or host:port: [mqtt://127.0.0.1:{open_broker.port}/edge-digits]", "")
    second.answer("Live page", "")
    second.wait_for("stay as they are")
    assert second.end() == 0 and config(tmp_path).read_bytes() == written
    assert sorted(path.name for path in config(tmp_path).parent.iterdir()) == ["edge.toml"]
    third = start("--yes")
    assert third.end() == 0 and config(tmp_path).read_bytes() == written
    fourth = start("--broker", "none", "--yes")
    assert fourth.end() == 0
    assert config(tmp_path).read_bytes() == written.replace(f', "{publish[1]}"'.encode(), b"")
    assert config(tmp_path).with_name("edge.toml.bak").read_bytes() == written


@pytest.mark.slow
def test_of_two_cameras_one_is_chosen(start: Start, tmp_path: Path) -> None:
    terminal = start("--broker", "none", "--web", "off", "--device", "shed", cameras=(ONE, TWO))
    seen = terminal.wait_for("Which camera?")
    assert "reads 8012" in seen and seen.count("its picture: ") == 2 and "  2  HD Webcam (" in seen
    for wrong, why in (
        ("3", "answer 1 to 2"),
        ("0", "answer 1 to 2"),
        ("webcam", "no source, file or folder is called"),
    ):
        terminal.answer("[1]", wrong)
        terminal.wait_for(why)
    terminal.answer("[1]", "2")
    terminal.answer("Write this?", "y")
    assert terminal.end() == 0
    assert tomllib.loads(config(tmp_path).read_text()) == {"source": TWO[0], "device": "shed"}
    again = start("--broker", "none", "--web", "off", cameras=(ONE, TWO))
    again.answer("Which camera? [2]", "")
    assert again.end() == 0 and "stay as they are" in again.screen


def test_without_a_camera_it_says_why_and_ends(start: Start, tmp_path: Path) -> None:
    terminal = start(cameras=())
    seen = terminal.wait_for("Another source")
    assert "No camera was found." in seen
    terminal.answer("", "nonsense")
    terminal.answer("Another source", "")
    assert terminal.end() == 1
    assert terminal.screen.splitlines()[-1] == (
        "edge: no camera was found; connect one, then run edge setup again; nothing was changed"
    )
    assert is_untouched(tmp_path)


def test_a_source_that_is_typed_is_tried(start: Start, tmp_path: Path) -> None:
    terminal = start("--broker", "none", "--web", "off", cameras=())
    terminal.answer("such as /dev/video0, rtsp://HOST/PATH or synthetic: (empty: end here):", ONE[0])
    shown = terminal.wait_for("Write this?")
    assert f"as typed ({ONE[0]}): 640x480, reads 8012" in shown and "its picture: " in shown
    terminal.answer("", "y")
    assert terminal.end() == 0
    assert tomllib.loads(config(tmp_path).read_text())["source"] == ONE[0]


@pytest.mark.slow
@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_an_interrupted_dialogue_changes_nothing(start: Start, tmp_path: Path, locked: Broker, key: str) -> None:
    dialogue = (
        ("MQTT broker", f"127.0.0.1:{locked.port}\n"),
        ("Its user", "joe\n"),
        ("Password of joe:", f"{PASSWORD}\n"),
        ("Live page", "this\n"),
        ("Write this?", ""),
    )
    for stop in range(len(dialogue)):
        terminal = start()
        for question, answer in dialogue[:stop]:
            terminal.wait_for(question)
            terminal.press(answer)
        terminal.wait_for(dialogue[stop][0])
        terminal.press(key)
        assert terminal.end() == (130 if key == "\x03" else 1)
        assert "nothing was changed" in terminal.screen.splitlines()[-1]
        assert is_untouched(tmp_path)


@pytest.mark.slow
def test_a_broker_that_is_away_is_named_anew_or_used_all_the_same(start: Start, tmp_path: Path) -> None:
    port = free_port()
    terminal = start("--web", "off")
    for again in ("n", "y"):
        terminal.answer("MQTT broker", f"127.0.0.1:{port}")
        terminal.wait_for(f"nothing listens on 127.0.0.1:{port}; is the broker running?")
        terminal.answer("Use it all the same?", again)
    terminal.answer("Write this?", "y")
    assert terminal.end() == 0
    assert f"mqtt://127.0.0.1:{port}/edge-digits" in config(tmp_path).read_text()


@pytest.mark.slow
def test_what_is_written_stays_where_only_the_broker_changes(start: Start, tmp_path: Path, open_broker: Broker) -> None:
    file = tmp_path / "own.toml"
    before = (
        '# mine\nsource = "synthetic:?seed=3&digits=4"  # the desk\npublish = [\n  "jsonl:out.jsonl",  # kept\n]\n\n'
        "[vision]\nmedian = 5 # because\n"
    )
    file.write_text(before)
    file.chmod(0o640)
    terminal = start("--config", "own.toml", "--broker", f"127.0.0.1:{open_broker.port}", cameras=())
    terminal.answer("Live page", "")
    terminal.answer("Write this?", "")
    assert terminal.end() == 0
    lines = file.read_text().splitlines()
    port = next(line for line in lines if line.startswith("web"))
    lines.remove(port)
    lines.remove(f'  "mqtt://127.0.0.1:{open_broker.port}/edge-digits",')
    assert lines == before.splitlines() and file.stat().st_mode & 0o777 == 0o640
    backup = tmp_path / "own.toml.bak"
    assert backup.read_text() == before and backup.stat().st_mode & 0o777 == 0o600


def answers(home: Path, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``edge setup`` without a terminal, with these answers on stdin."""
    command = [sys.executable, "-W", "error", "-c", PROGRAM.format(found=(ONE,), port=free_port()), "setup", *arguments]
    return subprocess.run(
        command, input=text, capture_output=True, text=True, cwd=home, env=environment(home), timeout=patience(60)
    )


def test_answers_may_come_from_a_pipe(tmp_path: Path) -> None:
    done = answers(tmp_path, "none\noff\n\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert tomllib.loads(config(tmp_path).read_text()) == {"source": ONE[0]}
    refused = answers(tmp_path, "none\nthis\nn\n")
    assert (refused.returncode, refused.stderr) == (0, "") and refused.stdout.endswith("Nothing was changed.\n")
    assert tomllib.loads(config(tmp_path).read_text()) == {"source": ONE[0]}


@pytest.mark.parametrize("given", ["", "none\n", "none\noff\n", "none", "\xff\nbroken"])
def test_answers_that_end_too_soon_change_nothing(tmp_path: Path, given: str) -> None:
    done = answers(tmp_path, given)
    assert done.returncode == 1
    assert done.stderr == "edge: the answers ended before the last question; nothing was changed\n"
    assert is_untouched(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("web = \n", "is not valid TOML"),
        ("wbe = ''\n", "wbe: no such setting; did you mean 'web'?"),
        ("\ufeffweb = ''\n", "is not valid TOML"),
        ("[web]\n", "web: "),
    ],
)
def test_settings_that_are_wrong_are_left_alone(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "own.toml").write_text(content)
    done = answers(tmp_path, "", "--config", "own.toml", "--yes")
    assert done.returncode == 1 and done.stdout == "" and len(done.stderr.splitlines()) == 1
    assert words in done.stderr
    assert (tmp_path / "own.toml").read_text() == content


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--source", "nothing:"], "no source is called 'nothing'"),
        (["--broker", "http://x"], "a broker is written as host"),
        (["--broker", "a..b"], "cannot be the name of a computer"),
        (["--web", "8080"], "an address such as 0.0.0.0:8080"),
        (["--device", "my pi"], "a device's name must not be empty or contain"),
        (["--password-file", "nowhere"], "nowhere: no such file"),
        (["--config", "/dev/null/edge.toml"], "cannot be read"),
        (["--config", "."], "cannot be read"),
    ],
)
def test_a_wrong_flag_is_one_line_and_changes_nothing(tmp_path: Path, arguments: list[str], words: str) -> None:
    done = answers(tmp_path, "", *arguments, "--yes")
    assert done.returncode == 1 and words in done.stderr and len(done.stderr.splitlines()) == 1
    assert is_untouched(tmp_path)


def test_a_user_without_a_password_is_refused_where_nothing_can_be_asked(tmp_path: Path) -> None:
    done = answers(tmp_path, "", "--broker", f"127.0.0.1:{free_port()}", "--user", "joe", "--yes")
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert "--user joe: its password is missing; name a file with it by --password-file" in done.stderr
    assert is_untouched(tmp_path)


@pytest.mark.slow
@only_mosquitto("has no passwords")
def test_a_login_may_be_given_as_flags(tmp_path: Path, locked: Broker) -> None:
    (tmp_path / "pw").write_text(f"{PASSWORD}\r\n")
    place = f"127.0.0.1:{locked.port}"
    wrong = answers(tmp_path, "", "--broker", place, "--user", "eve", "--password-file", "pw", "--yes")
    assert wrong.returncode == 1 and "the broker refuses user 'eve'" in wrong.stderr and is_untouched(tmp_path)
    none = answers(tmp_path, "", "--broker", place, "--yes")
    assert none.returncode == 1 and "refuses clients without a user" in none.stderr and is_untouched(tmp_path)
    done = answers(tmp_path, "", "--broker", place, "--user", "joe", "--password-file", "pw", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert config(tmp_path).with_name("mqtt-password").read_text() == f"{PASSWORD}\n"
    typed = answers(tmp_path, "", "--broker", f"mqtt://joe:{'x'}@{place}/other", "--config", "own.toml", "--yes")
    assert typed.returncode == 1 and "refuses user 'joe'" in typed.stderr
    quoted = "".join(f"%{byte:02x}" for byte in PASSWORD.encode())
    typed = answers(tmp_path, "", "--broker", f"mqtt://joe:{quoted}@{place}/other", "--config", "own.toml", "--yes")
    assert (typed.returncode, typed.stderr) == (0, "")
    assert quoted not in (tmp_path / "own.toml").read_text() and quoted not in typed.stdout
    assert (tmp_path / "mqtt-password").read_text() == f"{PASSWORD}\n"
    publish = tomllib.loads((tmp_path / "own.toml").read_text())["publish"]
    assert publish[1] == f"mqtt://joe@{place}/other?password_file={tmp_path / 'mqtt-password'}"


def test_the_pictures_of_a_finished_setup_are_named(tmp_path: Path) -> None:
    done = answers(tmp_path, "", "--yes")
    assert done.returncode == 0
    name = next(line for line in done.stdout.splitlines() if "its picture" in line).partition(": ")[2]
    assert Path(name).read_bytes().startswith(b"\xff\xd8"), "a JPEG"
    assert json.dumps(ONE[0]) in config(tmp_path).read_text()
