"""Two versions of a model: flips, gains and the identity that ties them to accuracy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa.metrics import (
    inconsistency_rate,
    mean_gain,
    mean_regression,
    measure_table,
    negative_flip_rate,
    positive_flip_rate,
)

PAIRS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40)


@given(pairs=PAIRS)
def test_accuracy_gained_is_positive_minus_negative_flips(pairs: list[tuple[bool, bool]]) -> None:
    old, new = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    up, down = positive_flip_rate(old=old, new=new), negative_flip_rate(old=old, new=new)
    assert up - down == pytest.approx(np.mean(new) - np.mean(old), abs=1e-12)
    assert max(0.0, float(np.mean(old)) - float(np.mean(new))) - 1e-12 <= down <= min(np.mean(old), 1 - np.mean(new))


@given(scores=st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10)), min_size=1, max_size=40))
def test_scores_gained_are_gains_minus_regressions(scores: list[tuple[int, int]]) -> None:
    old, new = [pair[0] / 10 for pair in scores], [pair[1] / 10 for pair in scores]
    names = ["positive_flip_rate", "mean_gain", "negative_flip_rate", "mean_regression"]
    made = [m.value or 0.0 for m in measure_table({"old": old, "new": new}, metrics=names, intervals=False)]
    assert made[0] * made[1] - made[2] * made[3] == pytest.approx(np.mean(new) - np.mean(old), abs=1e-12)


def test_gains_and_regressions_by_hand() -> None:
    columns: dict[str, Any] = {"old": [0.5, 0.2, 0.4, 0.9, 0.3], "new": [0.4, 0.4, 0.8, 0.9, 0.0]}
    assert positive_flip_rate(**columns) == negative_flip_rate(**columns) == 0.4
    assert mean_gain(**columns) == pytest.approx((0.2 + 0.4) / 2)
    assert mean_regression(**columns) == pytest.approx((0.1 + 0.3) / 2)


def test_without_a_flip_there_is_no_mean_of_them() -> None:
    for name, why in (("mean_gain", "no answer is better"), ("mean_regression", "no answer is worse")):
        [made] = measure_table({"old": [1, 0], "new": [1, 0]}, metrics=[name])
        assert made.value is None and why in made.reason


def test_inconsistency_adds_changes_between_wrong_answers() -> None:
    gold = ["A", "A", "A", "A", "A"]
    old, new = ["A", "B", "B", "A", "B"], ["B", "C", "B", "A", "A"]
    correct = [answer == right for answer, right in zip(new, gold, strict=True)]
    assert inconsistency_rate(old=old, new=new, correct=correct) == 0.4
    was = [answer == right for answer, right in zip(old, gold, strict=True)]
    assert negative_flip_rate(old=was, new=correct) == 0.2
