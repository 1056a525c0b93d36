from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest

from edge.errors import StateError
from edge.model import registry
from edge.model.registry import INDEX, Accepted, ModelRegistry, rollback
from edge.system import state_folder


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


@pytest.fixture
def shelf(tmp_path: Path) -> ModelRegistry:
    return ModelRegistry(state_folder.create(str(tmp_path / "state")))


def files(shelf: ModelRegistry) -> set[str]:
    return {path.name for path in shelf.folder.iterdir()}


def test_the_newest_and_the_one_before_are_kept(shelf: ModelRegistry, tmp_path: Path) -> None:
    model = tmp_path / "model.tflite"
    assert shelf.read_index() == Accepted()
    for content in (b"one", b"two", b"two", b"three"):
        shelf.accept(model, content)
    assert shelf.read_index() == Accepted(str(model), digest(b"three"), digest(b"two"))
    assert shelf.content(shelf.read_index().previous) == b"two"
    assert files(shelf) == {INDEX, f"{digest(b'three')}.tflite", f"{digest(b'two')}.tflite"}


def test_another_files_models_are_none_to_go_back_to(shelf: ModelRegistry, tmp_path: Path) -> None:
    shelf.accept(tmp_path / "a.tflite", b"one")
    shelf.accept(tmp_path / "b.tflite", b"two")
    assert shelf.read_index() == Accepted(str(tmp_path / "b.tflite"), digest(b"two"), "")


def test_other_peoples_files_are_left_alone(shelf: ModelRegistry, tmp_path: Path) -> None:
    shelf.folder.mkdir()
    for name in ("mine.tflite", ".hidden", "notes"):
        (shelf.folder / name).touch()
    (shelf.folder / f".{INDEX}.x7").touch()
    shelf.accept(tmp_path / "m", b"one")
    assert files(shelf) == {"mine.tflite", ".hidden", "notes", INDEX, f"{digest(b'one')}.tflite"}


@pytest.mark.parametrize("steps", range(4))
def test_a_power_cut_after_any_write_leaves_what_is_whole(
    steps: int, shelf: ModelRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.accept(tmp_path / "m", b"one")
    before = shelf.read_index()
    synced = 0

    def cut(number: int) -> None:
        nonlocal synced
        if synced == steps:
            raise OSError(5, "Input/output error")
        synced += 1

    with monkeypatch.context() as power, pytest.raises(StateError, match="Input/output error"):
        power.setattr(os, "fsync", cut)
        shelf.accept(tmp_path / "m", b"two")
    after = shelf.read_index()
    assert after == (before if steps < 3 else before.with_model(before.path, digest(b"two")))
    assert {shelf.content(name) for name in (after.current, after.previous) if name} <= {b"one", b"two"}
    shelf.accept(tmp_path / "m", b"two")
    assert shelf.read_index() == Accepted(before.path, digest(b"two"), digest(b"one"))


def test_what_is_damaged_is_said_and_begun_anew(shelf: ModelRegistry, tmp_path: Path) -> None:
    shelf.accept(tmp_path / "m", b"one")
    (shelf.folder / f"{digest(b'one')}.tflite").write_bytes(b"0ne")
    with pytest.raises(StateError, match="is damaged"):
        shelf.content(digest(b"one"))
    for said in ('{"path": "m"', '{"path": "m", "current": "../../etc/passwd", "previous": ""}', "[]"):
        (shelf.folder / INDEX).write_text(said)
        with pytest.raises(StateError, match=f"{INDEX}: is damaged; remove it"):
            shelf.read_index()
    shelf.accept(tmp_path / "m", b"one")
    assert shelf.content(shelf.read_index().current) == b"one"


def test_rolling_back_twice_is_going_forth_again(shelf: ModelRegistry, tmp_path: Path) -> None:
    model = tmp_path / "model.tflite"
    shelf.accept(model, b"one")
    shelf.accept(model, b"two")
    model.write_bytes(b"two")
    for content in (b"one", b"two", b"one"):
        path, name = rollback(shelf.folder.parent, str(model))
        assert (path, name) == (model, f"model sha256:{digest(content)[:12]}")
        assert model.read_bytes() == content


@pytest.mark.parametrize("there", [b"refused", None])
def test_a_refused_or_missing_file_gives_way_to_what_reads(
    shelf: ModelRegistry, tmp_path: Path, there: bytes | None
) -> None:
    model = tmp_path / "model.tflite"
    shelf.accept(model, b"one")
    shelf.accept(model, b"two")
    if there:
        model.write_bytes(there)
        model.chmod(0o600)
    rollback(shelf.folder.parent, str(model))
    assert model.read_bytes() == b"two"
    assert model.stat().st_mode & 0o444 == 0o444, "the service can read it, whoever put the other one there"


def test_a_services_relative_path_begins_in_its_state_folder(
    shelf: ModelRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = shelf.folder.parent / "model.tflite"
    shelf.accept(model, b"one")
    monkeypatch.chdir(tmp_path)
    assert rollback(shelf.folder.parent, "model.tflite")[0] == model
    assert model.read_bytes() == b"one"


def test_where_there_is_nothing_to_go_back_to_it_says_so(
    shelf: ModelRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "model.tflite"

    def refusal(setting: str) -> str:
        with pytest.raises(StateError) as refused:
            rollback(shelf.folder.parent, setting)
        assert "\n" not in str(refused.value)
        return str(refused.value)

    assert "the setting model is empty" in refusal("")
    assert "no model was accepted as" in refusal(str(model))
    shelf.accept(model, b"one")
    model.write_bytes(b"one")
    assert "nothing to go back to" in refusal(str(model))
    assert "no model was accepted as" in refusal(str(tmp_path / "other.tflite"))

    def barred(path: Path, content: bytes, *, readable: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    model.unlink()
    monkeypatch.setattr(registry, "write_atomically", barred)
    assert refusal(str(model)) == f"{model}: cannot be written (Permission denied); use sudo"
