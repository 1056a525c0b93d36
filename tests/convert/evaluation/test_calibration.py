import numpy as np
import pytest

from convert.evaluation.calibration import calibration_error


def test_calibration_error_by_hand() -> None:
    """Bin (0.6, 0.667] has two of 0.65, one of them right; (0.933, 1] has 1.0, right, and 0.95, wrong; 0 is alone."""
    confidence = np.array([0.65, 0.65, 1.0, 0.95, 0.0])
    right = [True, False, True, False, False]
    by_hand = 2 / 5 * abs(0.5 - 0.65) + 2 / 5 * abs(0.5 - 0.975) + 1 / 5 * 0
    assert calibration_error(confidence, right) == pytest.approx(by_hand)


def test_calibration_of_one_who_knows_how_sure_he_is() -> None:
    confidence = np.full(1000, 0.9)
    assert calibration_error(confidence, np.arange(1000) < 900) == pytest.approx(0, abs=1e-9)
    assert calibration_error(confidence, np.arange(1000) < 600) == pytest.approx(0.3)
