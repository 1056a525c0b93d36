from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from convert.load import keras_file
from convert.load.keras_file import read, write_copy
from edge.errors import ConvertError
from tests.fuzz.targets import CORPUS
from tests.support import small

pytestmark = small.QUIET


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_a_copy_has_the_new_architecture_and_the_old_weights(suffix: str, tmp_path: Path) -> None:
    path = small.saved(small.untrained(), tmp_path / f"m{suffix}")
    before = path.read_bytes()
    found = read(path)
    assert found.architecture is not None and found.architecture["class_name"] == "Functional"
    assert found.version.startswith("3.") and found.backend == ("tensorflow" if suffix == ".h5" else "")
    (tmp_path / "copy").mkdir()
    text = json.dumps(found.architecture).replace('"softmax"', '"linear"')
    copy = write_copy(path, found, json.loads(text), tmp_path / "copy")
    model = small.keras().models.load_model(copy)
    np.testing.assert_array_equal(model.get_weights()[0], small.untrained().get_weights()[0])
    assert model.layers[-1].activation.__name__ == "linear"
    assert path.read_bytes() == before


def test_numbers_from_another_file_are_refused(tmp_path: Path) -> None:
    path = small.saved(small.untrained(), tmp_path / "m.h5")
    (tmp_path / "secret").write_bytes(bytes(4000))
    for name in ("link", "external"):
        linked = tmp_path / f"{name}.h5"
        linked.write_bytes(path.read_bytes())
        with h5py.File(linked, "r+") as stored:
            if name == "link":
                stored["model_weights/more"] = h5py.ExternalLink("m.h5", "/model_weights")
            else:
                stored["model_weights"].create_dataset("more", (9,), "f4", external=[(str(tmp_path / "secret"), 0, 36)])
        with pytest.raises(ConvertError, match="its model_weights/more is (a link|stored in another file)"):
            read(linked)


def test_damage_where_only_the_copy_is_written_is_said(tmp_path: Path) -> None:
    # Fuzzing found it: an attribute that is not read, so that no attribute can be added beside it.
    path = CORPUS / "keras_hdf5" / "damaged_attribute.h5"
    found = read(path)
    with pytest.raises(ConvertError, match=r"damaged_attribute\.h5: is damaged or cut short"):
        write_copy(path, found, {}, tmp_path)


def test_hdf5_of_something_else_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.h5", "w") as stored:
        stored["pixels"] = np.zeros(3)
    with pytest.raises(ConvertError, match="is an HDF5 file, but not a Keras model"):
        read(tmp_path / "m.h5")


def test_an_unpacked_file_may_be_older_than_zip_archives(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "config.json").write_text("{}")
    os.utime(tmp_path / "m" / "config.json", (1, 1))
    with zipfile.ZipFile(keras_file.zip_folder(tmp_path / "m", tmp_path)) as zipped:
        assert zipped.namelist() == ["config.json"]
