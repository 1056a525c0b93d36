from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from edge.system import files


def test_a_file_is_the_old_one_or_the_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.tflite"
    path.write_bytes(b"old")
    path.chmod(0o640)

    def broken(number: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full, pytest.raises(OSError, match="No space"):
        full.setattr(os, "fsync", broken)
        files.write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path], "nothing half-written is left"
    files.write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_is_as_open_as_its_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    files.write_atomically(tmp_path / "new", b"1")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640
    files.write_atomically(tmp_path / "new", b"2", readable=True)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o644


def test_a_secret_is_its_owners_alone_in_any_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    files.write_atomically(tmp_path / "new", b"1", secret=True)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600
    (tmp_path / "new").chmod(0o644)
    files.write_atomically(tmp_path / "new", b"2", secret=True)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600, "one that was open is no more"


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    """Root writes into folders of others: what they link to is not theirs to have written."""
    (tmp_path / "theirs").write_bytes(b"precious")
    (tmp_path / "link").symlink_to(tmp_path / "theirs")
    files.write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "theirs").read_bytes() == b"precious"
    assert not (tmp_path / "link").is_symlink() and (tmp_path / "link").read_bytes() == b"new"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_owner_stays_and_a_new_file_is_its_folders(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    os.chown(tmp_path / "x", 1234, 1234)
    os.chown(tmp_path, 4321, 4321)
    for name, owner in (("x", 1234), ("y", 4321)):
        files.write_atomically(tmp_path / name, b"new")
        assert (tmp_path / name).stat().st_uid == (tmp_path / name).stat().st_gid == owner


def test_a_home_folder_is_found_and_an_unknown_user_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    for name, path in (("~/x", "/home/ada/x"), ("x", "x"), ("~nosuchuser/x", "~nosuchuser/x")):
        assert files.expanded(name) == Path(path)


def test_only_a_small_regular_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"a": 1}')
    assert files.read_json(path) == {"a": 1}
    path.write_text("[" * 50_000)
    with pytest.raises(ValueError, match="nested too deeply"):
        files.read_json(path)
    path.write_text(" " * (files.SMALL_BYTES + 1))
    with pytest.raises(ValueError, match="is larger than 65,536 bytes"):
        files.read_json(path)
    path.unlink()
    for make in (os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero")):
        make(path)
        with pytest.raises(ValueError, match="no regular file"):
            files.read_json(path)
        path.rmdir() if path.is_dir() else path.unlink()
    with pytest.raises(FileNotFoundError):
        files.read_json(path)
