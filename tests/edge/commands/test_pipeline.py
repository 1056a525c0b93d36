"""All of ``edge run`` put together: what it opens, what it keeps, and what a restart knows of it."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from urllib.request import urlopen

import cv2
import pytest

from edge.commands.pipeline import run_source
from edge.settings import Settings
from edge.store import history
from edge.store.store import FILE
from edge.system import state_folder
from tests.support.doubles import Sink
from tests.support.mosquitto import eventually
from tests.support.patience import patience
from tests.support.web import edge_run


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def stored():
    return [json.loads(text) for text in history.read(state_folder.locate() / FILE)]


def synthetic(hold=1000, seed=3):
    return f"synthetic:?fps=20&hold={hold}&seed={seed}&digits=4&difficulty=0"


@pytest.mark.parametrize("what", ["readings", "events"])
def test_a_camera_s_frames_are_readings_and_what_becomes_of_them_events(what, tmp_path):
    out = tmp_path / "out.jsonl"
    settings = Settings(source=synthetic(), publish=(f"jsonl:{out}?what={what}",), device="shed")
    assert run_source(settings, frames=25) == 0
    events = stored()
    assert [event["event"] for event in events] == ["appeared"]
    assert events[0]["device"] == "shed" and len(events[0]["text"]) == 4
    said = lines(out)
    if what == "readings":
        assert [reading["frame"] for reading in said] == list(range(25))
    else:
        assert [event["text"] for event in said] == [events[0]["text"]]


def test_what_still_stands_there_after_a_restart_is_no_news(tmp_path):
    out = tmp_path / "out.jsonl"
    same = Settings(source=synthetic(), publish=(f"jsonl:{out}?what=events",))
    assert run_source(same, frames=25) == 0
    assert run_source(same, frames=25) == 0
    assert len(lines(out)) == 1
    other = Settings(source=synthetic(seed=4), publish=(f"jsonl:{out}?what=events",))
    assert run_source(other, frames=25) == 0
    first, second = lines(out)
    assert (second["event"], second["before"]) == ("changed", first["text"])
    assert second["text"] not in ("", first["text"])


def test_files_are_read_one_by_one_and_leave_no_history(page, tmp_path):
    for name, text in (("a", "2357"), ("b", "41")):
        cv2.imwrite(str(tmp_path / f"{name}.png"), page(text))
    out = tmp_path / "out.jsonl"
    settings = Settings(source=f"files:{tmp_path}/*.png", publish=(f"jsonl:{out}",))
    assert run_source(settings) == 0
    assert [reading["text"] for reading in lines(out)] == ["2357", "41"]
    assert not (state_folder.locate() / FILE).exists()
    run_source(Settings(source=f"files:{tmp_path}/*.png", publish=(f"jsonl:{tmp_path}/events.jsonl?what=events",)))
    events = lines(tmp_path / "events.jsonl")
    assert [(event["event"], event["text"]) for event in events] == [("appeared", "2357"), ("appeared", "41")]
    assert not (state_folder.locate() / FILE).exists()


def test_pages_that_arrive_at_once_are_events_of_their_own(page, tmp_path):
    """Two pages 0.1 s apart, then the same page again: none is averaged with another, none is missing."""
    written = {"a.png": "2357", "b.png": "41", "c.png": "41"}
    (tmp_path / "scans").mkdir()
    out, pictures = tmp_path / "out.jsonl", {}
    for name, text in written.items():
        pictures[name] = cv2.imencode(".png", page(text))[1].tobytes()
    settings = Settings(source=f"files:{tmp_path}/scans?watch=1", publish=(f"jsonl:{out}?what=events",))

    # What is there before the folder is watched would not be read.
    opened = threading.Event()

    def drop():
        opened.wait(patience(30))
        for name, picture in pictures.items():
            (tmp_path / "scans" / name).write_bytes(picture)
            time.sleep(0.1)

    def open_sink(live_reader):
        opened.set()
        return Sink()

    thread = threading.Thread(target=drop)
    thread.start()
    assert run_source(settings, frames=3, extra_publisher=open_sink) == 0
    thread.join()
    events = lines(out)
    assert [(e["event"], e["text"], e["before"]) for e in events] == [
        ("appeared", "2357", ""), ("appeared", "41", ""), ("appeared", "41", ""),
    ]  # fmt: skip
    assert [e["source"] for e in events] == [f"{tmp_path}/scans/{name}" for name in written]
    assert [e["text"] for e in stored() if "event" in e] == ["2357", "41", "41"]


@pytest.mark.slow
def test_a_folder_in_which_nothing_arrives_is_healthy(page, tmp_path, monkeypatch):
    """systemd, /healthz and the metrics are told that all is well; a page that comes then is read."""
    (tmp_path / "scans").mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(patience(30))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "1000000")
        process = edge_run(
            tmp_path, "--source", f"files:{tmp_path}/scans?watch", "--web", "127.0.0.1:0",
            "--publish", f"jsonl:{tmp_path}/out.jsonl?what=events",
        )  # fmt: skip
        try:
            said = [process.stderr.readline() for _ in range(2)]
            told = "".join(systemd.recv(1000).decode() + "\n" for _ in range(3))
            port = int(said[0].strip().rstrip("/").rpartition(":")[2])
            health = json.load(urlopen(f"http://127.0.0.1:{port}/healthz"))
            metrics = urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
            (tmp_path / "scans" / "a.part").write_bytes(cv2.imencode(".png", page("2357"))[1].tobytes())
            (tmp_path / "scans" / "a.part").rename(tmp_path / "scans" / "a.png")
            eventually(lambda: (tmp_path / "out.jsonl").exists() and lines(tmp_path / "out.jsonl"))
        finally:
            process.send_signal(signal.SIGTERM)
            rest = process.communicate(timeout=patience(30))[1]
    assert process.returncode == 0 and rest == ""
    assert said[1] == f"edge: files:{tmp_path}/scans: waiting for files\n"
    assert told.startswith("READY=1\nSTATUS=reading\nWATCHDOG=1\n") and told.count("WATCHDOG=1") == 3
    assert health == {"status": "ok", "camera": "running"}
    assert 'edge_digits_source_state{state="running"} 1.0' in metrics
    assert [event["text"] for event in lines(tmp_path / "out.jsonl")] == ["2357"]


def test_a_state_folder_that_cannot_be_is_one_line_and_it_reads_on(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    out = tmp_path / "out.jsonl"
    settings = Settings(source=synthetic(), publish=(f"jsonl:{out}",), state=str(tmp_path / "file" / "state"))
    assert run_source(settings, frames=5) == 0
    assert len(lines(out)) == 5
    assert "the folder cannot be created" in caplog.records[0].getMessage()


def test_killed_in_the_middle_the_history_goes_on(tmp_path):
    """The whole program: what was said before a SIGKILL is there after it, and numbers go on."""
    command = [
        sys.executable,
        "-m",
        "edge.cli",
        "run",
        "--source",
        synthetic(hold=30),
        "--publish",
        "jsonl:-?what=events",
    ]
    seen = []
    for _ in range(2):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
            seen.append(json.loads(process.stdout.readline()))
            process.send_signal(signal.SIGKILL)
    events = stored()
    assert [event["text"] for event in events if "event" in event][: len(seen)] == [event["text"] for event in seen]
    numbers = [event["seq"] for event in events]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_it_is_the_host_s_name_where_the_device_has_none(tmp_path):
    settings = Settings(source=synthetic(), publish=(f"jsonl:{tmp_path}/out",))
    assert run_source(settings, frames=25) == 0
    name = subprocess.run(["uname", "-n"], capture_output=True, text=True, check=True).stdout.strip()
    assert stored()[0]["device"] == name.partition(".")[0]
