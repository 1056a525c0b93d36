"""Load a frozen TensorFlow graph: one .pb file that has the weights as constants."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from convert.load import graph_classifier, saved_graph
from convert.load.graph_classifier import GraphClassifier
from edge.errors import ConvertError
from edge.system.text import one_line, printable

START = re.compile(rb"(?s)\n[\x80-\xff]{0,4}[\x00-\x7f]\n(?P<name>[\x01-\x7f])")
"""How a GraphDef begins: its field 1 is a node of some length, whose field 1 is its name (``node_def.proto``)."""
OPERATION = re.compile(rb"\x12[\x01-\x7f][A-Za-z_]")
"""What follows the name: field 2 of a node, its operation."""
PLACEHOLDERS = ("Placeholder", "PlaceholderV2", "PlaceholderWithDefault")
VARIABLES = {"VarHandleOp", "VariableV2", "Variable", "ReadVariableOp"}
SAME_NUMBERS = {"Identity", "Cast", "Squeeze", "Reshape", "ExpandDims"}
"""Operations after which an answer is still that answer."""
NO_ENDS = {"Assert", "Const", "NoOp", *PLACEHOLDERS}
"""Operations that give nothing for an image."""
SUMMARY = re.compile(r"\w+Summary(V2)?")
"""Operations that tell a person about a training, as HistogramSummary does."""
MIN_PIXELS = 64
"""The fewest numbers that an image has: 8x8, the smallest that is taken."""
MAX_LISTED = 10
"""How many nodes an error lists."""
SWITCHES: tuple[tuple[str, tuple[int, ...], float], ...] = (
    (r"(is_?)?train(ing)?(_?(phase|mode|flag))?|phase(_?train)?|(keras_)?learning_phase", (10, 3, 9), 0),
    (r"(dropout_?)?keep(_?(prob|probability|rate))?|(dropout_?)?keep_?prob_?\w*", (1, 2, 19), 1),
    (r"drop(out)?_?(rate|prob|probability)", (1, 2, 19), 0),
)
"""Inputs besides the image, by their names in lower case: their types (``types.proto``: bool and whole numbers, or
float), and what they are when a digit is read. ``dropout`` alone is used for both the share that is kept and the one
that is dropped, so it is not among them."""


def is_frozen_graph(path: Path) -> bool:
    """Whether a file begins as a GraphDef does."""
    content = b""
    with contextlib.suppress(OSError), path.open("rb") as file:
        content = file.read(200)
    start = START.match(content)
    end = start.end() + start["name"][0] if start else 0
    return start is not None and OPERATION.match(content[end : end + 3]) is not None


@dataclass(frozen=True, slots=True)
class Ends:
    """Between which nodes of a graph the classifier is."""

    given: str
    """The placeholder of the image."""
    found: str
    """The output: a node, ``:`` and a number."""
    switches: Mapping[str, float]
    """What other placeholders are set to."""


def load(
    content: bytes,
    path: Path,
    given: str | None,
    found: str | None,
    check_output: Callable[[tuple[int | None, ...]], None],
) -> tuple[GraphClassifier, str]:
    """The model in a frozen graph, and in words what its other placeholders were set to.

    ``given`` and ``found`` name its input and output nodes; by default they are the only ones there are.
    ``check_output`` gets the output's shape, and raises what is wrong with it. Raises ConvertError if the file is
    damaged, has an operation between these that is not arithmetic, or is not frozen, or if a node has to be named.
    """
    import tensorflow as tf

    try:
        graph = tf.compat.v1.GraphDef.FromString(content)
    except Exception as error:  # protobuf's DecodeError, which has no types for mypy
        raise ConvertError(f"{path}: is a TensorFlow graph, damaged or cut short; copy it again") from error
    nodes = {node.name: node for node in graph.node}
    saved_graph.check_sizes([*graph.node, *(node for one in graph.library.function for node in one.node_def)], path)
    ends = _ends(nodes, given, found, path)
    kept = set(saved_graph.before([ends.given, saved_graph.node_name(ends.found)], nodes, stop={ends.given}))
    needed = [node for node in graph.node if node.name in kept]
    functions = {one.signature.name: one for one in graph.library.function}
    if VARIABLES & {node.op for node in needed}:
        raise ConvertError(
            f"{path}: is not frozen, its weights are variables in other files; give the SavedModel's folder, or freeze"
            " it with convert_variables_to_constants"
        )
    saved_graph.check_operations(needed, functions, path, allow_saving=False)
    del graph.node[:]
    graph.node.extend(_switched(needed, ends.switches))
    try:
        wrapped = tf.compat.v1.wrap_function(lambda: tf.graph_util.import_graph_def(graph, name=""), [])
        source = wrapped.graph.get_tensor_by_name(f"{ends.given}:0")
        try:
            target = wrapped.graph.get_tensor_by_name(ends.found)
        except (KeyError, ValueError) as error:
            # Of the node softmax there is softmax:0 at most.
            raise _none_such(ends.found, [], "--graph-output", path) from error
        if target.shape.rank is not None:
            check_output((None, *target.shape.as_list()[1:]))
        function = wrapped.prune(source, target)
    except ConvertError:
        raise
    except Exception as error:  # TensorFlow can raise anything
        raise ConvertError(f"{path}: TensorFlow cannot load it ({one_line(error, 120)}); freeze it again") from error
    model = GraphClassifier(function, source, target, graph_classifier.constants(function.graph), path)
    return model, ", ".join(f"{printable(name)[:40]} = {value:g}" for name, value in sorted(ends.switches.items()))


def _ends(nodes: Mapping[str, Any], given: str | None, found: str | None, path: Path) -> Ends:
    places = [name for name, node in nodes.items() if node.op in PLACEHOLDERS]
    switches = {name: value for name in places if (value := _switch(nodes[name])) is not None and name != given}
    others = [name for name in places if name not in switches]
    images = [name for name in others if _may_be_image(nodes[name])] or others
    source = (
        _named(given, places, images, "--graph-input", path)
        if given
        else _only(images, "inputs", "--graph-input", path)
    )
    # A placeholder with a default needs no value.
    unset = {name for name in others if name != source and nodes[name].op != "PlaceholderWithDefault"}
    answers = _answers(source, unset, nodes)
    if found:
        _named(found, nodes, answers, "--graph-output", path)
        target = found if ":" in found else f"{found}:0"
    else:
        target = _only(answers, "ends", "--graph-output", path)
    needs = set(saved_graph.before([saved_graph.node_name(target)], nodes, stop={source}))
    if source not in needs:
        raise ConvertError(
            f"{path}: its output {printable(target)[:60]} does not depend on its input {printable(source)[:60]}; name"
            " others with --graph-input and --graph-output"
        )
    for name in sorted(unset & needs):
        raise ConvertError(
            f"{path}: its output also needs the input {printable(name)[:60]}, whose value for reading is not known;"
            " freeze the graph with a constant in its place"
        )
    return Ends(source, target, {name: value for name, value in switches.items() if name in needs})


def _answers(source: str, unset: set[str], nodes: Mapping[str, Any]) -> list[str]:
    """What can be the answer: the outputs of the ends that depend on ``source``, sorted.

    ``unset``: the other placeholders whose value is not known. Those of true digits are for training, and so is what
    needs them. A single number is not: it is refused later.
    """
    training = {name for name in unset if nodes[name].attr["shape"].shape.dim}
    found = saved_graph.after({source}, nodes) - saved_graph.after(training, nodes)
    reading = {name for name in found if not SUMMARY.fullmatch(nodes[name].op)}
    used = {saved_graph.node_name(end) for name in reading for end in nodes[name].input}
    return sorted({_scores(name, nodes) for name in reading - used if nodes[name].op not in NO_ENDS})


def _switch(node: Any) -> float | None:
    """What a placeholder that is no image is set to; None if it is not known."""
    # A name such as model/keep_prob_1.
    name = re.sub(r"_\d+$", "", node.name.rpartition("/")[2].lower())
    for pattern, types, value in SWITCHES:
        if node.attr["dtype"].type in types and re.fullmatch(pattern, name):
            return value
    return None


def _may_be_image(node: Any) -> bool:
    shape = node.attr["shape"].shape
    sizes = [dim.size for dim in shape.dim][1:]
    count = 1
    for size in sizes:
        count *= size if size > 0 else 28
    return not shape.unknown_rank and count >= MIN_PIXELS


def _scores(end: str, nodes: Mapping[str, Any]) -> str:
    """The output of an end; of one that says which number is the greatest, the numbers."""
    node = nodes[end]
    for _ in range(MAX_LISTED):
        if node.op == "ArgMax" and node.input:
            return node.input[0] if ":" in node.input[0] else f"{node.input[0]}:0"
        if node.op not in SAME_NUMBERS or not node.input or saved_graph.node_name(node.input[0]) not in nodes:
            break
        node = nodes[saved_graph.node_name(node.input[0])]
    return f"{end}:0"


def _only(names: list[str], what: str, option: str, path: Path) -> str:
    if len(names) == 1:
        return names[0]
    if not names:
        raise ConvertError(f"{path}: its graph has no {what} that could be a classifier's; name one with {option}")
    raise ConvertError(f"{path}: its graph has {len(names)} {what}; name one with {option}: {_listed(names)}")


def _named(name: str, nodes: Container[str], likely: list[str], option: str, path: Path) -> str:
    """The node of a name that was given; ``likely``: those that can be meant. Raises ConvertError if it is none."""
    node = saved_graph.node_name(name)
    if node not in nodes:
        raise _none_such(name, likely, option, path)
    return node


def _none_such(name: str, likely: list[str], option: str, path: Path) -> ConvertError:
    what = f"its graph has no {option.rpartition('-')[2]} {printable(name)[:60]}"
    return ConvertError(f"{path}: {what}; name another with {option}" + (f": {_listed(likely)}" if likely else ""))


def _listed(names: list[str]) -> str:
    # The last ones are nearest to the answer.
    listed = ", ".join(printable(name)[:60] for name in names[-MAX_LISTED:])
    return f"{listed} ..." if len(names) > MAX_LISTED else listed


def _switched(nodes: Iterable[Any], switches: Mapping[str, float]) -> list[Any]:
    """The nodes with switches as constants. Where there is one for dropout, which is then off, so is its chance."""
    from tensorflow.core.framework import node_def_pb2

    made = []
    for node in nodes:
        if node.name in switches:
            new = node_def_pb2.NodeDef(name=node.name, op="Const")
            kind = node.attr["dtype"].type
            new.attr["dtype"].type = new.attr["value"].tensor.dtype = kind
            new.attr["value"].tensor.CopyFrom(_scalar(switches[node.name], kind))
            made.append(new)
        elif node.op == "RandomUniform" and switches:
            # TFLite has no such number; kept is what is at least 1 with it, or more than 0.
            half = node_def_pb2.NodeDef(name=f"{node.name}/half", op="Const")
            half.attr["dtype"].type = node.attr["dtype"].type
            half.attr["value"].tensor.CopyFrom(_scalar(0.5, node.attr["dtype"].type))
            new = node_def_pb2.NodeDef(name=node.name, op="Fill", input=[node.input[0], half.name])
            new.attr["T"].type, new.attr["index_type"].type = node.attr["dtype"].type, node.attr["T"].type
            made += [half, new]
        else:
            made.append(node)
    return made


def _scalar(value: float, kind: int) -> Any:
    import tensorflow as tf

    return tf.make_tensor_proto(np.array(value, tf.dtypes.as_dtype(kind).as_numpy_dtype))
