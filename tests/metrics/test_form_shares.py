"""Shares of rows have an interval also where resampling shows no spread."""

from __future__ import annotations

import pytest

from doxa.metrics import measure_table
from doxa.metrics.maths.intervals import clopper_pearson


@pytest.mark.parametrize("name", ["negative_flip_rate", "positive_flip_rate"])
def test_no_flip_among_thirty_is_no_proof_that_there_are_none(name: str) -> None:
    [found] = measure_table({"old": [True] * 30, "new": [True] * 30}, metrics=[name])
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(clopper_pearson(0, 30)[1])


def test_rows_of_a_cluster_count_once() -> None:
    columns = {"old": [True] * 30, "new": [False] * 30}
    [found] = measure_table(columns, metrics=["negative_flip_rate"], cluster=[i // 3 for i in range(30)])
    assert found.value == 1.0 and found.low == pytest.approx(clopper_pearson(10, 10)[0])
