"""Progress: a moving line on a terminal; elsewhere nothing, or one line for each epoch or part of the work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn


@contextmanager
def steps(stream: TextIO) -> Iterator[Callable[[str], None]]:
    """A function to call with each step's name before it starts; shown on ``stream`` if that is a terminal."""
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    with _bar(stream, SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()) as bar:
        task = bar.add_task("", total=None)
        yield lambda step: bar.update(task, description=step)


@contextmanager
def counted(unit: str, count: int, stream: TextIO) -> Iterator[Callable[[int, str], None]]:
    """A function to call with how many of ``count`` units are done, and what there is to say of them."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

    if not stream.isatty():
        yield lambda done, text: _write(stream, f"{unit} {done}/{count}{text and f': {text}'}\n")
        return
    columns = (MofNCompleteColumn(), BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    with _bar(stream, TextColumn(unit), *columns) as bar:
        task = bar.add_task("preparing", total=count)
        yield lambda done, text: bar.update(task, completed=done, description=text)


def _bar(stream: TextIO, *columns: ProgressColumn) -> Progress:
    from rich.console import Console
    from rich.progress import Progress

    # By default rich also takes over sys.stderr, which TensorFlow writes to.
    return Progress(
        *columns, console=Console(file=stream), transient=True, disable=not stream.isatty(), redirect_stderr=False,
        redirect_stdout=False,
    )  # fmt: skip


def _write(stream: TextIO, line: str) -> None:
    stream.write(line)
    stream.flush()
