"""``edge history``: stored events for people, as CSV and as JSON lines."""

import csv
import io
import os
import sqlite3
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.errors import SettingsError, StateError
from edge.store import history
from edge.store.store import Store
from edge.types import Event, Notice, Reading
from tests.support.patience import patience

ROOT = Path(__file__).parents[3]
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def event(change="changed", text="42", before="41", minutes=0.0, reason=None) -> Event:
    at = NOON + timedelta(minutes=minutes)
    seen = Reading("v4l2:/dev/video0", 7, at, (), reason, "mnist sha256:ab12", 1.9)
    return Event(change, at, text, before, 12.34, 0.974, seen)


def notice(reason: str | None, minutes=0.0) -> Notice:
    return Notice("camera", "stalled", "v4l2:/dev/video0", NOON + timedelta(minutes=minutes), reason)


@pytest.fixture
def kept(tmp_path: Path):
    """Stores messages, and keeps the store open as the service does; gives what was sent."""
    made = []

    def keep(*messages) -> list[str]:
        made.append(Store(tmp_path / "events.db", device="shed"))
        return [made[-1].append(message).text for message in messages]

    yield keep
    for one in made:
        one.close()


def edge(folder: Path, *arguments: str, zone: str = "UTC") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "edge.cli", "history", "--state", str(folder), *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TZ": zone},
        timeout=patience(60),
    )


def test_each_event_is_a_line_with_local_time_and_offset(kept, tmp_path: Path) -> None:
    kept(
        event("appeared", "41", ""),
        event("changed", "42\n17", "41", 1),
        event("cleared", "", "42\n17", 2, "blank"),
        notice("v4l2:/dev/video0: gave no frame for 2 s", 3),
    )
    done = edge(tmp_path, zone="Asia/Tokyo")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "2026-11-23 21:00:00+09:00  appeared  41            97% sure",
        "2026-11-23 21:01:00+09:00  changed   42 / 17       was 41 for 12.3 s, 97% sure",
        "2026-11-23 21:02:00+09:00  cleared   -             was 42 / 17 for 12.3 s, 97% sure, blank",
        "2026-11-23 21:03:00+09:00  camera    stalled       v4l2:/dev/video0: gave no frame for 2 s",
    ]


def test_an_unknown_duration_is_not_shown(kept, tmp_path: Path) -> None:
    kept(replace(event(), held_seconds=0.0))
    assert edge(tmp_path).stdout == "2026-11-23 12:00:00+00:00  changed   42            was 41, 97% sure\n"


def test_no_control_characters_reach_the_terminal(kept, tmp_path: Path) -> None:
    kept(notice("\x1b]0;owned\x07\x9b31m\r"))
    assert not set("\x1b\x07\x9b\r") & set(edge(tmp_path).stdout)


def test_json_lines_are_those_that_were_sent(kept, tmp_path: Path) -> None:
    sent = kept(event(), notice("é\u2028\udce4"), event(minutes=5))
    assert edge(tmp_path, "--json").stdout.split("\n") == [*sent, ""]


def test_csv_can_be_read_again_and_no_cell_is_a_formula(kept, tmp_path: Path) -> None:
    reasons = ['=HYPERLINK("http://x")', "+1", "@SUM(1)", "-1", 'says "no", twice', "a\nb", None]
    kept(event("changed", "42\n17", "41"), *(notice(reason) for reason in reasons))
    rows = list(csv.DictReader(io.StringIO(edge(tmp_path, "--csv").stdout)))
    assert list(rows[0]) == list(history.CSV_FIELDS)
    assert (rows[0]["kind"], rows[0]["text"], rows[0]["before"]) == ("changed", "42\n17", "41")
    assert (rows[0]["held_seconds"], rows[0]["confidence"], rows[0]["device"]) == ("12.34", "0.974", "shed")
    assert [row["reason"] for row in rows[1:]] == [
        *(f"'{reason}" for reason in reasons[:4]),
        'says "no", twice',
        "a\nb",
        "",
    ]


def test_since_until_and_last_choose(kept, tmp_path: Path) -> None:
    sent = kept(*(event(text=str(n), minutes=n) for n in range(1200)))
    path = tmp_path / "events.db"
    at = [NOON + timedelta(minutes=n) for n in (100, 103)]
    assert list(history.read(path, *at)) == sent[100:103]
    assert list(history.read(path, since=at[0])) == sent[100:]
    assert list(history.read(path, last=700)) == sent[500:]
    assert list(history.read(path, until=at[1], last=2)) == sent[101:103]
    assert list(history.read(path, last=5000)) == sent
    done = edge(tmp_path, "--json", "--since", "2026-11-23T13:40:00Z", "--until", "2026-11-23T22:43:00+09:00")
    assert done.stdout.splitlines() == sent[100:103]


def test_an_empty_period_is_reported(kept, tmp_path: Path) -> None:
    kept(event())
    done = edge(tmp_path, "--until", "2020-01-01")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"edge: {tmp_path}/events.db: no event in that time\n"


@pytest.mark.parametrize(
    ("text", "back"),
    [("90s", 90), ("30m", 1800), ("2h", 7200), ("1.5h", 5400), ("3d", 259_200), ("1w", 604_800)],
)
def test_a_time_ago(text: str, back: int) -> None:
    assert history.parse_time(text, NOON) == NOON - timedelta(seconds=back)


def test_a_time_by_calendar_and_clock() -> None:
    for text in ("2026-11-23T12:00:00Z", "2026-11-23t12:00:00z", "2026-11-23 14:00:00+02:00", "2026-11-23T12:00Z"):
        assert history.parse_time(text, NOON) == NOON
    assert history.parse_time("2026-11-23", NOON) == datetime(2026, 11, 23).astimezone()


@pytest.mark.parametrize("text", ["yesterday", "2h30", "2026-13-01", "12:00", "999999w", "", "-2h", "20261123"])
def test_what_is_no_time_is_one_line(text: str) -> None:
    with pytest.raises(SettingsError, match="is not a time; use"):
        history.parse_time(text, NOON)


def test_no_store_yet_is_one_line(tmp_path: Path) -> None:
    done = edge(tmp_path / "none")
    assert (done.returncode, done.stdout) == (1, "")
    assert "nothing has happened yet" in done.stderr and len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == [], "nothing is made"


def test_a_damaged_store_is_one_line_and_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "events.db").write_bytes(b"no database at all" * 100)
    done = edge(tmp_path)
    assert done.returncode == 1 and "is damaged" in done.stderr and len(done.stderr.splitlines()) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["events.db"]


def test_a_damaged_store_is_closed(tmp_path: Path, monkeypatch) -> None:
    opened, connect = [], sqlite3.connect

    def noted(*given, **named):
        opened.append(connect(*given, **named))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", noted)
    (tmp_path / "events.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(StateError, match="is damaged"):
        list(history.read(tmp_path / "events.db"))
    assert opened
    for one in opened:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            one.execute("SELECT 1")


def test_a_newer_store_is_refused(kept, tmp_path: Path) -> None:
    kept(event())
    file = sqlite3.connect(tmp_path / "events.db")
    file.execute("PRAGMA user_version = 99")
    file.close()
    with pytest.raises(StateError, match="newer"):
        list(history.read(tmp_path / "events.db"))


def test_another_user_who_may_only_read_can() -> None:
    """While the service runs, after it ended, and after it was killed."""
    if os.getuid():
        pytest.skip("only root can become another user")
    # Not below pytest's own folder, which is closed to others.
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        read_as_nobody(Path(made))


def read_as_nobody(top: Path) -> None:
    folder = top / "state"
    folder.mkdir(mode=0o755)
    ask = (
        "import os, sys; sys.path.insert(0, sys.argv[2]); from pathlib import Path; "
        "import edge.store.history as history;"
        "os.setgid(65534); os.setuid(65534); print(len(list(history.read(Path(sys.argv[1])))))"
    )

    def read(path: Path) -> str:
        done = subprocess.run(
            [sys.executable, "-c", ask, path, ROOT], capture_output=True, text=True, timeout=patience(60)
        )
        return done.stdout.strip() or done.stderr

    one = Store(folder / "events.db", device="shed")
    one.append(event())
    assert read(folder / "events.db") == "1"
    killed = top / "killed"
    killed.mkdir(mode=0o755)
    for file in folder.iterdir():
        (killed / file.name).write_bytes(file.read_bytes())
    assert read(killed / "events.db") == "1"
    one.close()
    assert read(folder / "events.db") == "1"
    assert sorted(file.name for file in folder.iterdir()) == ["events.db", "events.db.lock"]


def test_a_named_pipe_in_its_place_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "events.db")
    with pytest.raises(StateError, match="is not a regular file"):
        next(history.read(tmp_path / "events.db"))


def test_a_spoiled_event_does_not_keep_the_others_from_being_shown(kept, tmp_path: Path) -> None:
    sent = kept(*(event(text=text) for text in "1234"))
    path = tmp_path / "events.db"
    file = sqlite3.connect(path, isolation_level=None)
    for position, text in ((1, "CAST(X'FF7B' AS TEXT)"), (2, "'{}'"), (3, "'[1]'")):
        file.execute(f"UPDATE events SET text = {text} WHERE position = ?", (position,))
    file.close()
    found = list(history.read(path))
    assert found == ["{}", "[1]", sent[3]]
    assert [history.text_line(text)[:17] for text in found[:2]] == ["(a damaged event)"] * 2
    assert history.csv_line("[1]") == ",,,,damaged,,,,,,"
