"""README and guide are tested too: their commands run, their tables are true, their JSON fits the schema."""

import base64
import importlib
import inspect
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import cv2
import jsonschema
import numpy as np
import pytest

from edge import settings
from edge.commands.check import checks
from edge.commands.tune import CHOICES
from edge.corrections.database import FILE as CORRECTIONS
from edge.corrections.database import Correction, Corrections
from edge.publishers import mqtt, webhook
from edge.sources import SCHEMES
from edge.sources.orientation import orientation_options
from edge.store.store import FILE, Store
from edge.system.state_folder import create
from edge.types import Notice, Pixels
from edge.web.tls import server_context
from tests.docs_pages import PAGES, blocks
from tests.support.patience import patience

ROOT = Path(__file__).parent.parent
GUIDE = "\n".join(page.read_text("utf-8") for page in PAGES)
BIN = Path(sys.executable).parent


LINES = [line.partition("  #")[0].strip() for block in blocks("sh") for line in block.splitlines()]
COMMANDS = list(dict.fromkeys(filter(None, LINES)))
EDGE = [line for line in COMMANDS if line.startswith("edge ")]
NEEDS_HARDWARE = ("edge run$", "edge aim$", "v4l2:", "--web", "watch=1")
NEEDS_BROKER = ("edge watch",)
SLOW = ("edge bench", "edge doctor")
"""Tried by tests of their own, with less to do; these two also tell of the machine."""
RUN = [line for line in EDGE if not any(word in f"{line}$" for word in NEEDS_HARDWARE + NEEDS_BROKER + SLOW)]
SERVICE = "sudo /opt/edge-digits/bin/edge "
SERVICES = [line for line in COMMANDS if re.match(f"{SERVICE}(token|corrections|history|run --check)", line)]
ELSEWHERE = {
    "make": "test_its_make_targets_and_packages_are_there",
    "pip": "test_its_make_targets_and_packages_are_there",
    "~/edge/bin/pip": "test_its_make_targets_and_packages_are_there",
    "edge-convert": "test_its_converting_runs, test_its_training_and_converting_are_understood",
    "edge-train": "test_its_training_and_converting_are_understood",
    "openssl": "test_its_certificate_is_one_that_the_page_takes",
    "curl": "test_what_it_asks_by_http_is_described",
}
"""The other commands' first words, and the tests that look at them."""
SYSTEM = (
    "sudo (make install|systemd/install.sh (install --from edge-digits|upgrade|uninstall( --purge)?))",
    "sudo (apt install -y|install (-o edge-digits )?-m 600|cp|sudoedit|systemctl (edit edge.service|restart edge)) ?.*",
    "sudoedit /etc/edge-digits/.*",
    "systemctl (status|reload) edge",
    "journalctl -fu edge",
    "ssh -L 8080:127.0.0.1:8080 pi",
    "python3 -m venv --system-site-packages ~/edge",
    f"{SERVICE}(model rollback|doctor) --config /etc/edge-digits/edge.toml",
    f"{SERVICE}setup",
    r'echo "whsec_\$\(openssl rand -base64 32\)"',
)
"""What changes or asks the whole machine: tests/machine runs these."""
BY_HAND = (
    "python3.11 -m venv onnx",
    'onnx/bin/pip install "onnx2tf[tensorflow]==1.29.24"',
    'PATH="$PWD/onnx/bin:$PATH" onnx2tf -i model.onnx -o saved',
)
"""What installs gigabytes of another project: tried by hand whenever its version here changes."""


@pytest.fixture
def desk(page: Callable[..., Pixels], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the README's commands find what they name."""
    cv2.imwrite(str(tmp_path / "desk.jpg"), page("2357", "4680"))
    (tmp_path / "scans").mkdir()
    cv2.imwrite(str(tmp_path / "scans" / "one.png"), page("23"))
    (tmp_path / "mnist.tflite").write_bytes((ROOT / "models" / "mnist.tflite").read_bytes())
    (tmp_path / "edge.toml").write_text('source = "files:scans/*.png"\n')
    # Named, as this machine may have the service, too.
    monkeypatch.setenv("EDGE_STATE", str(tmp_path / "state"))
    with Store(create(str(tmp_path / "state")) / FILE, device="desk") as store:
        store.append(Notice("camera", "running", "picamera2:0", datetime.now(UTC), None))
    with Corrections(tmp_path / "state" / CORRECTIONS) as corrections:
        glyph = np.zeros((28, 28), np.uint8)
        corrections.add(Correction(label=7, read=1, confidence=0.9, source="desk", model="mnist", glyph=glyph))
    return tmp_path


def run(command: list[str], folder: Path, stdin: IO[bytes] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=environment(),
        stdin=stdin,
        capture_output=True,
        text=True,
        timeout=patience(300),
    )


def environment() -> dict[str, str]:
    return {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}


@pytest.mark.parametrize("line", COMMANDS)
def test_each_of_its_commands_is_known_to_a_test(line: str) -> None:
    assert line in (*EDGE, *SERVICES, *BY_HAND) or line.split()[0] in ELSEWHERE or re.fullmatch("|".join(SYSTEM), line)


@pytest.mark.parametrize("line", RUN)
def test_its_edge_commands_run(line: str, desk: Path) -> None:
    command, _, given = line.partition(" < ")
    _, *arguments = shlex.split(command, comments=True)
    with Path(desk / given if given else os.devnull).open("rb") as stdin:
        done = run([sys.executable, "-m", "edge.cli", *arguments], desk, stdin)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("line", SERVICES)
def test_its_commands_for_the_service_find_what_it_keeps(
    line: str, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EDGE_STATE")
    service = (ROOT / "systemd" / "edge.toml").read_text("utf-8").replace("/var/lib/edge-digits", str(desk / "state"))
    (desk / "service.toml").write_text(service)
    # A Pi has it from apt; here only whether it can be imported is checked.
    (desk / "picamera2.py").touch()
    _, _, *arguments = shlex.split(line.replace("/etc/edge-digits/edge.toml", "service.toml"), comments=True)
    done = run([sys.executable, "-m", "edge.cli", *arguments], desk)
    assert (done.returncode, done.stderr) == (0, "") and "service.toml" in arguments and len(SERVICES) == 4


@pytest.mark.parametrize("line", [line for line in EDGE if any(word in line for word in NEEDS_BROKER)])
def test_its_broker_commands_are_understood(line: str, desk: Path) -> None:
    """Where nobody listens they say so, and nothing else."""
    _, *arguments = shlex.split(line.replace("broker.local", "127.0.0.1:1"), comments=True)
    done = run([sys.executable, "-m", "edge.cli", *arguments], desk)
    assert done.returncode == 1
    assert re.fullmatch(r"edge: mqtt://127\.0\.0\.1:1/edge-digits: nothing listens .*\n", done.stderr)


def make_certificate(folder: Path) -> list[str]:
    """Run the guide's commands of openssl there; what they print."""
    if not shutil.which("openssl"):
        pytest.skip("needs openssl")
    return [run(shlex.split(line), folder).stdout for line in COMMANDS if line.startswith("openssl ")]


def test_its_certificate_is_one_that_the_page_takes(tmp_path: Path) -> None:
    assert re.match("sha256 Fingerprint=[0-9A-F:]{95}$", make_certificate(tmp_path)[-1], re.IGNORECASE)
    assert server_context(str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"))


@pytest.mark.parametrize("line", [line for line in EDGE if any(word in f"{line}$" for word in NEEDS_HARDWARE)])
def test_its_camera_commands_are_understood(line: str, desk: Path) -> None:
    """Without the camera they wait for it, and for nothing else; there is nothing to aim then."""
    _, *arguments = shlex.split(line, comments=True)
    if "cert.pem" in line:
        make_certificate(desk)
    aims = arguments[0] == "aim"
    command = [sys.executable, "-m", "edge.cli", *arguments, *([] if aims else ["--frames", "1"])]
    with subprocess.Popen(command, cwd=desk, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        if "live page" in said:
            said = process.stderr.readline()
        process.terminate()
        process.communicate(timeout=patience(30))
    # It may be at its own end already.
    assert process.returncode in ((1, -signal.SIGTERM) if aims else (0,))
    assert not said or re.search("camera|picamera2|/dev/video0|/srv/scans", said)


@pytest.mark.parametrize("line", [line for line in EDGE if line.startswith(SLOW)])
@pytest.mark.slow
def test_its_commands_about_the_machine_run(line: str, desk: Path) -> None:
    _, *arguments = shlex.split(line, comments=True)
    done = run([sys.executable, "-m", "edge.cli", *arguments, *(["--frames", "5"] if "bench" in line else [])], desk)
    # The doctor finds something to warn of on most machines.
    assert done.returncode == 0 or ("doctor" in line and done.returncode == 1)
    assert not done.stderr


@pytest.mark.skipif(find_spec("tensorflow") is None, reason="no TensorFlow here")
@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith(("edge-convert", "edge-train"))])
def test_its_training_and_converting_are_understood(line: str, tmp_path: Path) -> None:
    """In an empty folder they miss the first file that they want, and nothing else is wrong."""
    name, *arguments = shlex.split(line, comments=True)
    arguments += [] if "inspect" in arguments else ["--data", "nowhere"]
    main = {"edge-convert": "convert_main", "edge-train": "train_main"}[name]
    program = f"import sys; from convert.cli import {main}; sys.exit({main}())"
    done = run([sys.executable, "-c", program, *arguments], tmp_path)
    assert done.returncode == 1
    assert re.fullmatch(r"[^\n]*(no such file|not found|is missing)[^\n]*\n", done.stderr)


def test_what_it_asks_by_http_is_described() -> None:
    from edge.web.app import description

    paths = description()["paths"]
    asked = [re.findall(r"http://127.0.0.1:8080(/\S+)", line) for line in COMMANDS if line.startswith("curl ")]
    assert asked and all(path in paths for found in asked for path in found)


@pytest.mark.slow
def test_its_converting_runs(data: Path, tmp_path: Path) -> None:
    line = next(line for line in COMMANDS if line.startswith("edge-convert models/"))
    _, *arguments = shlex.split(line)
    program = "import sys; from convert.cli import convert_main; sys.exit(convert_main())"
    command = [sys.executable, "-c", program, *arguments, "--data", str(data / "mnist")]
    command[3] = str(ROOT / command[3])
    done = run(command, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mnist-report", "mnist.tflite"]


def test_its_python_runs(desk: Path) -> None:
    for block in blocks("python"):
        if "import edge" not in block:
            continue
        done = run([sys.executable, "-W", "error", "-c", block], desk)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("2357\n4680\n")


def test_its_make_targets_and_packages_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for line in COMMANDS:
        if line.startswith("make "):
            assert re.search(rf"^{line.split()[1]}:", makefile, re.MULTILINE)
        for name, extra in re.findall(r"(edge-digits|(?<=['\" ])\.)(?:\[(\w+)\])?", line):
            assert name in (project["name"], ".")
            assert not extra or extra in project["optional-dependencies"]


def test_its_json_fits_the_schema() -> None:
    for block in blocks("json"):
        body = json.loads(block)
        kind = "event" if "event" in body else "reading"
        if kind == "event":
            # What the store adds.
            assert {"device", "boot_id", "seq"} <= body.keys()
            body = {name: value for name, value in body.items() if name not in ("device", "boot_id", "seq")}
        schema = json.loads((ROOT / "edge" / "schema" / f"{kind}.json").read_text("utf-8"))
        jsonschema.validate(body, schema, format_checker=jsonschema.FormatChecker())


def test_its_table_of_topics_is_that_of_the_publisher() -> None:
    words = {"retained": "yes", "optional": "optional", "": "no"}
    declared = {
        topic: "never" if topic.startswith("set/") else words[kept]
        for topic, kept in re.findall(r"^``([\w/]+)``\s+(retained|optional|)", mqtt.__doc__ or "", re.MULTILINE)
    }
    rows = re.findall(r"^\| (`[^|]+`) \| (yes|no|never|optional) \|", GUIDE, re.MULTILINE)
    assert {topic: kept for topics, kept in rows for topic in re.findall(r"`([^`]+)`", topics)} == declared


def test_its_check_of_a_webhook_knows_ours_from_others() -> None:
    (block,) = (block for block in blocks("python") if "webhook-signature" in block)
    told: dict[str, Any] = {}
    exec(block, told)
    secret, sent, now = bytes(range(32)), '{"text": "é"}'.encode(), int(time.time())

    def known(body: bytes = sent, moment: int = now, key: bytes = secret) -> bool:
        signature = webhook.signature(secret, "3f2a-7", moment, sent)
        headers = {"webhook-id": "3f2a-7", "webhook-timestamp": str(moment), "webhook-signature": signature}
        return bool(told["is_ours"](headers, body, f"whsec_{base64.b64encode(key).decode()}\n"))

    assert known()
    assert not known(body=sent + b" ")
    assert not known(key=bytes(32))
    assert not known(moment=now - 3600)


def test_its_lines_for_systemd_are_those_of_the_unit() -> None:
    unit = (ROOT / "systemd" / "edge.service").read_text("utf-8")
    assert len(set(blocks("ini"))) == 2
    for block in blocks("ini"):
        head, line = block.splitlines()
        assert head == "[Service]"
        assert f"# {line}\n" in unit


@pytest.mark.parametrize("text", dict.fromkeys(blocks("toml")))
def test_its_settings_are_settings(text: str, tmp_path: Path) -> None:
    (tmp_path / "mqtt-password").write_text("pw\n")
    (tmp_path / "webhook-secret").write_text(f"whsec_{base64.b64encode(bytes(range(32))).decode()}\n")
    (tmp_path / "model.tflite").write_bytes((ROOT / "models" / "mnist.tflite").read_bytes())
    text = text.replace("/etc/edge-digits", str(tmp_path)).replace("/var/lib/edge-digits", str(tmp_path))
    (tmp_path / "edge.toml").write_text(text.replace('"model.tflite"', f'"{tmp_path}/model.tflite"'))
    # What is named is what is looked at; a camera is another machine's.
    assert all(look() for what, look in checks(settings.load_settings(tmp_path / "edge.toml")) if what != "source")


def test_its_table_of_settings_is_the_declared_one() -> None:
    assert settings.markdown() in GUIDE


def test_its_table_of_choices_has_every_choice() -> None:
    table = (ROOT / "docs" / "cleaning.md").read_text("utf-8")
    assert len(re.findall(r"^\| (?:`|\*\*)", table, re.MULTILINE)) == len(CHOICES)


def test_its_table_of_sources_is_the_declared_one() -> None:
    for scheme, place in SCHEMES.items():
        module, _, name = place.partition(":")
        parameters = inspect.signature(getattr(importlib.import_module(module), name)).parameters.values()
        options = {parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY}
        row = re.search(rf"^\| `{scheme}:.*$", (ROOT / "docs" / "cameras.md").read_text("utf-8"), re.MULTILINE)
        assert row, scheme
        assert set(re.findall(r"`(\w+)`", row.group().rpartition("|")[0].rpartition("|")[2])) == options
    for option in inspect.signature(orientation_options).parameters:
        assert f"\n| `{option}` | of every source: " in (ROOT / "docs" / "cameras.md").read_text("utf-8")
