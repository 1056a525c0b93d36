from __future__ import annotations

from pathlib import Path

import pytest

from edge.model import crash_count
from edge.model.crash_count import FILE, HEALTHY_SECONDS, MOST_COUNTED, CrashCount
from edge.store.entry import boot_id

ONE, TWO = "1" * 64, "2" * 64


def crash(folder: Path, model: str = ONE, times: int = 1) -> None:
    """Runs that end without a word, as after SIGKILL: the kernel only closes the file."""
    for _ in range(times):
        count = CrashCount(folder)
        count.begin(model)
        count.close()


def counted(folder: Path, model: str = ONE) -> int:
    with CrashCount(folder) as count:
        return count.of(model)


def test_runs_that_do_not_end_themselves_are_counted(tmp_path: Path) -> None:
    assert counted(tmp_path / "model") == 0
    for times in (1, 2, 3):
        crash(tmp_path / "model")
        assert counted(tmp_path / "model") == times


def test_a_run_that_ends_itself_neither_counts_nor_resets(tmp_path: Path) -> None:
    crash(tmp_path, times=2)
    with CrashCount(tmp_path) as count:
        count.begin(ONE)
        count.end()
    assert counted(tmp_path) == 2


def test_another_model_begins_at_zero(tmp_path: Path) -> None:
    crash(tmp_path, times=2)
    crash(tmp_path, TWO)
    assert (counted(tmp_path, TWO), counted(tmp_path, ONE)) == (1, 0)


def test_a_power_cut_is_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crash(tmp_path, times=2)
    monkeypatch.setattr(crash_count, "boot_id", lambda: "another-boot")
    assert counted(tmp_path) == 1, "the last run may have ended with the machine"
    crash(tmp_path)
    assert counted(tmp_path) == 2


def test_frames_for_a_quarter_of_an_hour_make_up_for_it(tmp_path: Path) -> None:
    crash(tmp_path, times=2)
    with CrashCount(tmp_path) as count:
        count.begin(ONE)
        count.count_healthy(HEALTHY_SECONDS - 1)
        assert count.of(ONE) == 2
        count.count_healthy(1)
        assert count.of(ONE) == 0
    assert counted(tmp_path) == 1, "it crashed after that"


def test_a_second_process_counts_nothing_and_is_not_counted(tmp_path: Path) -> None:
    with CrashCount(tmp_path) as first:
        first.begin(ONE)
        crash(tmp_path, times=3)
        assert counted(tmp_path) == 0
        first.end()
    assert counted(tmp_path) == 0


@pytest.mark.parametrize("content", [b"", b"\0" * 151, b"nonsense\n", ONE.encode() + b" -1 x", b"\xff\xfe"])
def test_a_damaged_file_counts_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert counted(tmp_path) == 0
    crash(tmp_path)
    assert counted(tmp_path) == 1


def test_many_crashes_are_not_forgotten(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(f"{ONE} 999999999 {boot_id()}\n")
    for _ in range(3):
        crash(tmp_path)
        assert counted(tmp_path) == MOST_COUNTED


def test_a_file_that_cannot_be_used_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / FILE).mkdir()
    assert counted(tmp_path) == 0
    said = f"{tmp_path / FILE}: cannot be used (Is a directory); remove it (until then crashes are not counted)"
    assert caplog.messages == [said]


def test_without_a_folder_nothing_is_counted(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (None, tmp_path / "file", tmp_path / "none" / "model"):
        with CrashCount(folder) as count:
            count.begin(ONE)
            count.end()
        assert count.of(ONE) == 0
