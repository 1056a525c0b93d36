"""The weights of older models of ours fit today's network, and those of other networks do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convert.classes import CLASSES
from convert.training import train
from convert.training.older_weights import LAYER, fitted, narrowed, with_all_classes
from tests.support import small

pytestmark = small.QUIET
WIDE = tuple(count + 12 for count in train.FILTERS)


def shapes_of(model: Any) -> list[tuple[int, ...]]:
    return [array.shape for array in model.get_weights()]


def network(monkeypatch: pytest.MonkeyPatch, filters: tuple[int, ...]) -> Any:
    """The network that is trained with other numbers of filters, and random weights, also where they begin as 0."""
    small.keras()
    with monkeypatch.context() as patch:
        patch.setattr(train, "FILTERS", filters)
        model = train.network()
    rng = np.random.default_rng(1)
    weights = model.get_weights()
    for i, array in enumerate(weights):
        if array.ndim == 1:
            weights[i] = rng.uniform(0.5, 1.5, array.shape)
    model.set_weights(weights)
    return model


def test_new_classes_share_what_was_no_digit() -> None:
    rng = np.random.default_rng(1)
    kernel, bias = rng.normal(0, 0.1, (104, 11)), rng.normal(0, 1, 11)
    wide_kernel, wide_bias = with_all_classes(kernel, bias)
    features = rng.uniform(0, 1, (50, 104))
    old, new = (np.exp(features @ k + b) for k, b in ((kernel, bias), (wide_kernel, wide_bias)))
    np.testing.assert_allclose(new[:, :10], old[:, :10])
    np.testing.assert_allclose(new[:, 10:].sum(axis=1), old[:, 10], rtol=0.2)
    assert np.std(wide_kernel[:, 10:], axis=1).min() > 0, "the new classes are different"


def test_the_filters_that_weigh_most_are_kept_in_their_order() -> None:
    def layer(filters: int, gamma: list[float], before: int) -> list[Any]:
        kernel = np.arange(before * filters, dtype=np.float32).reshape(1, 1, before, filters)
        return [kernel, np.array(gamma), *(10 * n + np.arange(filters) for n in (1, 2, 3))]

    first, second = layer(4, [1, -2, 2, 1], 1), layer(3, [1, 2, 1], 4)
    # The third filter is hardly used.
    second[0][..., 2, :] = 0.1
    head = np.array([[3.0, 4.0], [1.0, 1.0], [0.0, 1.0]]), np.zeros(2)
    found = narrowed([*first, *second, *head], [2, 2])
    assert found[0].tolist() == [[[[1, 3]]]] and [one.tolist() for one in found[2:LAYER]] == [
        [11, 13],
        [21, 23],
        [31, 33],
    ]
    assert found[1].tolist() == [-2, 1]
    assert found[LAYER].tolist() == second[0][..., [1, 3], :][..., [0, 1]].tolist()
    assert found[-2].tolist() == [[3, 4], [1, 1]] and found[-1].tolist() == [0, 0]


@pytest.mark.parametrize("dead", ["gamma", "weights behind"])
def test_without_the_filters_that_do_nothing_the_answers_stay(dead: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = network(monkeypatch, WIDE)
    rng, weights = np.random.default_rng(2), wide.get_weights()
    for i, count in enumerate(WIDE):
        unused = rng.permutation(count)[:12]
        if dead == "gamma":
            # Their output is beta, whatever they see.
            weights[LAYER * i + 1][unused] = weights[LAYER * i + 2][unused] = 0
        else:
            weights[LAYER * (i + 1)][..., unused, :] = 0
    wide.set_weights(weights)
    narrow = train.network()
    narrow.set_weights(fitted(weights, shapes_of(narrow)))
    glyphs = rng.uniform(0, 1, (20, 28, 28, 1)).astype(np.float32)
    before, after = (model.predict(glyphs, verbose=0) for model in (wide, narrow))
    np.testing.assert_allclose(after, before, rtol=1e-3, atol=1e-3 * np.abs(before).max())
    assert np.std(before, axis=0).min() > 0, "it sees something"


def test_weights_of_today_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    model = network(monkeypatch, train.FILTERS)
    found = fitted(model.get_weights(), shapes_of(model))
    assert found and all(np.array_equal(a, b) for a, b in zip(found, model.get_weights(), strict=True))


def test_a_wider_model_of_digits_and_none_gets_the_other_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = network(monkeypatch, WIDE).get_weights()
    weights[-2:] = weights[-2][:, :11], weights[-1][:11]
    today = train.network()
    found = fitted(weights, shapes_of(today))
    assert found and [array.shape for array in found] == shapes_of(today)
    assert found[-1].shape == (len(CLASSES),) and found[-1][:10].tolist() == weights[-1][:10].tolist()


def other_networks() -> dict[str, Any]:
    """Weights that none of our networks has, by what is different."""
    own = train.network().get_weights()
    narrow = [array.copy() for array in own]
    narrow[0], narrow[LAYER] = narrow[0][..., :20], narrow[LAYER][:, :, :20]
    narrow[1:LAYER] = [array[:20] for array in narrow[1:LAYER]]
    return {
        "a layer more": [*own[:LAYER], *own],
        "fewer filters": narrow,
        "another kernel": [own[0][:3, :3], *own[1:]],
        "ten classes": [*own[:-2], own[-2][:, :10], own[-1][:10]],
        "a dense layer first": [own[0].reshape(25, -1), *own[1:]],
        "another order": [*own[1:LAYER], own[0], *own[LAYER:]],
    }


@pytest.mark.parametrize(
    "what", ["a layer more", "fewer filters", "another kernel", "ten classes", "a dense layer first", "another order"]
)
def test_another_network_is_none(what: str) -> None:
    small.keras()
    assert fitted(other_networks()[what], shapes_of(train.network())) is None
