from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from edge.errors import StateError
from edge.system import state_folder


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def test_the_setting_beats_systemd_which_beats_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert state_folder.place() == tmp_path / "home" / ".local" / "state" / "edge-digits"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    assert state_folder.place() == tmp_path / "xdg" / "edge-digits"
    monkeypatch.setenv("XDG_STATE_HOME", "not/absolute")
    assert state_folder.place() == tmp_path / "home" / ".local" / "state" / "edge-digits"
    monkeypatch.setenv("STATE_DIRECTORY", f"{tmp_path}/one:{tmp_path}/two")
    assert state_folder.place() == tmp_path / "one"
    assert state_folder.place("~/mine") == tmp_path / "home" / "mine"
    monkeypatch.chdir(tmp_path)
    assert state_folder.place("here") == tmp_path / "here"
    assert not (tmp_path / "here").exists(), "looking makes nothing"


def test_it_is_made_for_its_user_alone(tmp_path: Path) -> None:
    made = state_folder.folder(str(tmp_path / "a" / "b"))
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    made.chmod(0o750)
    assert state_folder.folder(str(made)) == made and stat.S_IMODE(made.stat().st_mode) == 0o750, (
        "what is there is left alone"
    )


def test_where_there_can_be_none_it_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    for name in ("file", "file/below"):
        with pytest.raises(StateError, match=f"{tmp_path}/{name}: cannot be made a folder .*--state"):
            state_folder.folder(str(tmp_path / name))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(StateError, match="cannot be written; name another folder with --state"):
        state_folder.folder(str(tmp_path))


def test_a_file_is_the_old_one_or_the_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.tflite"
    path.write_bytes(b"old")
    path.chmod(0o640)

    def broken(number: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full, pytest.raises(OSError, match="No space"):
        full.setattr(os, "fsync", broken)
        state_folder.write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path], "nothing half-written is left"
    state_folder.write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_is_as_open_as_its_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    state_folder.write_whole(tmp_path / "new", b"1")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640
    state_folder.write_whole(tmp_path / "new", b"2", readable=True)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o644


def test_a_secret_is_its_owners_alone_in_any_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    state_folder.write_whole(tmp_path / "new", b"1", secret=True)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600
    (tmp_path / "new").chmod(0o644)
    state_folder.write_whole(tmp_path / "new", b"2", secret=True)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600, "one that was open is no more"


def test_it_has_to_be_clear_whether_the_services_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "home" / ".local" / "state" / "edge-digits"
    monkeypatch.setattr(state_folder, "SERVICE", tmp_path / "lib")
    state_folder.unmistaken("", "token", None)
    (tmp_path / "lib").mkdir()
    with pytest.raises(StateError) as said:
        state_folder.unmistaken("", "token", None)
    assert "bin/edge token --config /etc/edge-digits/edge.toml or edge token --state" in str(said.value)
    assert str(said.value).endswith(str(own))
    with pytest.raises(StateError, match=f"bin/edge token --state {tmp_path / 'lib'} or"):
        state_folder.unmistaken("", "token", "/etc/edge-digits/edge.toml")
    state_folder.unmistaken(str(own), "token", None)
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "lib"))
    state_folder.unmistaken("", "token", None)


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    """Root writes into folders of others: what they link to is not theirs to have written."""
    (tmp_path / "theirs").write_bytes(b"precious")
    (tmp_path / "link").symlink_to(tmp_path / "theirs")
    state_folder.write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "theirs").read_bytes() == b"precious"
    assert not (tmp_path / "link").is_symlink() and (tmp_path / "link").read_bytes() == b"new"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_owner_stays_and_a_new_file_is_its_folders(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    os.chown(tmp_path / "x", 1234, 1234)
    os.chown(tmp_path, 4321, 4321)
    for name, owner in (("x", 1234), ("y", 4321)):
        state_folder.write_whole(tmp_path / name, b"new")
        assert (tmp_path / name).stat().st_uid == (tmp_path / name).stat().st_gid == owner
