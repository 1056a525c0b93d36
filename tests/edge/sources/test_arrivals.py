"""Files that arrive in a folder: each is read once, when it is whole, whatever program puts it there."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import SettingsError, SourceError
from edge.sources import arrivals, folder_watch, inotify, open_source
from edge.sources.arrivals import Arrivals
from edge.sources.folder_watch import FolderWatch
from edge.sources.inotify import Happening, Inotify
from edge.sources.turned import TurnedSource
from edge.types import Frame
from tests.support.patience import patience


def png(grey: int) -> bytes:
    return cv2.imencode(".png", np.full((20, 30), grey, np.uint8))[1].tobytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "scans").mkdir()
    return tmp_path / "scans"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of seconds are short ones, but still in the same order."""
    monkeypatch.setattr(folder_watch, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(folder_watch, "SETTLED_SECONDS", 0.3)
    monkeypatch.setattr(folder_watch, "LOOK_ANYWAY_SECONDS", 0.2)
    monkeypatch.setattr(folder_watch, "ABANDONED_SECONDS", 1.0)
    monkeypatch.setattr(arrivals, "DEADLINE_SECONDS", 0.2)


@pytest.fixture(params=["inotify", pytest.param("no inotify", marks=pytest.mark.slow)])
def source(request: pytest.FixtureRequest, folder: Path, quick: None, monkeypatch) -> Iterator[Arrivals]:
    """With and without inotify, as in a network folder."""
    if request.param == "no inotify":

        def refuse(folder: Path) -> Inotify:
            raise OSError(errno.EMFILE, "Too many open files")

        monkeypatch.setattr(folder_watch, "Inotify", refuse)
    with open_source(f"files:{folder}?watch=1") as opened:
        assert isinstance(opened, Arrivals)
        yield opened


def following(source: Arrivals, count: int) -> list[Frame]:
    """The next frames, however long they take; and then no other one for a while."""
    frames: list[Frame] = []
    until = time.monotonic() + patience(20)
    while len(frames) < count and time.monotonic() < until:
        try:
            frames.append(next(source))
        except SourceError:
            continue
    assert len(frames) == count, [frame.source for frame in frames]
    for _ in range(4):
        with pytest.raises(SourceError):
            frames.append(next(source))
    assert len(frames) == count, [frame.source for frame in frames]
    return frames


def greys(frames: list[Frame]) -> list[int]:
    return [int(frame.pixels[0, 0]) for frame in frames]


def test_a_written_file_is_one_frame_with_its_own_name(source: Arrivals, folder: Path) -> None:
    before = datetime.now(UTC)
    (folder / "scan 1.png").write_bytes(png(10))
    (frame,) = following(source, 1)
    assert (frame.source, frame.index, greys([frame])) == (str(folder / "scan 1.png"), 0, [10])
    assert frame.captured_at is not None and before <= frame.captured_at <= datetime.now(UTC)
    assert source.live and source.pages and source.state == "running"


def test_a_renamed_file_has_arrived_and_its_upload_has_not(source: Arrivals, folder: Path, tmp_path: Path) -> None:
    for name in ("a.png.part", ".a.png.x7Yz", "b.tmp", "c.png.filepart", "notes.txt"):
        (folder / name).write_bytes(png(10))
    (tmp_path / "moved.png").write_bytes(png(30))
    (folder / "a.png.part").rename(folder / "a.png")
    (tmp_path / "moved.png").rename(folder / "moved.png")
    assert sorted(greys(following(source, 2))) == [10, 30]


def test_what_was_there_before_is_not_read(folder: Path, quick: None, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("a", "b"):
        (folder / f"{name}.png").write_bytes(png(10))
    with caplog.at_level(logging.WARNING), open_source(f"files:{folder}?watch") as source:
        following(source, 0)
        (folder / "c.png").write_bytes(png(30))
        assert greys(following(source, 1)) == [30]
    assert [record.getMessage() for record in caplog.records] == [
        f"files:{folder}: waiting for files; 2 that are there already are not read"
    ]


def test_a_name_that_is_used_again_is_read_again(source: Arrivals, folder: Path) -> None:
    for grey in (10, 30, 50):
        (folder / "scan.png").write_bytes(png(grey))
        assert greys(following(source, 1)) == [grey]
    (folder / "new.part").write_bytes(png(70))
    (folder / "new.part").replace(folder / "scan.png")
    assert greys(following(source, 1)) == [70]


def test_a_file_that_was_read_is_not_read_again_when_it_is_renamed(folder: Path, quick: None) -> None:
    with open_source(f"files:{folder}?watch=1") as source:
        (folder / "upload.png").write_bytes(png(10))
        assert greys(following(source, 1)) == [10]
        (folder / "upload.png").rename(folder / "scan.png")
        following(source, 0)
        (folder / "scan.png").write_bytes(png(30))
        (folder / "scan.png").rename(folder / "page.png")
        (frame,) = following(source, 1)
        assert (frame.source, greys([frame])) == (str(folder / "page.png"), [30])


def test_times_and_modes_that_are_set_afterwards_are_no_new_file(source: Arrivals, folder: Path) -> None:
    """As Samba, scp -p and FTP servers do."""
    (folder / "scan.png").write_bytes(png(10))
    following(source, 1)
    os.utime(folder / "scan.png", (1_000_000_000, 1_000_000_000))
    (folder / "scan.png").chmod(0o640)
    following(source, 0)


def test_a_file_that_is_opened_again_to_set_its_time_is_no_new_file(source: Arrivals, folder: Path) -> None:
    (folder / "scan.png").write_bytes(png(10))
    following(source, 1)
    with (folder / "scan.png").open("r+b") as file:
        os.utime(file.fileno(), (1_000_000_000, 1_000_000_000))
    following(source, 0)


def test_a_file_that_may_be_read_only_later_is_read_then(
    source: Arrivals, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a program writes it for itself, and opens it for others when it is done."""
    real = os.open

    def refuse(path, *given, **more):
        if Path(path).name == "scan.png" and not Path(path).stat().st_mode & 0o040:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, *given, **more)

    monkeypatch.setattr(folder_watch.os, "open", refuse)
    (folder / "scan.part").touch(0o600)
    (folder / "scan.part").write_bytes(png(10))
    (folder / "scan.part").rename(folder / "scan.png")
    following(source, 0)
    (folder / "scan.png").chmod(0o640)
    assert greys(following(source, 1)) == [10]


def test_a_linked_file_has_arrived(source: Arrivals, folder: Path, tmp_path: Path) -> None:
    """inotify tells no end of writing of a link."""
    (tmp_path / "page.png").write_bytes(png(10))
    os.link(tmp_path / "page.png", folder / "hard.png")
    (folder / "soft.png").symlink_to(tmp_path / "page.png")
    assert greys(following(source, 2)) == [10, 10]


def test_a_slow_writer_is_waited_for(folder: Path, quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """inotify knows that it has not closed the file; only looking would take it for settled."""
    monkeypatch.setattr(folder_watch, "ABANDONED_SECONDS", 3600)
    data = png(10)
    with open_source(f"files:{folder}?watch=1") as source:
        with (folder / "scan.png").open("wb", buffering=0) as file:
            for at in range(0, 40, 10):
                file.write(data[at : at + 10])
                with pytest.raises(SourceError):
                    next(source)
            until = time.monotonic() + 2 * folder_watch.SETTLED_SECONDS
            while time.monotonic() < until:
                with pytest.raises(SourceError):
                    next(source)
            file.write(data[40:])
        assert greys(following(source, 1)) == [10]


def test_an_empty_file_is_waited_for(source: Arrivals, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "scan.png").touch()
    following(source, 0)
    with (folder / "scan.png").open("ab") as file:
        file.write(png(10))
    assert greys(following(source, 1)) == [10]
    assert not [record for record in caplog.records if "scan.png" in record.getMessage()]


def test_what_is_no_image_is_one_line_and_the_next_is_read(
    source: Arrivals, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        (folder / "a.png").write_bytes(b"no image")
        (folder / "b.png").write_bytes(png(10)[:60])
        (folder / "c.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
        (folder / "d.png").write_bytes(png(30))
        assert greys(following(source, 1)) == [30]
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert said.count(str(folder / "a.png")) == 1 and "a.png: is not an image that can be read" in said
    assert said.count(f"{folder}/b.png: ") == 1 and "b.png: is cut off; copy it again" in said
    assert "c.heic: is a HEIC picture; convert it with: " in said
    assert f"heif-convert {folder}/c.heic c.jpg" in said


def test_what_is_no_file_is_passed_over(source: Arrivals, folder: Path, tmp_path: Path) -> None:
    (folder / "folder.png").mkdir()
    os.mkfifo(folder / "pipe.png")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "pipe.png").rename(folder / "pipe2.png")
    (folder / "dangling.png").symlink_to(tmp_path / "nowhere.png")
    (folder / "gone.png").write_bytes(png(10))
    (folder / "gone.png").unlink()
    (folder / "here.png").write_bytes(png(30))
    assert greys(following(source, 1)) == [30]


def test_names_that_are_no_utf_8_are_read_and_can_be_shown(source: Arrivals, folder: Path) -> None:
    Path(os.fsdecode(bytes(folder) + b"/caf\xe9.png")).write_bytes(png(10))
    (frame,) = following(source, 1)
    assert frame.source == f"{folder}/caf\ufffd.png"
    frame.source.encode()


def test_files_come_in_the_order_of_arrival(folder: Path, quick: None) -> None:
    with open_source(f"files:{folder}?watch=1") as source:
        for grey in (50, 10, 30):
            (folder / f"{grey}.png").write_bytes(png(grey))
        assert greys(following(source, 3)) == [50, 10, 30]


def test_a_thousand_files_at_once_are_all_read_once(source: Arrivals, folder: Path) -> None:
    data = png(10)

    def drop() -> None:
        for number in range(1000):
            (folder / f"{number}.png").write_bytes(data)

    thread = threading.Thread(target=drop)
    thread.start()
    frames = following(source, 1000)
    thread.join()
    assert len({frame.source for frame in frames}) == 1000
    assert [frame.index for frame in frames] == list(range(1000))


def test_a_writer_that_never_ends_is_not_waited_for(folder: Path, quick: None) -> None:
    with open_source(f"files:{folder}?watch=1") as source, (folder / "scan.png").open("wb", buffering=0) as file:
        file.write(png(10))
        assert greys(following(source, 1)) == [10]


def test_an_overflow_of_inotify_loses_nothing(folder: Path, quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel then drops what it could not keep, and says so once."""

    class Overflown(Inotify):
        def wait(self, seconds: float) -> list[Happening]:
            return [Happening(inotify.OVERFLOW, "")] if super().wait(seconds) else []

    monkeypatch.setattr(folder_watch, "Inotify", Overflown)
    monkeypatch.setattr(folder_watch, "LOOK_ANYWAY_SECONDS", 3600)
    with open_source(f"files:{folder}?watch=1") as source:
        following(source, 0)
        for grey in (10, 30):
            (folder / f"{grey}.png").write_bytes(png(grey))
        assert greys(following(source, 2)) == [10, 30]


def test_a_folder_that_goes_and_comes_back(source: Arrivals, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "a.png").write_bytes(png(10))
    following(source, 1)
    with caplog.at_level(logging.WARNING):
        shutil.rmtree(folder)
        waiting = time.monotonic()
        while source.state == "running":
            with pytest.raises(SourceError) as error:
                next(source)
            assert time.monotonic() - waiting < patience(20)
        assert "cannot be watched (No such file or directory)" in str(error.value)
        assert source.problem == str(error.value), "which the live page shows"
        waited_at = source.waited_at
        with pytest.raises(SourceError):
            next(source)
        assert source.waited_at == waited_at
        folder.mkdir()
        (folder / "b.png").write_bytes(png(30))
        assert greys(following(source, 1)) == [30]
    assert source.state == "running" and not source.problem and source.waited_at > waited_at
    said = [record.getMessage() for record in caplog.records]
    assert said[-2:] == [
        f"{folder}: cannot be watched (No such file or directory); make the folder, or name another"
        " (retrying until it works)",
        f"files:{folder}: waiting for files",
    ]
    (folder / "c.png").write_bytes(png(50))
    assert greys(following(source, 1)) == [50]


def test_a_folder_that_is_replaced_by_another(source: Arrivals, folder: Path, tmp_path: Path) -> None:
    (folder / "a.png").write_bytes(png(10))
    following(source, 1)
    folder.rename(tmp_path / "old")
    folder.mkdir()
    (folder / "b.png").write_bytes(png(30))
    assert greys(following(source, 1)) == [30]
    (tmp_path / "old" / "c.png").write_bytes(png(50))
    following(source, 0)


def test_a_disk_that_is_plugged_in_again_is_not_read_again(source: Arrivals, folder: Path, tmp_path: Path) -> None:
    (folder / "a.png").write_bytes(png(10))
    following(source, 1)
    folder.rename(tmp_path / "unplugged")
    following(source, 0)
    (tmp_path / "unplugged").rename(folder)
    (folder / "b.png").write_bytes(png(30))
    assert greys(following(source, 1)) == [30]


def test_a_folder_that_is_not_there_yet_is_waited_for(tmp_path: Path, quick: None) -> None:
    with open_source(f"files:{tmp_path}/later?watch=1") as source:
        with pytest.raises(SourceError, match="later: cannot be watched"):
            next(source)
        assert source.state == "reopening"
        (tmp_path / "later").mkdir()
        (tmp_path / "later" / "a.png").write_bytes(png(10))
        assert greys(following(source, 1)) == [10]


def test_a_file_that_cannot_be_read_is_one_line(
    source: Arrivals, folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def refuse(path, *given, **more):
        if Path(path).name == "secret.png":
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, *given, **more)

    monkeypatch.setattr(folder_watch.os, "open", refuse)
    (folder / "secret.png").write_bytes(png(10))
    (folder / "open.png").write_bytes(png(30))
    assert greys(following(source, 1)) == [30]
    said = [record.getMessage() for record in caplog.records if "secret" in record.getMessage()]
    assert said == [f"{folder}/secret.png: cannot be read (Permission denied)"]


def test_a_file_that_is_replaced_while_it_is_read(folder: Path, quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of one and half of the other would be a wrong page."""
    real, pages = folder_watch._read, [30]

    def slow(path: Path):
        found = real(path)
        if pages:
            (folder / "next.part").write_bytes(png(pages.pop()))
            (folder / "next.part").replace(path)
        return found

    monkeypatch.setattr(folder_watch, "_read", slow)
    with open_source(f"files:{folder}?watch=1") as source:
        (folder / "a.png").write_bytes(png(10))
        assert greys(following(source, 1)) == [30]


def test_a_huge_file_is_refused(source: Arrivals, folder: Path, caplog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_watch, "MAX_FILE_BYTES", 2_000_000)
    with (folder / "huge.png").open("wb") as file:
        file.truncate(3_000_000)
    (folder / "a.png").write_bytes(png(10))
    assert greys(following(source, 1)) == [10]
    assert "huge.png: cannot be read (it is larger than 2 MB)" in caplog.text


def test_many_names_are_not_kept_for_ever(source: Arrivals, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_watch, "REMEMBERED", 3)
    for number in range(6):
        (folder / f"{number}.png").write_bytes(png(10))
        following(source, 1)
        (folder / f"{number}.png").unlink()
    following(source, 0)
    assert len(source._watch._given) <= 4


def test_stop_and_close_end_it(source: Arrivals, folder: Path) -> None:
    (folder / "a.png").write_bytes(png(10))
    source.stop()
    assert list(source) == []
    source.close()
    source.close()


def test_no_descriptor_is_left(folder: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        watch = FolderWatch(folder, lambda name: True)
        watch.close()
    with pytest.raises(OSError):
        Inotify(folder / "nowhere")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_it_can_be_turned(folder: Path, quick: None) -> None:
    with open_source(f"files:{folder}?watch=1&rotation=90") as source:
        assert isinstance(source, TurnedSource) and source.pages and source.live
        (folder / "a.png").write_bytes(png(10))
        (frame,) = following(source, 1)
        assert frame.pixels.shape == (30, 20)
        assert source.waited_at is not None


@pytest.mark.parametrize(
    ("uri", "error", "problem"),
    [
        ("files:{}/a.png?watch=1", SourceError, "a.png: is not a folder; watch is for the files that arrive in one"),
        ("files:{}?watch=1&loop=1", SettingsError, "loop and watch exclude each other"),
        ("files:{}?watch=often", SettingsError, "watch is 0 or 1, not 'often'"),
    ],
)
def test_wrong_use_is_one_line(uri: str, error: type[Exception], problem: str, folder: Path) -> None:
    (folder / "a.png").write_bytes(png(10))
    with pytest.raises(error, match=problem):
        open_source(uri.format(folder))


def test_files_of_now_are_read_with_watch_off(folder: Path) -> None:
    (folder / "a.png").write_bytes(png(10))
    assert greys(list(open_source(f"files:{folder}?watch=0"))) == [10]
