"""Errors of distributions over labels equal MAPIE's with one bin more, and their definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from doxa import metrics
from doxa.errors import DataError

LETTERS = np.array(["A", "B", "C"])


def sample(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    rng = np.random.default_rng(seed)
    p = rng.dirichlet([1.0, 1.0, 2.0], n)
    gold = np.array([rng.choice(3, p=row**2 / (row**2).sum()) for row in p])
    options = [dict(zip(LETTERS.tolist(), row.tolist(), strict=True)) for row in p]
    return p, gold, {"options": options, "gold": LETTERS[gold].tolist()}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("bins", [1, 4, 10])
def test_mapie_agrees(seed: int, bins: int) -> None:
    # Its num_bins counts the edges.
    calibration = pytest.importorskip("mapie.metrics.calibration")
    p, gold, columns = sample(seed)
    how = {"num_bins": bins + 1, "split_strategy": "uniform"}
    theirs = calibration.expected_calibration_error(gold, p, classwise=True, class_labels=gold, **how)
    assert metrics.classwise_ece(**columns, bins=bins) == pytest.approx(theirs, abs=1e-9)
    even = calibration.top_label_ece(gold, p, **how)
    assert metrics.top_label_ece(**columns, bins=bins, even=True) == pytest.approx(even, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_a_label_counts_as_often_as_it_is_the_likeliest(seed: int) -> None:
    p, gold, columns = sample(seed)
    top, total = p.argmax(1), 0.0
    for label in range(3):
        inside = top == label
        own = metrics.ece(confidence=p[inside, label], correct=gold[inside] == label)
        total += inside.mean() * own
    assert metrics.top_label_ece(**columns) == pytest.approx(total, abs=1e-12)


def test_labels_are_compared_without_case_and_may_be_missing() -> None:
    columns = {"options": [{"A": 0.5, "B": 0.5}, {"a ": 1.0}], "gold": ["a", "A"]}
    # A: 0.5 and 1.0, both right, in two bins; B: 0.5 and 0, both wrong.
    assert metrics.classwise_ece(**columns) == pytest.approx((0.5 / 2 + 0.5 / 2) / 2)


@pytest.mark.parametrize(("options", "gold"), [({"A": 75, "B": 25}, "A"), ({"A": -0.2}, "A"), ({"A": 1.0}, "Paris")])
def test_percentages_logarithms_and_unknown_labels_are_refused(options: dict[str, float], gold: str) -> None:
    for metric in (metrics.classwise_ece, metrics.top_label_ece):
        with pytest.raises(DataError, match=r"no probabilities|no label"):
            metric(options=[options], gold=[gold])
