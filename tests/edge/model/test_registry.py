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
def models(tmp_path: Path) -> ModelRegistry:
    return ModelRegistry(state_folder.create(str(tmp_path / "state")))


def files(models: ModelRegistry) -> set[str]:
    return {path.name for path in models.folder.iterdir()}


def test_the_newest_and_the_one_before_are_kept(models: ModelRegistry, tmp_path: Path) -> None:
    model = tmp_path / "model.tflite"
    assert models.read_index() == Accepted()
    for content in (b"one", b"two", b"two", b"three"):
        models.accept(model, content)
    assert models.read_index() == Accepted(str(model), digest(b"three"), digest(b"two"))
    assert models.content(models.read_index().previous) == b"two"
    assert files(models) == {INDEX, f"{digest(b'three')}.tflite", f"{digest(b'two')}.tflite"}


def test_a_model_of_another_path_is_never_gone_back_to(models: ModelRegistry, tmp_path: Path) -> None:
    models.accept(tmp_path / "a.tflite", b"one")
    models.accept(tmp_path / "b.tflite", b"two")
    assert models.read_index() == Accepted(str(tmp_path / "b.tflite"), digest(b"two"), "")


def test_other_peoples_files_are_left_alone(models: ModelRegistry, tmp_path: Path) -> None:
    models.folder.mkdir()
    for name in ("mine.tflite", ".hidden", "notes"):
        (models.folder / name).touch()
    (models.folder / f".{INDEX}.x7").touch()
    models.accept(tmp_path / "m", b"one")
    assert files(models) == {"mine.tflite", ".hidden", "notes", INDEX, f"{digest(b'one')}.tflite"}


@pytest.mark.parametrize("steps", range(4))
def test_a_power_cut_after_any_write_leaves_what_is_whole(
    steps: int, models: ModelRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models.accept(tmp_path / "m", b"one")
    before = models.read_index()
    synced = 0

    def cut(number: int) -> None:
        nonlocal synced
        if synced == steps:
            raise OSError(5, "Input/output error")
        synced += 1

    with monkeypatch.context() as power, pytest.raises(StateError, match="Input/output error"):
        power.setattr(os, "fsync", cut)
        models.accept(tmp_path / "m", b"two")
    after = models.read_index()
    assert after == (before if steps < 3 else before.with_model(before.path, digest(b"two")))
    assert {models.content(name) for name in (after.current, after.previous) if name} <= {b"one", b"two"}
    models.accept(tmp_path / "m", b"two")
    assert models.read_index() == Accepted(before.path, digest(b"two"), digest(b"one"))


def test_a_damaged_index_is_an_error_and_is_replaced(models: ModelRegistry, tmp_path: Path) -> None:
    models.accept(tmp_path / "m", b"one")
    (models.folder / f"{digest(b'one')}.tflite").write_bytes(b"0ne")
    with pytest.raises(StateError, match="is damaged"):
        models.content(digest(b"one"))
    elsewhere = '{"path": "m", "current": "../../etc/passwd", "previous": ""}'
    for said in ('{"path": "m"', elsewhere, "[]", "[" * 50_000, " " * 10**6):
        (models.folder / INDEX).write_text(said)
        with pytest.raises(StateError, match=f"{INDEX}: is damaged; remove it"):
            models.read_index()
    for path in (models.folder / INDEX, models.folder / f"{digest(b'one')}.tflite"):
        path.unlink()
        os.mkfifo(path)
    with pytest.raises(StateError, match=f"{INDEX}: is damaged; remove it"):
        models.read_index()
    models.accept(tmp_path / "m", b"one")
    assert models.content(models.read_index().current) == b"one"


def test_rolling_back_twice_restores_the_newer_model(models: ModelRegistry, tmp_path: Path) -> None:
    model = tmp_path / "model.tflite"
    models.accept(model, b"one")
    models.accept(model, b"two")
    model.write_bytes(b"two")
    for content in (b"one", b"two", b"one"):
        path, name = rollback(models.folder.parent, str(model))
        assert (path, name) == (model, f"model sha256:{digest(content)[:12]}")
        assert model.read_bytes() == content


@pytest.mark.parametrize("there", [b"refused", None])
def test_a_refused_or_missing_file_is_replaced_by_the_current_model(
    models: ModelRegistry, tmp_path: Path, there: bytes | None
) -> None:
    model = tmp_path / "model.tflite"
    models.accept(model, b"one")
    models.accept(model, b"two")
    if there:
        model.write_bytes(there)
        model.chmod(0o600)
    rollback(models.folder.parent, str(model))
    assert model.read_bytes() == b"two"
    assert model.stat().st_mode & 0o444 == 0o444, "the service can read it, whoever put the other one there"


def test_a_services_relative_path_begins_in_its_state_folder(
    models: ModelRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = models.folder.parent / "model.tflite"
    models.accept(model, b"one")
    monkeypatch.chdir(tmp_path)
    assert rollback(models.folder.parent, "model.tflite")[0] == model
    assert model.read_bytes() == b"one"


def test_where_there_is_nothing_to_go_back_to_it_says_so(
    models: ModelRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "model.tflite"

    def refusal(setting: str) -> str:
        with pytest.raises(StateError) as refused:
            rollback(models.folder.parent, setting)
        assert "\n" not in str(refused.value)
        return str(refused.value)

    assert "the setting model is empty" in refusal("")
    assert "no model was accepted as" in refusal(str(model))
    models.accept(model, b"one")
    model.write_bytes(b"one")
    assert "nothing to go back to" in refusal(str(model))
    assert "no model was accepted as" in refusal(str(tmp_path / "other.tflite"))

    def barred(path: Path, content: bytes, *, readable: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    model.unlink()
    monkeypatch.setattr(registry, "write_atomically", barred)
    assert refusal(str(model)) == f"{model}: cannot be written (Permission denied); use sudo"
