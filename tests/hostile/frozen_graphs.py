"""Frozen graphs made to hurt: operations on files, weights that swell, circles, and bytes that are damaged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.hostile.saved_models import OPERATIONS


def made(folder: Path) -> Iterator[Path]:
    """Hostile .pb files."""
    for name, change in changes().items():
        yield write(folder / f"pb-{name}.pb", change)
    content = graph().SerializeToString()
    for n in range(20):
        path, damaged, chance = folder / f"pb-damaged-{n}.pb", bytearray(content), np.random.default_rng(n)
        if n % 2:
            del damaged[int(chance.integers(len(damaged))) :]
        for place in chance.integers(0, max(1, len(damaged)), 1 + n):
            damaged[place] ^= 1 << int(chance.integers(8))
        path.write_bytes(damaged)
        yield path


def graph() -> Any:
    """A classifier of 64 pixels as a GraphDef."""
    from tensorflow.compat import v1

    with v1.Graph().as_default() as made:
        image = v1.placeholder(v1.float32, (None, 64), name="image")
        v1.nn.softmax(image @ np.eye(64, 10, dtype=np.float32), name="scores")
    return made.as_graph_def()


def write(path: Path, change: Callable[[Any], None]) -> Path:
    """A file of that classifier with its GraphDef changed."""
    changed = graph()
    change(changed)
    path.write_bytes(changed.SerializeToString())
    return path


def changes() -> dict[str, Callable[[Any], None]]:
    """name -> what makes a classifier hostile."""

    def before_the_answer(operation: str) -> Callable[[Any], None]:
        def change(given: Any) -> None:
            given.node.add(name="bad", op=operation)
            given.node[-2].input.append("^bad")

        return change

    def circle(given: Any) -> None:
        given.node[-1].input.append("^a")
        given.node.add(name="a", op="Identity", input=["b"]).attr["T"].type = 1
        given.node.add(name="b", op="Identity", input=["scores"]).attr["T"].type = 1

    def splat(given: Any) -> None:
        node = given.node.add(name="splat", op="Const")
        node.attr["value"].tensor.dtype = 1
        for size in (100_000, 100_000):
            node.attr["value"].tensor.tensor_shape.dim.add(size=size)

    def crowd(given: Any) -> None:
        for number in range(250_000):
            given.node.add(name=f"n{number}", op="NoOp")

    def names(given: Any) -> None:
        for number in range(50):
            given.node.add(name=f"\x1b[2J\n{number}", op="Identity", input=["image"]).attr["T"].type = 1

    def recursion(given: Any) -> None:
        function = given.library.function.add()
        function.signature.name = "f"
        function.node_def.add(name="again", op="PartitionedCall").attr["f"].func.name = "f"

    plain = {"circle": circle, "splat": splat, "crowd": crowd, "names": names, "recursion": recursion}
    return {**plain, **{operation: before_the_answer(operation) for operation in OPERATIONS}}
