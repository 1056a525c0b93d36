from __future__ import annotations

import io
import struct
import zipfile

import pytest

from edge.system import archive


def made(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as zipped:
        for name, content in members.items():
            zipped.writestr(name, content)
    return buffer.getvalue()


GOOD = made({"a": b"hello", "b": bytes(5000)})


def test_members_are_read_up_to_their_limit() -> None:
    with archive.opened(b"something before" + GOOD) as zipped:
        assert archive.member(zipped, "a", 5) == b"hello"
        assert archive.member(zipped, "b", 5000) == bytes(5000)
        with pytest.raises(ValueError, match="5,000 bytes unpacked, more than 4,999"):
            archive.member(zipped, "b", 4999)
        with pytest.raises(KeyError):
            archive.member(zipped, "c", 5)


def test_a_size_that_lies_gives_no_more_than_it_says() -> None:
    lies = GOOD.replace(struct.pack("<L", 5000), struct.pack("<L", 7))
    with archive.opened(lies) as zipped, pytest.raises(archive.DAMAGE):
        archive.member(zipped, "b", 10)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_methods_are_refused(method: int) -> None:
    with archive.opened(made({"a": b"hello"}, method)) as zipped, pytest.raises(ValueError, match="another method"):
        archive.member(zipped, "a", 5)


def test_a_large_directory_is_refused_before_it_is_read() -> None:
    for crowd in (
        made({f"{number:099}": b"" for number in range(8000)}),
        GOOD[:-10] + struct.pack("<L", 2**31) + GOOD[-6:],
        GOOD[:-22] + b"PK\6\7" + bytes(16) + GOOD[-22:],
    ):
        with pytest.raises(ValueError, match="too many members"):
            archive.opened(crowd)


@pytest.mark.parametrize("content", [b"", b"PK\5\6", b"hello" * 100, GOOD[:-5], b"PK\5\6" * 30_000])
def test_what_is_no_archive_is_refused(content: bytes) -> None:
    with pytest.raises(archive.DAMAGE):
        archive.opened(content)
