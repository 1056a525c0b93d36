"""Files that the converter writes: whole or not at all, or one clear line why not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.errors import ConvertError
from edge.system.files import replacing


@contextmanager
def whole(out: Path) -> Iterator[Path]:
    """A name in ``out``'s folder to write to; what is there when the block ends becomes ``out``.

    Where the block fails, ``out`` stays as it was and nothing is left over. Raises ConvertError where the file
    cannot be written.
    """
    try:
        with replacing(out) as half:
            yield half
    except OSError as error:
        raise _refusal(out, error) from error


def check_writable(out: Path) -> None:
    """Raise ConvertError now, before the long work, where ``out`` could not be written after it."""
    if out.is_dir():
        raise ConvertError(f"{out}: is a folder; name the file to write with -o")
    trial = out.with_name(f".{out.stem}.{os.getpid()}")
    try:
        trial.touch()
        trial.unlink()
    except OSError as error:
        raise _refusal(out, error) from error


def _refusal(out: Path, error: OSError) -> ConvertError:
    return ConvertError(f"{out}: cannot be written ({error.strerror or error}); name another file with -o")
