from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from convert.data.mnist import ARRAYS, FILES, Mnist, downloaded, load_mnist
from edge.errors import DataError
from tests.support import small


def write_idx(folder: Path, mnist: Mnist, *, packed: bool = False) -> None:
    parts = (mnist.train, mnist.train_labels, mnist.test, mnist.test_labels)
    for name, part in zip(FILES, parts, strict=True):
        sizes = b"".join(size.to_bytes(4, "big") for size in part.shape)
        content = bytes([0, 0, 8, part.ndim]) + sizes + part.tobytes()
        (folder / (name + ".gz" if packed else name)).write_bytes(gzip.compress(content) if packed else content)


def same(one: Mnist, other: Mnist) -> bool:
    return one.digest == other.digest and one.train.shape == other.train.shape


@pytest.mark.parametrize("packed", [True, False])
def test_a_folder_of_the_original_files_is_read(packed: bool, tmp_path: Path) -> None:
    write_idx(tmp_path, small.data(), packed=packed)
    assert same(load_mnist(str(tmp_path)), small.data())


def test_an_npz_is_read(tmp_path: Path) -> None:
    assert same(load_mnist(str(small.write_npz(tmp_path / "mnist.npz"))), small.data())


def test_the_real_mnist_is_as_published(data: Path) -> None:
    mnist = load_mnist(str(data / "mnist"))
    assert mnist.train.shape == (60_000, 28, 28) and mnist.test.shape == (10_000, 28, 28)
    # Counts of each digit in the test part, as yann.lecun.com's files have them.
    assert np.bincount(mnist.test_labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_limited_takes_the_first_of_the_training_part_only() -> None:
    mnist = small.data().limited(7)
    assert np.array_equal(mnist.train, small.data().train[:7]) and len(mnist.train_labels) == 7
    assert mnist.test is small.data().test


def refusal(place: Path) -> str:
    with pytest.raises(DataError) as refused:
        load_mnist(str(place))
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    assert "no such file or folder" in refusal(tmp_path / "none")
    assert f"neither {FILES[0]} nor {FILES[0]}.gz" in refusal(tmp_path)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("packed", [True, False])
def test_a_file_cut_short_is_named(name: str, packed: bool, tmp_path: Path) -> None:
    write_idx(tmp_path, small.data(), packed=packed)
    path = tmp_path / (name + ".gz" if packed else name)
    whole = path.read_bytes()
    for length in (0, 3, 9, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert str(path) in refusal(tmp_path)


def test_a_damaged_gz_is_named(tmp_path: Path) -> None:
    write_idx(tmp_path, small.data(), packed=True)
    path = tmp_path / (FILES[0] + ".gz")
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 255
    path.write_bytes(damaged)
    assert str(path) in refusal(tmp_path)


def test_images_and_labels_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    mnist, path = small.data(), tmp_path / "mnist.npz"
    for bad in (
        Mnist(mnist.train, mnist.train_labels[1:], mnist.test, mnist.test_labels),
        Mnist(mnist.train[:, :20], mnist.train_labels, mnist.test, mnist.test_labels),
        Mnist(mnist.train, mnist.train_labels, mnist.test, mnist.test_labels + np.uint8(1)),
    ):
        small.write_npz(path, bad)
        assert "MNIST has" in refusal(path)


def test_an_npz_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mnist.npz"
    for content in (b"", b"hello", b"PK\x03\x04 and no more"):
        path.write_bytes(content)
        assert "download it again" in refusal(path)
    np.savez(path, x=np.zeros(3))
    assert "download it again" in refusal(path)
    np.savez(path, **{name: np.full((3, 28, 28), -1.0) for name in ARRAYS})
    assert "whole numbers from 0 to 255" in refusal(path)
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    assert "download it again" in refusal(path)
    whole = small.write_npz(path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "download it again" in refusal(path)


def test_a_user_without_a_home_folder_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(DataError, match="no home folder.*--data"):
        downloaded()
