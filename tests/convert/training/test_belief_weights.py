import numpy as np

from convert.evaluation.auc import auc
from convert.training.belief_weights import _gradients, fit_weights, rounded
from edge.reading.belief import weigh


def evidence(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Six numbers, of which two say together what is right, one never changes, and one is large."""
    rng = np.random.default_rng(1)
    found = rng.normal(0, 1, (count, 6)).astype(np.float32)
    found[:, 2], found[:, 3] = 0.5, 100 * found[:, 3]
    return found, (found[:, 0] * found[:, 1] > 0)


def test_it_learns_what_no_single_number_says() -> None:
    found, right = evidence(12000)
    weights = {name: array.astype(np.float32) for name, array in fit_weights(found[:10000], right[:10000], 1).items()}
    beliefs = weigh(found[10000:], weights)
    assert (auc(beliefs, right[10000:]) or 0) > 0.95
    assert abs(float(beliefs.mean()) - right[10000:].mean()) < 0.05


def test_the_gradients_are_those_of_the_loss() -> None:
    found, right = evidence(40)
    found[:, 3] /= 100
    rng = np.random.default_rng(2)
    weights = [rng.normal(0, 0.5, shape) for shape in ((6, 3), (3,), (3,), (1,))]

    def loss(changed: list[np.ndarray]) -> float:
        hidden, hidden_bias, output, output_bias = changed
        logits = np.tanh(found @ hidden + hidden_bias) @ output + output_bias
        return float(np.mean(np.logaddexp(0, logits) - right * logits))

    for i, gradient in enumerate(_gradients(found, right.astype(np.float32), weights)):
        ahead, behind = (loss([part + sign * 1e-5 * (k == i) for k, part in enumerate(weights)]) for sign in (1, -1))
        assert np.isclose(gradient.sum(), (ahead - behind) / 2e-5, atol=1e-3)


def test_weights_have_six_digits() -> None:
    assert rounded(np.array([[1 / 3, -123456.7]])).tolist() == [[0.333333, -123457.0]]
