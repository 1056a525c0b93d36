from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from edge.errors import ModelError
from edge.model import crash_count
from edge.model.classifier import Model
from edge.model.registry import Accepted, ModelRegistry, rollback
from edge.reading.reader import Reader
from edge.running import model_swap as room
from edge.running.model_swap import ModelSwap
from edge.types import Notice, Pixels
from tests.support import files
from tests.support.patience import patience

ONE, TWO, THREE = (files.named(name) for name in ("one", "two", "three"))
BAD = files.BARE[:5000]


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


class FakeTrial:
    """In place of the trial: refuses what does not begin like the packaged model, and counts its calls."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, content: bytes, where: str, *, threads: int) -> None:
        self.count += 1
        if not content.startswith(files.BARE):
            raise ModelError(f"{where}: is bad")


class Bench:
    """A model file, the state folder, and a reader whose ModelSwap is called step by step."""

    def __init__(self, folder: Path) -> None:
        self.path, self.folder, self.trial = folder / "m.tflite", folder / "state", FakeTrial()

    def start(self, content: bytes | None = ONE) -> Bench:
        if content is not None:
            self.path.write_bytes(content)
        self.swap = ModelSwap(self.path, folder=str(self.folder), try_model=self.trial, check_seconds=3600)
        self.reader = Reader(self.swap.model)
        self.swap.start(self.reader)
        return self

    def put(self, content: bytes) -> None:
        """As ``mv`` does it."""
        (self.path.parent / "new").write_bytes(content)
        (self.path.parent / "new").replace(self.path)

    def check(self, times: int = 2) -> list[tuple[str, str | None]]:
        for _ in range(times):
            self.swap.step()
        return [(notice.state, notice.reason) for notice in self.swap.apply_pending()]

    @property
    def reads(self) -> str:
        return self.reader.model.sha256

    @property
    def index(self) -> Accepted:
        return ModelRegistry(self.folder).read_index()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)


def test_a_new_file_is_taken_between_two_frames(bench: Bench, page: Callable[..., Pixels]) -> None:
    bench.start()
    old, picture = bench.reader.model, page("2357")
    assert bench.reader.read(picture).model.startswith("one ")
    bench.put(TWO)
    bench.swap.step()
    bench.swap.step()
    assert bench.reader.read(picture).model.startswith("one "), "nothing changes but in apply_pending()"
    (notice,) = bench.swap.apply_pending()
    assert isinstance(notice, Notice)
    assert (notice.subject, notice.state, notice.reason) == ("model", "accepted", None)
    assert notice.name == f"two sha256:{digest(TWO)[:12]}"
    reading = bench.reader.read(picture)
    assert (reading.text, reading.model) == ("2357", notice.name)
    assert old._interpreter is None, "the one before is closed"
    assert bench.index == Accepted(str(bench.path), digest(TWO), digest(ONE))
    assert bench.check(3) == [] and bench.trial.count == 2


def test_a_bad_file_is_refused_once_and_the_old_one_reads_on(bench: Bench, page: Callable[..., Pixels]) -> None:
    bench.start().put(BAD)
    assert bench.check() == [("refused", f"{bench.path}: is bad")]
    assert bench.reader.read(page("2357")).text == "2357" and bench.reads == digest(ONE)
    assert bench.check(5) == []
    os.utime(bench.path, ns=(1, 1))
    assert bench.check(5) == [], "the same again, touched"
    assert bench.trial.count == 2
    assert bench.index.current == digest(ONE)
    bench.put(TWO)
    assert bench.check() == [("accepted", None)]


def test_what_is_half_copied_waits_until_it_is_whole(bench: Bench) -> None:
    bench.start()
    for size in (1000, 50_000, 100_000):
        bench.path.write_bytes(TWO[:size])
        assert bench.check(1) == []
    bench.path.write_bytes(TWO)
    assert bench.check(1) == []
    assert bench.check(1) == [("accepted", None)]
    assert bench.trial.count == 2


def test_a_signal_does_not_wait_for_a_change(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.start().put(BAD)
    assert bench.check() == [("refused", f"{bench.path}: is bad")]
    bench.swap.request_check()
    assert bench.check(1) == [("refused", f"{bench.path}: is bad")], "it was asked for, so it is said again"
    bench.put(ONE)
    bench.swap.request_check()
    assert bench.check(1) == []
    assert "unchanged, still using one sha256:" in caplog.messages[-1]
    bench.put(TWO)
    bench.swap.request_check()
    assert bench.check(1) == [("accepted", None)], "at the first look"


def test_a_file_that_vanishes_is_said_once(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.start().path.unlink()
    assert bench.check(4) == []
    assert [line for line in caplog.messages if "is missing" in line] == [
        f"{bench.path}: is missing; still using {bench.reader.model.name}"
    ]
    bench.put(ONE)
    assert bench.check(4) == [] and bench.trial.count == 1
    bench.put(TWO)
    assert bench.check() == [("accepted", None)]


def test_what_is_no_file_or_too_large_is_not_read(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.start().path.unlink()
    os.mkfifo(bench.path)
    assert bench.check() == [("refused", f"{bench.path}: is not a file; make a model with edge-convert MODEL.h5")]
    bench.path.unlink()
    monkeypatch.setattr(room, "MAX_BYTES", 100)
    bench.put(TWO)
    assert "is larger than" in str(bench.check()[0][1])
    assert bench.trial.count == 1


def test_two_in_a_row_leave_the_newest(bench: Bench) -> None:
    bench.start().put(TWO)
    bench.swap.step()
    bench.swap.step()
    bench.put(THREE)
    assert bench.check() == [("accepted", None), ("accepted", None)]
    assert bench.reads == digest(THREE)
    assert bench.index.previous == digest(TWO)


# --- at the start


def test_what_was_accepted_before_is_not_tried_again(bench: Bench) -> None:
    bench.start()
    assert bench.trial.count == 1 and bench.check(0) == []
    bench.start(None)
    assert bench.trial.count == 1 and bench.check(0) == []


def test_a_new_file_at_the_start_is_tried_and_said(bench: Bench) -> None:
    bench.start()
    bench.start(TWO)
    assert bench.trial.count == 2 and bench.check(0) == [("accepted", None)]
    assert bench.reads == digest(TWO) and bench.index.previous == digest(ONE)


@pytest.mark.parametrize("content", [BAD, None])
def test_if_the_file_is_bad_or_missing_at_the_start_the_last_accepted_model_is_used(
    bench: Bench, content: bytes | None
) -> None:
    bench.start().path.unlink()
    bench.start(content)
    ((state, reason),) = bench.check(3)
    assert state == "refused" and reason and ("is bad" if content else "no such file") in reason
    assert bench.reads == digest(ONE)
    bench.put(TWO)
    assert bench.check() == [("accepted", None)]


def test_a_bad_file_with_nothing_kept_is_an_error(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is bad"):
        bench.start(BAD)
    bench.start(ONE)
    bench.path = tmp_path / "other.tflite"
    with pytest.raises(ModelError, match="is bad"):
        bench.start(BAD)
    bench.path = tmp_path / "m.tflite"
    (kept,) = (tmp_path / "state" / "model").glob("*.tflite")
    kept.write_bytes(b"the card is old")
    with pytest.raises(ModelError, match="is bad"):
        bench.start(BAD)


def test_a_state_folder_that_cannot_be_written_stops_nothing(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.folder.touch()
    bench.start().put(TWO)
    assert bench.check() == [("accepted", None)]
    assert len([line for line in caplog.messages if "the folder cannot be created" in line]) == 1


def test_a_full_disk_stops_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bench.start()

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    bench.put(TWO)
    assert bench.check() == [("accepted", None)]
    assert len([line for line in caplog.messages if "No space left" in line]) == 1
    assert bench.index.current == digest(ONE)


# --- a model that passed the trial, and then crashes the program


def crash(bench: Bench, times: int) -> None:
    """The program is killed and starts again."""
    for _ in range(times):
        bench.swap._crashes.close()
        bench.start(None)


def test_after_three_crashes_the_model_before_is_used(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.start().put(TWO)
    assert bench.check() == [("accepted", None)]
    crash(bench, 2)
    assert (bench.reads, bench.check(0)) == (digest(TWO), [])
    crash(bench, 1)
    reason = f"{bench.path}: crashed the program 3 times in a row; put another model there"
    assert (bench.reads, bench.check(0)) == (digest(ONE), [("refused", reason)])
    assert caplog.messages[-1] == f"{reason} (still using the model before)"
    assert bench.index == Accepted(str(bench.path), digest(ONE), digest(TWO), digest(TWO))
    assert bench.path.read_bytes() == TWO, "it is the user's"
    assert bench.check(3) == [], "it is not tried again by itself"
    # Nor after a restart, whatever else crashes the program.
    crash(bench, 2)
    assert "too" not in caplog.messages[-2]
    crash(bench, 1)
    assert bench.reads == digest(ONE)
    assert caplog.messages[-2] == f"{bench.path}: the model before it has crashed the program 3 times, too"
    bench.put(THREE)
    assert bench.check() == [("refused", reason), ("accepted", None)]
    assert bench.index == Accepted(str(bench.path), digest(THREE), digest(ONE))


def test_rolling_back_from_such_a_model_keeps_it_and_returns_to_it(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.start().put(TWO)
    bench.check()
    crash(bench, 3)
    bench.check(0)
    rollback(bench.folder, str(bench.path))
    assert bench.path.read_bytes() == ONE and bench.check() == []
    # Neither crashes in turn with the other.
    crash(bench, 4)
    assert bench.reads == digest(ONE)
    assert caplog.messages[-1] == f"{bench.path}: crashed the program 4 times, and there is no model before it"
    rollback(bench.folder, str(bench.path))
    assert bench.path.read_bytes() == TWO and bench.check() == [("accepted", None)]
    assert bench.index == Accepted(str(bench.path), digest(TWO), digest(ONE))


def test_whoever_asks_for_it_may_try_such_a_model_again(bench: Bench) -> None:
    bench.start().put(TWO)
    bench.check()
    crash(bench, 3)
    assert bench.reads == digest(ONE)
    bench.check(0)
    bench.swap.request_check()
    assert bench.check(1) == [("accepted", None)]
    assert bench.index == Accepted(str(bench.path), digest(TWO), digest(ONE))
    crash(bench, 2)
    assert bench.reads == digest(TWO), "it has three more"


def test_with_nothing_to_go_back_to_it_goes_on(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.start()
    crash(bench, 3)
    assert bench.reads == digest(ONE)
    assert caplog.messages == [f"{bench.path}: crashed the program 3 times, and there is no model before it"]


def test_an_end_before_or_after_the_loop_is_no_crash(bench: Bench) -> None:
    bench.start().put(TWO)
    bench.check()
    for _ in range(4):
        bench.swap.loop_ended()
        crash(bench, 1)
    for _ in range(4):
        # Nothing else could be opened.
        bench.swap._reader = None
        bench.swap.close()
        bench.start(None)
    assert bench.reads == digest(TWO)


def test_frames_for_long_enough_make_up_for_crashes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crash_count, "HEALTHY_SECONDS", 0.05)
    bench.start().put(TWO)
    bench.check()
    crash(bench, 1)
    bench.swap._crashes.close()
    for age in (None, 60.0, 0.1):
        with ModelSwap(bench.path, folder=str(bench.folder), try_model=bench.trial, check_seconds=0.01) as swap:
            swap.start(Reader(swap.model), lambda age=age: age)
            time.sleep(0.2)
            end = time.monotonic() + patience(20)
            while age == 0.1 and swap._crashes.of(digest(TWO)):
                assert time.monotonic() < end
                time.sleep(0.01)
            assert swap._crashes.of(digest(TWO)) == (0 if age == 0.1 else 2)
            swap.loop_ended()


# --- the thread


def test_its_thread_takes_what_comes_and_ends(bench: Bench) -> None:
    bench.path.write_bytes(ONE)
    before = threading.active_count()
    with ModelSwap(bench.path, folder=str(bench.folder), try_model=bench.trial, check_seconds=0.01) as swap:
        reader = Reader(swap.model)
        swap.start(reader)
        for content, state in ((BAD, "refused"), (TWO, "accepted")):
            bench.put(content)
            end = time.monotonic() + patience(20)
            while not (told := swap.apply_pending()):
                assert time.monotonic() < end
                time.sleep(0.01)
            assert [notice.state for notice in told] == [state]
        assert reader.model.sha256 == digest(TWO)
    end = time.monotonic() + patience(20)
    while threading.active_count() > before:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_an_unexpected_error_does_not_end_the_thread(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bench.path.write_bytes(ONE)
    looks = 0

    def broken() -> None:
        nonlocal looks
        looks += 1
        raise KeyError("x")

    swap = ModelSwap(bench.path, folder=str(bench.folder), try_model=bench.trial, check_seconds=0.01)
    monkeypatch.setattr(swap, "step", broken)
    with swap:
        swap.start(Reader(swap.model))
        end = time.monotonic() + patience(20)
        while looks < 3:
            assert time.monotonic() < end
            time.sleep(0.01)


def test_a_model_of_bytes_is_the_model_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(TWO)
    with Model(tmp_path / "m.tflite", content=ONE) as model:
        assert model.name.startswith("one ") and model.sha256 == digest(ONE)
