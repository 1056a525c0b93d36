from __future__ import annotations

from typing import Any

from convert.load.architecture import for_inference, has_input, mark_operations, operation_names, parts


def model(*layers: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"name": "m", "layers": list(layers)}, **rest}


def layer(kind: str, **config: Any) -> dict[str, Any]:
    return {"module": "keras.layers", "class_name": kind, "config": {"name": "one", **config}}


def test_the_batch_is_opened_and_floats_are_whole() -> None:
    policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "mixed_float16"}}
    before = model(
        layer("InputLayer", batch_shape=[32, 28, 28], dtype="float16"),
        layer("Dense", batch_input_shape=[None, 9], dtype=policy, units=10),
        layer("Reshape", target_shape=[1, 28], dtype={"class_name": "DTypePolicy", "config": {"name": "float32"}}),
        layer("Flatten", dtype={"config": {"name": ["float16"]}}),
        build_config={"input_shape": [32, 28, 28]},
    )
    after = for_inference(before)
    glyph, dense, reshape, _ = (part["config"] for part in after["config"]["layers"])
    assert glyph["batch_shape"] == [None, 28, 28] and glyph["dtype"] == dense["dtype"] == "float32"
    assert dense["batch_input_shape"] == [None, 9] and reshape["target_shape"] == [1, 28]
    assert after["build_config"] == {"input_shape": [None, 28, 28]}
    assert before["config"]["layers"][0]["config"]["batch_shape"] == [32, 28, 28]


def test_an_architecture_knows_its_input_or_not() -> None:
    assert not has_input(model(layer("Flatten"), layer("Dense", units=10)))
    assert has_input(model(layer("Flatten", batch_input_shape=[None, 28, 28])))


def test_tables_come_from_outside_to_inside() -> None:
    nested = {"n": 1, "a": [{"n": 2, "b": {"n": 3}}, [{"n": 4}]], "c": {"n": 5}}
    assert [part["n"] for part in parts(nested)] == [1, 2, 3, 4, 5]


def test_only_operations_are_marked() -> None:
    called = {"inbound_nodes": [["x", 0, 0]]}
    marked = mark_operations(
        model(
            {**layer("Subtract"), **called},
            {**layer("Subtract", dtype="float32"), **called},
            layer("Subtract"),
            {"config": {}, **called},
        )
    )
    kinds = [part.get("class_name") for part in marked["config"]["layers"]]
    assert kinds == ["operation>Subtract", "Subtract", "Subtract", None]
    assert operation_names(marked) == {"operation>Subtract"}
