import errno
import json
import os
import resource
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from edge.errors import NoReaderError, PublishError, SettingsError
from edge.publishers import SCHEMES, is_channel, open_publisher
from edge.publishers.base import Publisher
from edge.publishers.best_effort import BestEffort
from edge.types import Box, Digit, Reading

READING = Reading(
    "desk.jpg",
    0,
    datetime(2026, 11, 23, 8, 0, 0, 123456, UTC),
    (Digit(1, 0.998, 0, Box(12, 40, 18, 61)),),
    None,
    "mnist-1.0 sha256:ab12",
    1.9,
)
LINE = (
    '{"schema": 1, "source": "desk.jpg", "frame": 0, "captured_at": "2026-11-23T08:00:00.123456Z", "text": "1", '
    '"lines": ["1"], "digits": [{"digit": 1, "confidence": 0.998, "line": 0, "box": [12, 40, 18, 61]}], '
    '"unread": [], "reason": null, "model": "mnist-1.0 sha256:ab12", "elapsed_ms": 1.9}\n'
)
PUBLISH = """
import sys
from datetime import UTC, datetime
from edge.errors import PublishError
from edge.publishers import open_publisher
from edge.types import Reading
with open_publisher(sys.argv[1]) as publisher:
    try:
        for n in range(int(sys.argv[2])):
            publisher.publish(Reading("x" * 100, n, datetime.now(UTC), (), "blank", "m", 0.0))
    except PublishError as error:
        sys.exit(str(error))
"""


def test_a_reading_is_one_line_of_json_on_stdout(capfd):
    with open_publisher("jsonl:-") as publisher:
        publisher.publish(READING)
        assert capfd.readouterr().out == LINE
    sys.stdout.write("still open\n")


def test_a_file_is_appended_to(tmp_path):
    path = tmp_path / "readings.jsonl"
    for frame in range(2):
        with open_publisher(f"jsonl:{path}") as publisher:
            publisher.publish(replace(READING, frame=frame))
            publisher.publish(replace(READING, frame=frame))
    frames = [json.loads(line)["frame"] for line in path.read_text().splitlines()]
    assert frames == [0, 0, 1, 1]


def test_a_line_can_be_read_as_soon_as_it_is_published(tmp_path):
    path = tmp_path / "readings.jsonl"
    with open_publisher(f"jsonl:{path}") as publisher:
        publisher.publish(READING)
        assert path.read_text() == LINE


@pytest.mark.parametrize("name", ["Grüße 日本.jpg", 'a"b\\c\n.jpg', "caf\udce9.jpg"])
def test_any_file_name_survives(tmp_path, name):
    path = tmp_path / "readings.jsonl"
    with open_publisher(f"jsonl:{path}") as publisher:
        publisher.publish(replace(READING, source=name))
    (line,) = path.read_bytes().splitlines()
    assert json.loads(line)["source"] == name
    if name.startswith("Gr"):
        assert name in line.decode()


def test_half_a_line_left_by_a_power_cut_does_not_join_the_next(tmp_path):
    path = tmp_path / "readings.jsonl"
    path.write_text('{"schema": 1, "sour')
    with open_publisher(f"jsonl:{path}") as publisher:
        publisher.publish(READING)
    assert path.read_text() == '{"schema": 1, "sour\n' + LINE


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(PublishError) as error:
        open_publisher(f"jsonl:{tmp_path}/logs/readings.jsonl")
    assert str(error.value) == (
        f"{tmp_path}/logs/readings.jsonl: there is no folder {tmp_path}/logs; make it with: mkdir -p {tmp_path}/logs"
    )


def test_what_cannot_be_written_is_refused_at_opening(tmp_path):
    with pytest.raises(PublishError, match="cannot be written \\(Is a directory\\)"):
        open_publisher(f"jsonl:{tmp_path}")


def test_a_full_disk_is_one_line():
    with (
        open_publisher("jsonl:/dev/full") as publisher,
        pytest.raises(PublishError, match="/dev/full: cannot be written \\(No space left on device\\); make room"),
    ):
        publisher.publish(READING)


def test_a_line_that_did_not_fit_does_not_spoil_the_next_one(tmp_path):
    path = tmp_path / "readings.jsonl"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with open_publisher(f"jsonl:{path}") as publisher:
        publisher.publish(READING)
        # A limit on the file's size cuts a write short as a full disk does. (Python ignores SIGXFSZ.)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(LINE) + 50, before[1]))
        try:
            with pytest.raises(PublishError) as error:
                publisher.publish(READING)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert error.value.__cause__.errno == errno.EFBIG
        publisher.publish(READING)
    assert path.read_text() == LINE + LINE[:50] + "\n" + LINE


def test_a_file_that_was_moved_or_deleted_is_made_anew(tmp_path):
    path = tmp_path / "readings.jsonl"
    with open_publisher(f"jsonl:{path}") as publisher:
        publisher.publish(READING)
        path.rename(tmp_path / "readings.jsonl.1")
        publisher.publish(READING)
        assert path.read_text() == (tmp_path / "readings.jsonl.1").read_text() == LINE
        path.unlink()
        publisher.publish(READING)
        assert path.read_text() == LINE
        # As logrotate's copytruncate does.
        path.write_text("")
        publisher.publish(READING)
        assert path.read_text() == LINE


def test_a_folder_may_go_away_and_come_back(tmp_path):
    folder = tmp_path / "card"
    folder.mkdir()
    with open_publisher(f"jsonl:{folder}/readings.jsonl") as publisher:
        folder.rename(tmp_path / "elsewhere")
        for _ in range(2):
            with pytest.raises(PublishError, match=f"there is no folder {folder}; make it with: mkdir -p"):
                publisher.publish(READING)
        folder.mkdir()
        publisher.publish(READING)
        assert (folder / "readings.jsonl").read_text() == LINE


def test_a_pipe_s_reader_may_come_back(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)

    def reader():
        return open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), closefd=True)  # noqa: PTH123

    first = reader()
    with open_publisher(f"jsonl:{path}") as publisher:
        publisher.publish(READING)
        assert first.readline() == LINE
        first.close()
        for _ in range(2):
            with pytest.raises(PublishError, match="pipe: nobody reads this pipe; start its reader"):
                publisher.publish(READING)
        with reader() as second:
            publisher.publish(READING)
            assert second.readline() == LINE


class Ill(Publisher):
    """A publisher that raises ``problem`` as long as it is set."""

    name = "ill"
    problem: Exception | None = None
    stopped = closed = 0

    def __init__(self):
        self.got = []

    def publish(self, message):
        if self.problem:
            raise self.problem
        self.got.append(message)

    def stop(self):
        self.stopped += 1

    def close(self):
        self.closed += 1


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_best_effort_logs_the_first_and_the_last_loss(caplog):
    ill, clock = Ill(), Clock()
    publisher = BestEffort(ill, clock)
    publisher.publish(READING)
    ill.problem = PublishError("ill: cannot be written (No space); make room")
    for _ in range(3):
        clock.now += 5
        publisher.publish(READING)
    ill.problem = None
    publisher.publish(READING)
    publisher.publish(READING)
    assert len(ill.got) == 3
    publisher.stop()
    publisher.close()
    assert (ill.stopped, ill.closed) == (1, 1)
    assert [record.getMessage() for record in caplog.records] == [
        "ill: cannot be written (No space); make room (until this is fixed, readings are lost)",
        "ill: accepts readings again; lost: 3",
    ]


def test_losses_that_come_and_go_are_logged_rarely_and_all_are_counted(caplog):
    ill, clock = Ill(), Clock()
    publisher = BestEffort(ill, clock)
    for n in range(300):
        clock.now += 0.1
        ill.problem = PublishError("ill: full") if n % 2 else None
        publisher.publish(READING)
    publisher.close()
    said = [record.getMessage() for record in caplog.records]
    assert 4 <= len(said) <= 6
    assert sum(int(line.partition("lost: ")[2]) for line in said if "lost: " in line) == 150


def test_best_effort_survives_only_publish_errors():
    ill = Ill()
    for problem in (NoReaderError("stdout: its reader is gone"), RuntimeError("a mistake in here")):
        ill.problem = problem
        with pytest.raises(type(problem)):
            BestEffort(ill).publish(READING)


def test_a_stdout_that_is_not_there_is_said():
    command = f"'{sys.executable}' -c \"$0\" jsonl:- 1 >&-"
    done = subprocess.run(["sh", "-c", command, PUBLISH], stderr=subprocess.PIPE, text=True)
    assert done.stderr.splitlines()[-1].endswith("stdout: it is closed; name a file")


def test_a_reader_that_goes_away_ends_it_with_one_line():
    publishing = subprocess.Popen(
        [sys.executable, "-c", PUBLISH, "jsonl:-", "100000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with publishing:
        assert publishing.stdout.readline().startswith(b'{"schema": 1')
        publishing.stdout.close()
        assert publishing.stderr.read() == b"stdout: its reader is gone\n"
    assert publishing.returncode == 1


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        (
            "json:-",
            "no publisher is called 'json', there are jsonl:, mqtt:, mqtts:, http:, https:; did you mean 'jsonl:'?",
        ),
        ("readings.jsonl", "no publisher is called 'readings.jsonl'"),
        ("jsonl:", "names no file"),
        ("jsonl:-?flush=1", "no option 'flush', it has what"),
    ],
)
def test_a_wrong_uri_is_refused(uri, problem):
    with pytest.raises(SettingsError) as error:
        open_publisher(uri)
    assert problem in str(error.value)


def test_closing_twice_does_nothing(tmp_path):
    publisher = open_publisher(f"jsonl:{tmp_path}/a.jsonl")
    publisher.close()
    publisher.close()


def test_the_table_names_classes_that_exist():
    import importlib

    for where in SCHEMES.values():
        module, name = where.split(":")
        target = getattr(importlib.import_module(module), name)
        assert callable(target.send if is_channel(target) else target.publish)
