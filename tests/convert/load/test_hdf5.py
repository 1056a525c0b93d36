from __future__ import annotations

import contextlib
import time
import zipfile
from pathlib import Path

import h5py
import pytest

from convert import load
from edge.errors import ConvertError
from tests.hostile import keras_files

COMPLAINTS = {
    "external": "is stored in another file", "external-kernel": "is stored in another file",
    "virtual": "is stored in another file", "linked": "is a link", "soft": "is a link", "loop": "two names",
    "doubled": "two names", "twice": "two names", "deep": "groups 32 deep", "many": "20,000 groups",
    "huge": "more than 256 MiB unpacked; give a model for a Raspberry Pi, saved without its optimizer",
    "bomb": "more than 256 MiB", "words": "is not of numbers",
    "references": "is not of numbers", "table": "is not of numbers", "kind": "neither a group nor an array",
}  # fmt: skip


def refusal(path: Path) -> str:
    with pytest.raises(ConvertError) as refused:
        load.check(path)
    text = str(refused.value)
    assert text.startswith(f"{path}: ") and "; " in text and text.isprintable() and len(text) < 400
    return text


@pytest.mark.parametrize("name", COMPLAINTS)
def test_what_no_model_needs_is_refused_at_once(name: str, tmp_path: Path) -> None:
    path = keras_files.plain(tmp_path / "m.h5")
    with h5py.File(path, "r+", libver="latest") as stored:
        keras_files.changes(tmp_path / "secret")[name](stored)
    started = time.process_time()
    assert COMPLAINTS[name] in refusal(path)
    assert time.process_time() - started < 1


def test_a_file_that_its_optimizer_makes_too_large_has_a_way_out(tmp_path: Path) -> None:
    path = keras_files.plain(tmp_path / "m.h5")
    with path.open("r+b") as file:
        file.truncate(2**28 + 1)
    assert "is larger than 256 MiB; give a model for a Raspberry Pi, saved without its optimizer: " in refusal(path)


def test_a_plain_file_passes(tmp_path: Path) -> None:
    load.check(keras_files.plain(tmp_path / "m.h5"))


def test_no_hostile_hdf5_gives_another_error(tmp_path: Path) -> None:
    for path in keras_files.hdf5(tmp_path, tmp_path / "secret"):
        with contextlib.suppress(ConvertError):
            load.check(path)
        path.unlink()


def test_no_hostile_archive_gives_another_error(tmp_path: Path) -> None:
    """And what is in its HDF5 file is checked, too."""
    told = {}
    for path in keras_files.archives(tmp_path, tmp_path / "secret"):
        try:
            load.check(path)
        except ConvertError:
            told[path.stem.removeprefix("zip-")] = refusal(path)
        if "assets" in path.name:
            # Keras would give other members to layers that read files.
            found = load.keras_file.read(path)
            copy = load.keras_file.write_copy(path, found, found.architecture or {}, tmp_path)
            with zipfile.ZipFile(copy) as zipped:
                assert set(zipped.namelist()) == {"config.json", "metadata.json", "model.weights.h5"}
        path.unlink()
    assert "assets" not in told
    for name in ("linked", "virtual", "external", "doubled", "loop", "huge"):
        assert COMPLAINTS[name] in told[f"weights-{name}"]
    for name in ("bomb", "config-bomb", "metadata-bomb"):
        assert "bytes unpacked, more than" in told[name]
    for name in ("metadata-list", "metadata-median", "metadata-text", "metadata-null"):
        assert name == "metadata-median" or "its metadata.json is not in the form" in told[name]
    assert "too many members" in told["crowd"]
