import numpy as np
import pytest

from convert.evaluation import temperature
from tests.support import small

pytestmark = small.QUIET


def sampled(sharpened: float) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn from known probabilities, and those probabilities made surer or less sure than they are."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (20_000, 10))
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (true.cumsum(axis=1) > rng.uniform(size=(20_000, 1))).argmax(axis=1)
    claimed = true**sharpened
    return (claimed / claimed.sum(axis=1, keepdims=True)).astype(np.float32), labels.astype(np.uint8)


@pytest.mark.parametrize("sharpened", [0.5, 1.0, 2.0])
def test_the_temperature_undoes_what_made_a_model_too_sure(sharpened: float) -> None:
    assert temperature.fit(*sampled(sharpened)) == pytest.approx(sharpened, rel=0.05)


def test_a_model_beyond_help_stays_within_limits() -> None:
    certain = np.eye(10, dtype=np.float32)[np.zeros(50, int)]
    assert temperature.fit(certain, np.ones(50, np.uint8)) == pytest.approx(5.0, rel=0.01)
    assert temperature.is_at_limit(temperature.fit(certain, np.ones(50, np.uint8)))
    assert temperature.fit(certain * 0.6 + 0.04, np.zeros(50, np.uint8)) == pytest.approx(0.2, rel=0.01)
