"""Variance of scores over questions and wordings: an analysis of variance by hand, and its coverage."""

from __future__ import annotations

import numpy as np
import pytest

from doxa.errors import DataError
from doxa.metrics.maths.sensitivity import sensitivity


def test_the_components_are_those_of_the_analysis_of_variance_by_hand() -> None:
    # Means of rows 2, 5, 8 and of columns 4, 6; rests are all 0 but for a pattern of +-1 in the first two rows.
    found = sensitivity([[2.0, 2.0], [3.0, 7.0], [7.0, 9.0]])
    # MS of questions 2 * 9 = 18, of wordings 3 * 2 = 6, of the rest 4 / 2 = 2.
    assert (found.mean, found.wordings, found.n) == (5.0, (4.0, 6.0), 3)
    assert (found.question, found.wording, found.rest) == pytest.approx(((18 - 2) / 2, (6 - 2) / 3, 2.0))
    assert found.sd == pytest.approx(2**0.5)


def test_scores_that_never_vary_have_no_variance() -> None:
    found = sensitivity(np.ones((5, 3)))
    assert (found.low, found.high, found.question, found.wording, found.rest, found.sd) == (1, 1, 0, 0, 0, 0)


@pytest.mark.parametrize(("n", "k", "wording"), [(40, 4, 0.3), (20, 3, 0.0), (60, 8, 0.5)])
def test_the_interval_holds_and_the_components_are_right_on_average(n: int, k: int, wording: float) -> None:
    rng = np.random.default_rng(0)
    inside, parts = [], []
    for _ in range(1000):
        scores = rng.normal(size=(n, 1)) + wording * rng.normal(size=(1, k)) + 0.7 * rng.normal(size=(n, k))
        found = sensitivity(scores)
        inside.append(found.low <= 0 <= found.high)
        parts.append((found.question, found.wording, found.rest))
    assert np.mean(inside) >= 0.95 - 3 * (0.0475 / 1000) ** 0.5
    assert np.mean(parts, axis=0) == pytest.approx([1.0, wording**2, 0.49], abs=0.03)


@pytest.mark.parametrize("scores", [[[1.0, 0.0]], [[1.0], [0.0]], [1.0, 0.0], [[1.0, np.nan], [0.0, 1.0]]])
def test_a_table_with_gaps_or_of_one_line_is_refused(scores: object) -> None:
    with pytest.raises(DataError, match="do not fill a table"):
        sensitivity(scores)  # type: ignore[arg-type]
