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
    assert state_folder.locate() == tmp_path / "home" / ".local" / "state" / "edge-digits"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    assert state_folder.locate() == tmp_path / "xdg" / "edge-digits"
    monkeypatch.setenv("XDG_STATE_HOME", "not/absolute")
    assert state_folder.locate() == tmp_path / "home" / ".local" / "state" / "edge-digits"
    monkeypatch.setenv("STATE_DIRECTORY", f"{tmp_path}/one:{tmp_path}/two")
    assert state_folder.locate() == tmp_path / "one"
    assert state_folder.locate("~/mine") == tmp_path / "home" / "mine"
    monkeypatch.chdir(tmp_path)
    assert state_folder.locate("here") == tmp_path / "here"
    assert not (tmp_path / "here").exists(), "looking makes nothing"


def test_it_is_made_for_its_user_alone(tmp_path: Path) -> None:
    made = state_folder.create(str(tmp_path / "a" / "b"))
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    made.chmod(0o750)
    assert state_folder.create(str(made)) == made and stat.S_IMODE(made.stat().st_mode) == 0o750, (
        "what is there is left alone"
    )


def test_a_folder_that_cannot_be_created_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    for name in ("file", "file/below"):
        with pytest.raises(StateError, match=f"{tmp_path}/{name}: the folder cannot be created .*--state"):
            state_folder.create(str(tmp_path / name))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(StateError, match="cannot be written; choose another folder with --state"):
        state_folder.create(str(tmp_path))


def test_an_ambiguous_state_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "home" / ".local" / "state" / "edge-digits"
    monkeypatch.setattr(state_folder, "SERVICE_FOLDER", tmp_path / "lib")
    state_folder.check_unambiguous("", "token", None)
    (tmp_path / "lib").mkdir()
    with pytest.raises(StateError) as said:
        state_folder.check_unambiguous("", "token", None)
    assert "bin/edge token --config /etc/edge-digits/edge.toml or edge token --state" in str(said.value)
    assert str(said.value).endswith(str(own))
    with pytest.raises(StateError, match=f"bin/edge token --state {tmp_path / 'lib'} or"):
        state_folder.check_unambiguous("", "token", "/etc/edge-digits/edge.toml")
    state_folder.check_unambiguous(str(own), "token", None)
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "lib"))
    state_folder.check_unambiguous("", "token", None)
