from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from convert.load import load, saved_graph, saved_model
from convert.load.operations import ALLOWED, CHECKPOINT
from edge.errors import ConvertError
from tests.hostile import saved_models
from tests.support import small

pytestmark = small.QUIET


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    small.keras()
    return saved_models.exported(lambda weights, x: saved_models.linear(weights, x), tmp_path_factory.mktemp("m") / "m")


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What TensorFlow was asked to load."""
    import tensorflow as tf

    asked: list[str] = []
    monkeypatch.setattr(tf.saved_model, "load", asked.append)
    return asked


def operations(folder: Path) -> set[str]:
    """The operations of a SavedModel, in its graph and in its functions."""
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    (graph,) = SavedModel.FromString((folder / "saved_model.pb").read_bytes()).meta_graphs
    parts = (graph.graph_def.node, *(function.node_def for function in graph.graph_def.library.function))
    return {node.op for part in parts for node in part}


@pytest.mark.parametrize("operation", saved_models.OPERATIONS)
def test_an_operation_that_is_not_arithmetic_is_named_before_tensorflow_loads_it(
    operation: str, base: Path, loaded: list[str], tmp_path: Path
) -> None:
    # Their order changes with what TensorFlow did before; the one for saving is called by nothing.
    place = "__inference__traced_save" if operation in CHECKPOINT else "__inference_<lambda>"

    def add(graph: Any) -> None:
        (function,) = (one for one in graph.graph_def.library.function if one.signature.name.startswith(place))
        function.node_def.add(name="bad", op=operation)

    changed = saved_models.changed(base, f"inner-{operation}", add)
    if operation in CHECKPOINT:
        # In a function that nothing calls: it is removed.
        assert operation not in operations(saved_model._copy(changed, tmp_path)[0])
        return
    assert f"has {operation}," in small.refused(changed)
    assert not loaded


def test_what_the_attacker_would_have_written_and_read_is_refused(tmp_path: Path, loaded: list[str]) -> None:
    small.keras()
    named = {
        "write": "WriteFile", "save": "SaveV2", "merge": "MergeV2Checkpoints", "print": "PrintV2",
        "record": "DatasetToTFRecord", "match": "MatchingFiles", "constant": "ImmutableConst", "read": "ReadFile",
        "restore": "RestoreV2", "python": "PyFunc",
    }  # fmt: skip
    functions = saved_models.functions(tmp_path / "secret", tmp_path / "written")
    for name, operation in named.items():
        text = small.refused(saved_models.exported(functions[name], tmp_path / name))
        assert operation in text and "export it for inference only" in text
    assert not loaded and not (tmp_path / "written").exists()


@pytest.mark.parametrize(
    ("name", "complaint"),
    [("splat", "more than 256 MiB"), ("variable", "more than 256 MiB"), ("variant", "is no number"),
     ("crowd", "operations"), ("asset", "reads a file of its own, ../../../etc/passwd"),
     ("resource", "runs on loading, resource"), ("saver", "runs on loading"), ("registered", "runs on loading"),
     ("names", "its graph has ?]0;owned?")],
)  # fmt: skip
def test_what_no_classifier_has_is_refused(name: str, complaint: str, base: Path, loaded: list[str]) -> None:
    text = small.refused(saved_models.changed(base, name, saved_models.changes()[name]))
    assert complaint in text and text.isprintable() and not loaded


def test_a_variable_that_is_listed_three_times_counts_once() -> None:
    small.keras()
    from tensorflow.core.framework.node_def_pb2 import NodeDef

    def variables(values: int) -> list[Any]:
        nodes = [NodeDef(name=name, op="VarHandleOp") for name in ("kernel", "kernel_1", "Variable")]
        for node in nodes:
            node.attr["shape"].shape.dim.add().size = values
        return nodes

    saved_graph.check_sizes(variables(25 * 2**20), Path("m"))
    with pytest.raises(ConvertError, match="weights of more than 256 MiB"):
        saved_graph.check_sizes(variables(70 * 2**20), Path("m"))


def test_an_initialiser_is_refused_by_name(base: Path, loaded: list[str]) -> None:
    changed = saved_models.changed(base, "start", lambda graph: saved_models.as_initialiser(graph, "Fill"))
    assert "runs Fill on loading, as an initialiser" in small.refused(changed)
    assert not loaded


def test_folders_with_links_and_pipes_are_refused(base: Path, tmp_path: Path, loaded: list[str]) -> None:
    (tmp_path / "secret").write_text("secret")
    complaints = {
        "link": "is a link",
        "folder-link": "is a link",
        "pipe": "is not a file",
        "sparse": "more than 256 MiB",
    }
    for path in saved_models.folders(base, tmp_path / "secret"):
        if complaint := complaints.get(path.name.removeprefix("saved-")):
            assert complaint in small.refused(path)
    assert not loaded


def test_tensorflow_gets_a_copy_without_what_saves_it(base: Path, tmp_path: Path) -> None:
    (base / "keras_metadata.pb").write_bytes(b"code")
    copy, _ = saved_model._copy(base, tmp_path)
    assert operations(base) & CHECKPOINT and not operations(copy) - ALLOWED
    assert {path.name for path in copy.rglob("*") if path.is_file()} == {
        "saved_model.pb", "variables.index", "variables.data-00000-of-00001",
    }  # fmt: skip
    assert load(base).labels == tuple("0123456789")


def test_a_tensorflow_1_graph_restores_only_its_own_weights(base: Path) -> None:
    changed = saved_models.changed(base, "foreign-1", saved_models.changes()["foreign"])
    assert "RestoreV2" in small.refused(changed)


def test_only_operations_that_tensorflow_has_are_allowed() -> None:
    small.keras()
    from tensorflow.core.framework.op_def_pb2 import OpList
    from tensorflow.python.client import pywrap_tf_session

    listed = pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList())
    there = {one.name for one in OpList.FromString(listed).op}
    assert there >= ALLOWED and not ALLOWED & CHECKPOINT
    words = ("File", "Dataset", "Reader", "Summary", "Save", "Restore", "Py", "Print", "Debug", "Table", "Send", "Recv")
    assert {name for name in ALLOWED if any(word in name for word in words)} == {"ShardedFilename"}
