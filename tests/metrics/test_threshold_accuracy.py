"""Scores of risk at a threshold: against counting, and the best threshold against trying all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa.metrics import threshold_accuracy

DATA = st.lists(st.tuples(st.integers(0, 10), st.booleans()), min_size=1, max_size=40)


@given(data=DATA, tenths=st.integers(0, 11))
def test_it_counts_and_the_best_is_the_best_of_all(data: list[tuple[int, bool]], tenths: int) -> None:
    score, event = np.array([row[0] / 10 for row in data]), np.array([row[1] for row in data])
    found = threshold_accuracy(confidence=score, correct=event, threshold=tenths / 10)
    assert found == pytest.approx(np.mean((score >= tenths / 10) == event))
    best = max(np.mean((score >= each) == event) for each in [*score, 2.0])
    assert threshold_accuracy(confidence=score, correct=event, threshold=None) == pytest.approx(best)
