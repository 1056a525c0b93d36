"""`edge doctor` on machines that are laid out here: their files under a folder, their commands' answers in a table."""

import dataclasses
import json
import os
import subprocess
import sys
import threading
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from edge.commands.doctor import (
    cameras,
    computer,
    libcamera,
    output,
    permissions,
    report,
    software,
    unit,
    view,
)
from edge.commands.doctor.examine import CHECKS, examine
from edge.commands.doctor.finding import failure, ok, warning
from edge.commands.doctor.machine import Machine, User, here
from edge.model import trial
from edge.model.registry import ModelRegistry
from edge.settings import Settings
from edge.system.command import MISSING, TIMED_OUT, Done, run
from tests.support.mosquitto import AMQTT, Broker, Listener
from tests.support.patience import patience

SCHEMA = json.loads((files("edge") / "schema" / "doctor.json").read_text("utf-8"))
PI = "Raspberry Pi 4 Model B Rev 1.5\0"
UNIT = """[Service]
ExecStart=/opt/edge-digits/bin/edge run --config /etc/edge-digits/edge.toml
User=edge-digits
SupplementaryGroups=video render
StateDirectory=edge-digits
"""
NOT_BOOTED = "System has not been booted with systemd as init system (PID 1). Can't operate."


@pytest.fixture
def lay(tmp_path):
    """Lays out a machine: files, what commands answer (by a word in them), and what the user may not use."""

    def make(written=(), answers=(), barred=(), free=10**10, **given):
        for name, text in dict(written).items():
            path = tmp_path / name.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        answers = dict(answers)

        def answer(command):
            return next((done for word, done in answers.items() if word in " ".join(command)), Done(MISSING))

        settings = Settings(**{key: given.pop(key) for key in ("source", "publish", "model") if key in given})
        defaults = {"architecture": "aarch64", "bits": 64, "python": (3, 13), "process": 1, "prefix": tmp_path / "venv"}
        return Machine(
            settings=settings,
            root=tmp_path,
            run=answer,
            user=User("pi", 1000),
            may_use=lambda path: f"/{path.relative_to(tmp_path)}" not in barred,
            free_bytes=lambda path: free,
            **{**defaults, **given},
        )

    return make


def found(check, machine):
    findings = list(check(machine))
    assert all(bool(f.why) == bool(f.mend) == (f.level != "ok") for f in findings), findings
    return findings


def one(check, machine):
    (finding,) = found(check, machine)
    return finding


def test_a_pi_is_known_by_its_device_tree(lay):
    assert one(computer.computer, lay()).said == "not a Raspberry Pi (aarch64)"
    assert one(computer.computer, lay({"/proc/device-tree/model": "Radxa ROCK 5B\0"})).said.startswith("not a")
    assert one(computer.computer, lay({"/proc/device-tree/model": PI})).said == "Raspberry Pi 4 Model B Rev 1.5"


@pytest.mark.parametrize(
    ("pi", "codename", "level"),
    [(PI, "trixie", "ok"), (PI, "bullseye", "warning"), ("", "bullseye", "ok")],
)
def test_the_system_is_judged_on_a_pi(lay, pi, codename, level):
    release = f'PRETTY_NAME="A Linux ({codename})"\nVERSION_CODENAME={codename}\n'
    finding = one(computer.system, lay({"/proc/device-tree/model": pi, "/etc/os-release": release}))
    assert (finding.level, finding.said) == (level, f"A Linux ({codename})")


@pytest.mark.parametrize(
    ("bits", "version", "pi", "kernel", "level", "word"),
    [
        (64, (3, 14), PI, "aarch64", "ok", "64 bits"),
        (32, (3, 11), PI, "aarch64", "warning", "tflite-runtime, which is no longer maintained"),
        (32, (3, 13), PI, "aarch64", "warning", "write 64-bit Raspberry Pi OS"),
        (32, (3, 13), PI, "armv7l", "warning", "as this processor can run it"),
        (32, (3, 13), "Raspberry Pi Zero 2 W Rev 1.0", "armv7l", "warning", "64-bit"),
        (32, (3, 13), "Raspberry Pi Zero W Rev 1.1", "armv6l", "ok", "no 64 bits"),
        (32, (3, 13), "Raspberry Pi 2 Model B Rev 1.1", "armv7l", "ok", "no 64 bits"),
    ],
)
def test_32_bits_are_told_of_64_where_the_processor_has_them(lay, bits, version, pi, kernel, level, word):
    machine = dataclasses.replace(lay({"/proc/device-tree/model": pi}, bits=bits, python=version), architecture=kernel)
    finding = one(computer.python, machine)
    assert finding.level == level and word in f"{finding.said} {finding.why}"


@pytest.mark.parametrize(
    ("pi", "degrees", "level"),
    [(PI, 62000, "ok"), (PI, 80000, "warning"), (PI, 85100, "failure"), ("", 95000, "ok")],
)
def test_the_hottest_sensor_counts(lay, pi, degrees, level):
    zones = {f"/sys/class/thermal/thermal_zone{n}/temp": f"{t}\n" for n, t in enumerate((40000, degrees, 41000))}
    finding = one(computer.temperature, lay({"/proc/device-tree/model": pi, **zones}))
    assert (finding.level, finding.said) == (level, f"{degrees / 1000:.0f} °C")


def test_every_bit_of_get_throttled_has_its_meaning():
    assert computer.decode_throttled(0) == ([], [])
    assert computer.decode_throttled(0x50005) == (["under-voltage", "throttled"], ["under-voltage", "throttled"])
    assert computer.decode_throttled(0xA0000) == ([], ["clock capped", "soft temperature limit"])
    assert computer.decode_throttled(0xA) == (["clock capped", "soft temperature limit"], [])


@pytest.mark.parametrize(
    ("answer", "level", "word"),
    [
        (Done(0, "throttled=0x0\n"), "ok", "no under-voltage"),
        (Done(0, "throttled=0x50000\n"), "warning", "since start: under-voltage, throttled"),
        (Done(0, "throttled=0x50005\n"), "failure", "now: under-voltage, throttled; since start"),
        (Done(0, "throttled=0x80008\n"), "warning", "now: soft temperature limit"),
        (Done(255, "", "Can't open device file: /dev/vcio\n"), "warning", "/dev/vcio"),
        (Done(MISSING), "warning", "not installed"),
    ],
)
def test_a_pi_is_asked_for_its_power(lay, answer, level, word):
    finding = one(computer.power, lay({"/proc/device-tree/model": PI}, {"vcgencmd": answer}))
    assert finding.level == level and word in finding.said
    assert one(computer.power, lay({"/proc/device-tree/model": ""}, {"vcgencmd": answer})).level == "ok"


@pytest.mark.parametrize(
    ("answer", "level"),
    [
        (Done(0, "yes\n"), "ok"),
        (Done(0, "no\n"), "warning"),
        (Done(1, "", NOT_BOOTED), "ok"),
        (Done(MISSING), "ok"),
        (Done(TIMED_OUT, "", "no answer within 4 s"), "warning"),
    ],
)
def test_the_clock(lay, answer, level):
    assert one(computer.clock, lay(answers={"timedatectl": answer})).level == level
    synchronised = {"/run/systemd/timesync/synchronized": ""}
    assert one(computer.clock, lay(synchronised, {"timedatectl": answer})).level == "ok"


RUNS = Done(0, json.dumps({**trial.EMPTY_ANSWER, "version": "2.1", "model": "mnist sha256:ab"}))
REFUSED = Done(0, json.dumps({**trial.EMPTY_ANSWER, "version": "2.1", "error": "bad.tflite: is no model"}))
ABSENT = Done(0, json.dumps({**trial.EMPTY_ANSWER, "here": False}))
CRASHED = Done(-11)


@pytest.mark.parametrize(
    ("litert", "old", "levels"),
    [
        (RUNS, ABSENT, ["ok"]),
        (RUNS, CRASHED, ["ok", "warning"]),
        (REFUSED, ABSENT, ["failure"]),
        (CRASHED, RUNS, ["warning", "ok"]),
        (Done(TIMED_OUT, "", "no answer"), ABSENT, ["warning"]),
    ],
)
def test_each_runtime_is_tried(lay, litert, old, levels):
    machine = lay(answers={"ai_edge_litert bad.tflite": litert, "tflite_runtime bad.tflite": old}, model="bad.tflite")
    findings = found(software.runtimes, machine)
    assert [finding.level for finding in findings] == levels
    if litert == REFUSED:
        assert findings[0].mend == "edge doctor --model ''"
    if CRASHED in (litert, old):
        assert any("crashes the TFLite runtime (SIGSEGV)" in finding.said for finding in findings)


SLOW = Done(
    0,
    json.dumps(
        {**trial.EMPTY_ANSWER, "version": "NumPy 2.2.4 in place of a TFLite runtime", "model": "mnist sha256:ab"}
    ),
)


@pytest.mark.parametrize(
    ("bits", "version", "kernel", "answer", "level", "mend"),
    [
        (64, (3, 13), "aarch64", SLOW, "warning", "install ai-edge-litert"),
        (32, (3, 11), "aarch64", SLOW, "warning", "install tflite-runtime"),
        (32, (3, 13), "aarch64", SLOW, "ok", ""),
        (32, (3, 13), "armv6l", SLOW, "ok", ""),
        (64, (3, 13), "aarch64", REFUSED, "failure", "install ai-edge-litert"),
        (32, (3, 13), "armv7l", REFUSED, "failure", "edge doctor --model ''"),
        (32, (3, 13), "armv7l", Done(TIMED_OUT, "", "no answer"), "warning", ""),
    ],
)
def test_without_a_runtime_numpy_is_tried_and_named(lay, bits, version, kernel, answer, level, mend):
    answers = {"ai_edge_litert": ABSENT, "tflite_runtime": ABSENT, "numpy": answer}
    machine = dataclasses.replace(lay(answers=answers, bits=bits, python=version), architecture=kernel)
    finding = one(software.runtimes, machine)
    assert finding.level == level and finding.mend.endswith(mend)
    if answer == SLOW:
        assert finding.said.startswith("NumPy 2.2.4 in place of a TFLite runtime, with mnist sha256:ab: reads")


@pytest.mark.parametrize("service", [False, True])
def test_a_model_that_crashed_the_program_is_named(lay, tmp_path, service):
    """Its file is still there, but the one before is used."""
    unit = "ExecStart=/opt/edge-digits/bin/edge run --config /etc/edge-digits/edge.toml\nStateDirectory=edge-digits\n"
    unit_file = {"/etc/systemd/system/edge.service": unit} if service else {}
    given = {"model": "m.tflite", "config": "/etc/edge-digits/edge.toml"} if service else {"model": "/home/pi/m.tflite"}
    folder = "/var/lib/edge-digits" if service else "/home/pi/state"
    name = f"{folder}/m.tflite" if service else "/home/pi/m.tflite"
    machine = lay({name: "bad", **unit_file}, **given)
    machine = dataclasses.replace(machine, settings=dataclasses.replace(machine.settings, state=folder))
    assert one(software.model, machine).said == given["model"], "nothing was accepted yet"
    registry = ModelRegistry(machine.path(folder))
    registry.folder.parent.mkdir(parents=True, exist_ok=True)
    for content in (b"good", b"bad"):
        registry.accept(Path(name), content)
    assert one(software.model, machine).level == "ok"
    assert registry.give_up(Path(name), b"bad")
    finding = one(software.model, machine)
    assert finding.said == f"{given['model']}: crashed the program again and again"
    assert finding.mend == (
        f"sudo {tmp_path}/venv/bin/edge model rollback --config /etc/edge-digits/edge.toml"
        if service
        else "edge model rollback --model /home/pi/m.tflite"
    )
    machine.path(name).write_text("better")
    assert one(software.model, machine).level == "ok"


def test_the_real_runtime_runs_the_real_model_and_refuses_no_model(tmp_path):
    def levels(settings):
        machine = dataclasses.replace(here(settings), run=lambda command: run(command, seconds=patience(4)))
        return {finding.level for finding in found(software.runtimes, machine)}

    assert "ok" in levels(Settings())
    (tmp_path / "bad.tflite").write_bytes(b"\x1c\0\0\0TFL3" + bytes(range(100)))
    assert levels(Settings(model=str(tmp_path / "bad.tflite"))) == {"failure"}


@pytest.mark.parametrize(
    ("pi", "answer", "level"),
    [
        (PI, Done(0, "1.26.4 with\n"), "ok"),
        ("", Done(0, "2.4.1 \n"), "ok"),
        (PI, Done(1, "", "Traceback\nValueError: numpy.dtype size changed, may indicate binary\n"), "failure"),
        ("", Done(1, "", "ImportError: numpy.core.multiarray failed to import\n"), "warning"),
        (PI, CRASHED, "failure"),
    ],
)
def test_numpy_against_what_apt_built_on_it(lay, pi, answer, level):
    finding = one(software.numpy, lay({"/proc/device-tree/model": pi}, {"simplejpeg": answer}))
    assert finding.level == level
    assert level == "ok" or finding.mend.endswith("bin/pip install 'numpy<2' 'opencv-python-headless<4.12'")


NO_LIBCAMERA = Done(1, "", "Traceback (most recent call last):\nModuleNotFoundError: No module named 'libcamera'\n")
TWO = Done(0, 'noise\n[{"Model": "imx708", "Num": 0}, {"Model": "ov5647", "Num": 1}]\n')


@pytest.mark.parametrize(
    ("pi", "source", "answer", "level", "said"),
    [
        (PI, "picamera2:1", TWO, "ok", "works; camera 0 is imx708, 1 is ov5647"),
        (PI, "picamera2:2", TWO, "failure", "camera 2 was not found (0 is imx708, 1 is ov5647)"),
        (PI, "picamera2:", Done(0, "[]\n"), "failure", "camera 0 was not found (none is connected)"),
        (PI, "v4l2:", Done(0, "[]\n"), "ok", "works; no camera is connected"),
        (PI, "picamera2:0", NO_LIBCAMERA, "failure", "No module named"),
        (PI, "v4l2:", NO_LIBCAMERA, "warning", "No module named"),
        ("", "picamera2:0", NO_LIBCAMERA, "warning", "No module named"),
        ("", "v4l2:", NO_LIBCAMERA, "ok", "not installed"),
        (PI, "picamera2:0", CRASHED, "failure", "crashes"),
        (PI, "picamera2:0", Done(TIMED_OUT, "", "no answer within 4 s"), "warning", "no answer"),
    ],
)
def test_libcamera_and_its_cameras(lay, pi, source, answer, level, said):
    machine = lay({"/proc/device-tree/model": pi}, {"libcamera": answer}, source=source)
    finding = one(libcamera.libcamera, machine)
    assert finding.level == level and said in finding.said


@pytest.mark.parametrize(
    ("theirs", "system_packages", "mend"),
    [
        ("python3.13", "false", "sed -i '/^include-system/s/false/true/' {venv}/pyvenv.cfg && sudo apt install"),
        ("python3.11", "true", "/usr/bin/python3 -m venv --clear --system-site-packages {venv} && {venv}/bin/pip"),
        ("python3.13", "true", "sudo apt install -y python3-picamera2"),
    ],
)
def test_why_a_venv_has_no_libcamera(lay, tmp_path, theirs, system_packages, mend):
    config = f"home = /usr/bin\ninclude-system-site-packages = {system_packages}\nversion = 3.13.5\n"
    machine = lay({"/proc/device-tree/model": PI, "/venv/pyvenv.cfg": config}, {"libcamera": NO_LIBCAMERA})
    (tmp_path / "usr" / "bin").mkdir(parents=True)
    (tmp_path / "usr" / "bin" / "python3").symlink_to(theirs)
    assert one(libcamera.libcamera, machine).mend.startswith(mend.format(venv=tmp_path / "venv"))


DEVICES = {
    "/dev/video0": "",
    "/dev/video10": "",
    "/sys/class/video4linux/video0/name": "HD Webcam\n",
    "/sys/class/video4linux/video10/name": "bcm2835-codec-decode\n",
}


@pytest.mark.parametrize(
    ("source", "level", "said"),
    [
        ("v4l2:", "ok", "HD Webcam (/dev/video0)"),
        ("v4l2:/dev/video0?fps=5", "ok", "HD Webcam (/dev/video0)"),
        ("/dev/video0?fps=5", "ok", "HD Webcam (/dev/video0)"),
        ("/dev/video3", "failure", "/dev/video3 does not exist; found HD Webcam (/dev/video0)"),
        ("v4l2:/dev/video3", "failure", "/dev/video3 does not exist; found HD Webcam (/dev/video0)"),
        ("v4l2:/dev/video10", "failure", "/dev/video10 is bcm2835-codec-decode"),
        ("files:x", "ok", "HD Webcam (/dev/video0)"),
    ],
)
def test_cameras_that_linux_shows(lay, source, level, said):
    finding = one(cameras.cameras, lay(DEVICES, source=source))
    assert (finding.level, finding.said) == (level, said)


def test_without_a_camera_only_a_source_that_needs_one_fails(lay):
    assert one(cameras.cameras, lay(source="synthetic:")).level == "ok"
    assert one(cameras.cameras, lay(source="v4l2:")).level == "failure"


@pytest.mark.parametrize(
    ("source", "command", "level"),
    [
        ("v4l2:/dev/video0", "motion\0-n\0", "warning"),
        ("picamera2:0", "motion\0", "warning"),
        ("v4l2:/dev/video2", "motion\0", "ok"),
        ("synthetic:", "motion\0", "ok"),
        ("v4l2:/dev/video0", "/opt/e/bin/python\0/opt/e/bin/edge\0run\0", "ok"),
        ("picamera2:0", "/usr/bin/wireplumber\0", "ok"),
    ],
)
def test_who_holds_a_camera(lay, tmp_path, source, command, level):
    machine = lay({"/proc/812/cmdline": command, "/proc/1/cmdline": "ourselves"}, source=source)
    for process in ("812", "1"):
        (tmp_path / "proc" / process / "fd").mkdir()
        (tmp_path / "proc" / process / "fd" / "3").symlink_to("/dev/video0")
        (tmp_path / "proc" / process / "fd" / "4").symlink_to("/dev/video0")
    finding = one(cameras.in_use, machine)
    assert finding.level == level and finding.said.startswith("/dev/video0 is used by process 812, ")
    assert finding.mend == ("sudo kill 812" if level == "warning" else "")


def test_a_camera_named_by_a_link_of_udev_is_the_device_it_leads_to(lay, tmp_path):
    """As edge setup writes it."""
    files = {
        "/dev/video0": "",
        "/dev/video2": "",
        "/sys/class/video4linux/video0/name": "unicam\n",
        "/sys/class/video4linux/video2/name": "C920\n",
        "/proc/7/cmdline": "cheese",
    }
    machine = lay(files, source="v4l2:/dev/v4l/by-id/usb-C920-video-index0")
    link = tmp_path / "dev/v4l/by-id/usb-C920-video-index0"
    link.parent.mkdir(parents=True)
    link.symlink_to("../../video2")
    (tmp_path / "proc/7/fd").mkdir()
    (tmp_path / "proc/7/fd/3").symlink_to("/dev/video2")
    assert one(cameras.cameras, machine).level == "ok"
    assert one(cameras.in_use, machine).mend == "sudo kill 7"
    link.unlink()
    link.symlink_to("../../video0")
    assert one(cameras.cameras, machine).said.endswith(" is unicam")


def test_who_may_use_the_devices_of_a_camera(lay):
    pi = {"/proc/device-tree/model": PI, "/dev/video0": "", "/dev/dri/renderD128": "", "/dev/dma_heap/system": ""}
    assert one(permissions.groups, lay(pi)).level == "ok"
    barred = one(permissions.groups, lay(pi, barred=["/dev/video0", "/dev/dri/renderD128"]))
    assert (barred.level, barred.mend) == ("failure", "sudo usermod -aG render,video pi")
    assert barred.said == "pi may not use /dev/dri/renderD128 and 1 more"
    joined = lay({"/etc/group": "video:x:44:root,pi\n"}, barred=["/dev/video0"])
    assert one(permissions.groups, joined).mend == "newgrp video"
    assert one(permissions.groups, dataclasses.replace(joined, settings=Settings(source="files:x"))).level == "warning"


def test_a_graphics_card_is_no_camera(lay):
    machine = lay({"/dev/dri/renderD128": "", "/dev/dma_heap/system": ""}, barred=["/dev/dri/renderD128"])
    assert one(permissions.groups, machine).level == "ok"


def test_the_services_user_is_asked_for_too(lay):
    written = {"/dev/video0": "", "/etc/systemd/system/edge.service": UNIT}
    assert [f.level for f in found(permissions.groups, lay(written, source="v4l2:"))] == ["ok", "ok"]
    without = {**written, "/etc/systemd/system/edge.service": UNIT.replace("video render", "")}
    _, service = found(permissions.groups, lay(without, source="v4l2:"))
    assert (service.level, service.mend.split(" && ")[0]) == ("failure", "sudo usermod -aG video edge-digits")
    its_own = lay(written, barred=["/dev/video0"], source="v4l2:", config="/etc/edge-digits/edge.toml")
    assert one(permissions.groups, its_own).level == "ok"


@pytest.mark.parametrize(("free", "level"), [(10**7, "failure"), (10**8, "warning"), (10**10, "ok")])
def test_the_disks_space(lay, free, level):
    assert one(output.disk, lay({"/var/lib/x": ""}, free=free)).level == level


def test_a_read_only_disk_and_another_owner(lay, tmp_path):
    mounts = "/dev/root / ext4 rw,noatime 0 0\n/dev/root / ext4 ro,noatime 0 0\ntmpfs /tmp tmpfs rw 0 0\n"
    read_only = found(output.disk, lay({"/var/lib/x": "", "/proc/self/mounts": mounts}))
    assert [f.level for f in read_only] == ["ok", "failure"] and "remount" in read_only[1].mend
    written = {"/etc/systemd/system/edge.service": UNIT, "/var/lib/edge-digits/x": "", "/proc/self/mounts": ""}
    passwd = f"joe:x:{tmp_path.stat().st_uid}:1::/:/bin/sh\nedge-digits:x:99999:1::/:/bin/sh\n"
    space, owner = found(output.disk, lay({**written, "/etc/passwd": passwd}))
    assert "at /var/lib/edge-digits" in space.said
    assert (owner.level, owner.mend) == ("failure", "sudo chown -R edge-digits: /var/lib/edge-digits")


def test_where_readings_go(lay):
    written = {"/data/old.jsonl": "", "/data/folder/x": ""}
    names = ["-", "/data/new.jsonl", "/data/old.jsonl", "/none/a.jsonl", "/data/folder"]
    findings = found(output.publishers, lay(written, publish=(*(f"jsonl:{name}" for name in names), "mqt://x")))
    assert [f.level for f in findings] == ["ok", "ok", "ok", "failure", "failure", "failure"]
    assert findings[3].mend == "mkdir -p /none"
    barred = one(output.publishers, lay(barred=["/data/old.jsonl"], publish=("jsonl:/data/old.jsonl",)))
    assert (barred.level, barred.mend) == ("failure", "sudo chown pi /data/old.jsonl")


def test_a_broker_is_asked_whether_it_lets_us_in(lay, tmp_path):
    there = Broker(tmp_path / "broker")
    try:
        with Listener(there.port, "#") as listener:
            fine = one(output.publishers, lay(publish=(f"mqtt://127.0.0.1:{there.port}/home",)))
            spoken = "MQTT 3.1.1" if AMQTT else "MQTT 5"
            assert (fine.level, fine.said) == ("ok", f"mqtt://127.0.0.1:{there.port}/home ({spoken})")
            listener.say("end", "")
            assert listener.next().topic == "end", "the doctor sends nothing"
    finally:
        there.kill()
    away, wrong = found(
        output.publishers, lay(publish=(f"mqtt://joe:secret@127.0.0.1:{there.port}/home", "mqtt://joe:secret@host/+"))
    )
    assert away.level == "warning" and "nothing listens on 127.0.0.1" in away.said
    assert wrong.level == "failure"
    assert "secret" not in f"{away}{wrong}"


def test_the_service_writes_where_its_sandbox_lets_it(lay):
    written = {"/etc/systemd/system/edge.service": UNIT}
    names = ("jsonl:readings.jsonl", "jsonl:/var/lib/edge-digits/a.jsonl", "jsonl:/srv/a.jsonl")
    findings = found(output.publishers, lay(written, publish=names, config="/etc/edge-digits/edge.toml"))
    assert [f.level for f in findings] == ["ok", "ok", "warning"]


@pytest.mark.parametrize(
    ("state", "level", "mend"),
    [
        ("loaded active running enabled 0", "ok", ""),
        ("loaded active running enabled 3", "ok", ""),
        ("loaded active running disabled 0", "warning", "sudo systemctl enable edge"),
        ("loaded inactive dead enabled 0", "warning", "sudo systemctl enable --now edge"),
        ("loaded activating auto-restart enabled 9", "warning", unit.LOG),
        ("loaded failed failed enabled 0", "failure", "sudo systemctl restart edge"),
        ("masked inactive dead masked 0", "failure", "sudo systemctl unmask edge"),
        ("not-found inactive dead  0", "ok", ""),
    ],
)
def test_the_units_state(lay, state, level, mend):
    keys = ("LoadState", "ActiveState", "SubState", "UnitFileState", "NRestarts")
    shown = "".join(f"{key}={value}\n" for key, value in zip(keys, state.split(" "), strict=True))
    finding = one(unit.service, lay(answers={"systemctl": Done(0, shown)}))
    assert (finding.level, finding.mend) == (level, mend)
    assert ("restarted" in finding.said) == (state[-1] in "39")


@pytest.mark.parametrize(
    ("answer", "level"),
    [
        (Done(0, "→ Overall exposure level for edge.service: 1.4 OK :-)\n"), "ok"),
        (Done(0, "→ Overall exposure level for edge.service: 9.6 UNSAFE :-{\n"), "warning"),
        (Done(1, "", "Failed to load unit file"), "warning"),
        (Done(MISSING), "ok"),
    ],
)
def test_the_sandboxs_score(lay, answer, level):
    assert one(unit.sandbox, lay({"/etc/systemd/system/edge.service": UNIT}, {"security": answer})).level == level


def test_without_systemd_or_service_nothing_is_wrong(lay):
    assert one(unit.service, lay()).level == "ok"
    assert one(unit.service, lay(answers={"systemctl": Done(1, "", NOT_BOOTED)})).level == "ok"
    assert one(unit.sandbox, lay()).level == "ok"


def test_a_check_that_breaks_or_hangs_is_a_finding_and_the_others_go_on(lay):
    forever = threading.Event()

    def breaks(machine):
        yield ok("disk", "so far")
        raise ValueError("odd\nfile")

    def hangs(machine):
        forever.wait(60)
        yield ok("clock", "late")

    checks = {"disk": breaks, "clock": hangs, "settings": software.settings}
    findings = list(examine(lay(), checks, seconds=0.05))
    forever.set()
    assert [(f.check, f.level) for f in findings] == [
        ("disk", "ok"),
        ("disk", "warning"),
        ("clock", "warning"),
        ("settings", "ok"),
    ]
    assert findings[1].said == "ValueError: odd file"


SEEN = {
    "size": [1536, 1152], "is_sharp": True, "blur_pixels": 1.1, "digit_pixels": 41.0, "needed_pixels": 20, "paper": 190,
    "light": "enough", "white_share": 0.001, "glare": None, "seen_share": 1.0, "bands_share": 0.004, "about": None,
    "next_step": None,
}  # fmt: skip
VIEW = (view.picture, view.focus, view.field_of_view, view.exposure, view.flicker, view.digit_height)


def sees(**change):
    """What `edge aim` answers, and where it drew its picture."""
    return lambda: (Done(0, f"noise\n{json.dumps(SEEN | change)}\n"), "/state/doctor.jpg")


def answers(done):
    return lambda: (done, "")


def levels(machine):
    return {check.__name__: one(check, machine).level for check in VIEW}


def test_a_good_view_is_ok_and_its_picture_is_named(lay):
    machine = lay(source="picamera2:0", look=sees())
    assert set(levels(machine).values()) == {"ok"}
    assert one(view.picture, machine).said == "1536x1152 pixels, drawn in /state/doctor.jpg"
    assert one(view.digit_height, machine).said == "41 pixels, 20 are needed"


@pytest.mark.parametrize(
    ("check", "change", "said"),
    [
        ("focus", {"is_sharp": False, "blur_pixels": 5.2, "about": "blurred"}, "edges are blurred by 5.2 pixels"),
        ("field_of_view", {"seen_share": 0.39}, "the picture has 39% of what the camera can see"),
        ("exposure", {"light": "dark", "paper": 20, "about": "dark"}, "paper 20 of 255, 0.1% of the view is clipped"),
        ("exposure", {"glare": "top left", "about": "glare"}, "with glare at the top left"),
        ("flicker", {"bands_share": 0.06}, "bands of 6% of the light move"),
        ("digit_height", {"digit_pixels": 12.0, "about": "small"}, "12 pixels, 20 are needed"),
    ],
)
def test_each_fault_of_the_view_is_a_warning_with_the_step_that_edge_aim_says(lay, check, change, said):
    step = "do this and that" if "about" in change else None
    machine = lay(source="picamera2:0", look=sees(next_step=step, **change), config="my edge.toml")
    assert {name for name, level in levels(machine).items() if level != "ok"} == {check}
    finding = one(getattr(view, check), machine)
    assert said in finding.said and finding.mend == "edge aim --config 'my edge.toml'"
    assert step is None or finding.why == step


def test_a_fault_that_is_not_the_next_step_says_what_comes_first(lay):
    change = {"digit_pixels": 12.0, "light": "dark", "about": "dark", "next_step": "switch on a lamp"}
    assert one(view.digit_height, lay(source="picamera2:0", look=sees(**change))).why == "but first: switch on a lamp"


@pytest.mark.parametrize(
    ("written", "answers", "given", "why"),
    [
        ({}, {}, {"source": "files:scans"}, "files:scans is no camera"),
        ({}, {}, {"settings_error": "wrong"}, "the settings are wrong"),
        ({}, {"is-active": Done(0, "active\n")}, {"source": "picamera2:0"}, "the service may use the camera"),
        ({}, {}, {"source": "v4l2:/dev/video3"}, "there is no /dev/video3"),
        ({}, {}, {"source": "picamera2:0", "look": answers(Done(1, "", "edge: no such camera\n"))}, "no such camera"),
        ({}, {}, {"source": "picamera2:0", "look": answers(Done(-11))}, "crashes (signal 11)"),
        ({}, {}, {"source": "rtsp://u:p@cam/1", "look": answers(Done(TIMED_OUT, "", "no answer within"))}, "no answer"),
    ],
)  # fmt: skip
def test_where_no_picture_may_be_taken_all_is_skipped_and_says_why(lay, written, answers, given, why):
    machine = lay(written, answers, **given)
    assert set(levels(machine).values()) == {"ok"}
    assert one(view.picture, machine).said.startswith(f"skipped: {why}")
    for check in VIEW[1:]:
        assert one(check, machine).said == "skipped: no picture was taken"


def test_a_camera_that_another_program_uses_is_left_alone(lay, tmp_path):
    def never():
        raise AssertionError

    machine = lay({"/proc/77/cmdline": "motion", "/dev/video0": ""}, source="v4l2:/dev/video0", look=never)
    (tmp_path / "proc" / "77" / "fd").mkdir()
    (tmp_path / "proc" / "77" / "fd" / "3").symlink_to("/dev/video0")
    assert one(view.picture, machine).said == "skipped: /dev/video0 is used by process 77, motion"


def test_what_cannot_be_told_is_skipped(lay):
    nothing = {"is_sharp": None, "digit_pixels": None, "seen_share": None, "bands_share": None}
    machine = lay(source="picamera2:0", look=sees(**nothing))
    said = [one(check, machine).said for check in VIEW]
    assert [text for text in said if text.startswith("skipped")] == [
        "skipped: nothing in the view has an edge",
        "skipped: this camera does not tell it",
        "skipped: only one frame came",
        "skipped: no digit was read",
    ]


def test_the_frame_is_taken_once_by_edge_aim_and_a_password_is_no_argument(tmp_path, monkeypatch):
    ran = []
    monkeypatch.setattr(
        "edge.commands.doctor.machine.run", lambda command, **given: ran.append((command, given)) or Done(1)
    )
    picture = str(tmp_path / "seen.jpg")
    machine = here(Settings(source="rtsp://joe:secret@cam/1"), config="edge.toml", picture=picture)
    assert machine.look() is machine.look() and len(ran) == 1
    ((command, given),) = ran
    assert "secret" not in " ".join(command) and given["EDGE_SOURCE"] == "rtsp://joe:secret@cam/1"
    assert command[-4:] == ["--config", "edge.toml", "--picture", picture]


def test_without_a_name_the_picture_is_in_the_state_folder(tmp_path, monkeypatch):
    ran = []
    monkeypatch.setattr("edge.commands.doctor.machine.run", lambda command, **given: ran.append(command) or Done(1))
    here(Settings(state=str(tmp_path))).look()
    here(Settings(state=str(tmp_path / "none"))).look()
    assert ran[0][-2:] == ["--picture", str(tmp_path / "doctor.jpg")] and "--picture" not in ran[1]
    assert list(tmp_path.iterdir()) == []


def test_a_machine_with_nothing_on_it_has_no_failure_but_for_the_runtime(lay):
    (lay().root / "var" / "lib").mkdir(parents=True)
    findings = list(examine(lay(source="synthetic:")))
    assert {f.check for f in findings if f.level == "failure"} == {"runtime"}
    assert {f.check for f in findings} == set(CHECKS)
    jsonschema.validate(report.as_dict(findings), SCHEMA)


def test_commands_are_run_survived_and_ended(tmp_path):
    assert run(["sh", "-c", "echo out; echo error >&2; exit 3"]) == Done(3, "out\n", "error\n")
    assert run([str(tmp_path / "none")]).status == MISSING
    assert run(["sh", "-c", "kill -SEGV $$"]).status == -11
    # The grandchild keeps the pipe open, and goes too.
    assert run(["sh", "-c", "sleep 60 & sleep 60"], seconds=0.2).status == TIMED_OUT


def test_lines_fit_a_terminal_and_commands_stay_whole():
    long = warning("in use", "word " * 40, "because " * 30, "sudo " + "x" * 90)
    *text, command = report.lines(long).splitlines()
    assert max(map(len, text)) <= 80
    assert command == " " * 22 + "$ sudo " + "x" * 90
    assert text[0].startswith("warning  in use       word")
    assert all(line.startswith(" " * 22 + "b") or line.startswith(" " * 22 + "w") for line in text[1:])
    assert report.lines(failure("disk", "full", "w", "m"), colour=True).startswith("\033[31mfailure\033[0m  disk")
    assert report.summary([ok("a", "b"), long, long]) == "1 ok, 2 warnings, 0 failures."


def test_the_schema_knows_every_check_and_what_a_finding_must_say():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["findings"]["items"]["properties"]["check"]["enum"] == list(CHECKS)
    unmended = report.as_dict([dataclasses.replace(failure("disk", "full", "why", "mend"), mend="")])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(unmended, SCHEMA)


def doctor(folder, *arguments):
    command = [sys.executable, "-m", "edge.cli", "doctor", *arguments]
    root = str(Path(__file__).parents[3])
    environment = {**os.environ, "PYTHONPATH": root}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=patience(120))


def test_the_command_on_this_machine(tmp_path):
    done = doctor(tmp_path, "--json", "--source", "synthetic:")
    said = json.loads(done.stdout)
    jsonschema.validate(said, SCHEMA)
    assert done.stderr == ""
    assert done.returncode == any(f["level"] == "failure" for f in said["findings"])
    assert list(tmp_path.iterdir()) == []


def test_settings_that_cannot_be_read_are_a_finding(tmp_path):
    (tmp_path / "edge.toml").write_text("sauce = 1\n")
    done = doctor(tmp_path, "--config", "edge.toml")
    assert done.returncode == 1
    assert "\033" not in done.stdout
    assert "failure  settings     edge.toml: sauce: no such setting; did you mean 'source'?" in done.stdout
    assert "$ edge run --check --config edge.toml\n" in done.stdout


@pytest.mark.parametrize(
    ("source", "said"), [("synthetc:", "did you mean 'synthetic:'"), ("files:none", "none: no file matches")]
)
def test_a_source_that_there_cannot_be_is_a_failure(lay, source, said):
    finding = one(software.settings, lay(source=source))
    assert (finding.level, finding.mend) == ("failure", "edge run --check")
    assert said in finding.said


def test_no_password_or_secret_path_is_shown(lay):
    machine = lay(
        source="rtsp://joe:secret1@cam/1?key=secret2",
        publish=("mqtt://joe:secret3@broker/x", "https://joe:secret4@h/secret5?k=secret6", "jsonl:-"),
    )
    said = " ".join(finding.said for finding in software.settings(machine))
    assert "secret" not in said and "joe" not in said
    assert "rtsp://cam/1 to mqtt://broker/x, https://h/(" in said
