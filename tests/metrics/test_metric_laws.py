"""Laws that every metric keeps by being in the folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import doxa
from doxa import registry
from doxa.errors import DataError
from doxa.metrics.maths.cells import group
from doxa.metrics.maths.rule import rule, rules
from doxa.types import Scale

NAMES = rules()
RANKS = [name for name in NAMES if rule(name).scale is Scale.REAL]
UNITS = [name for name in NAMES if rule(name).scale is Scale.UNIT]


def telling(p: Any) -> Any:
    """Confidences of which some metric exists even if there are no others."""
    return ~np.isin(p, [0, 0.5, 1])


DATA = st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=40).map(
    lambda rows: (np.array([p / 20 for p, _ in rows]), np.array([y for _, y in rows]))
)
MIXED = DATA.filter(lambda data: 0 < data[1].sum() < len(data[1]) and bool(telling(data[0]).any()))


def metric(name: str) -> Callable[..., float]:
    function: Callable[..., float] = registry.find("metrics", name)
    return function


@pytest.mark.parametrize("name", NAMES)
@given(data=MIXED, seed=st.integers(0, 99))
def test_the_order_of_rows_never_changes_a_value(name: str, data: Any, seed: int) -> None:
    p, y = data
    order = np.random.default_rng(seed).permutation(len(p))
    assert metric(name)(confidence=p, correct=y) == metric(name)(confidence=p[order], correct=y[order])


@pytest.mark.parametrize("name", NAMES)
@given(data=MIXED)
def test_values_stay_within_their_bounds(name: str, data: Any) -> None:
    low, high = rule(name).bounds
    assert low - 1e-12 <= metric(name)(confidence=data[0], correct=data[1]) <= high + 1e-12


OF_N = {"aurc", "excess_aurc", "selective_auc", "auarc", "prr", "accuracy_at_coverage"}
"""Means over i = 1 … n, and limits rounded to whole answers, depend on n itself."""
CHANCE = {"spiegelhalter_z", "kernel_calibration_error", "debiased_squared_ece"}
"""Chance is part of what these measure, and two answers prove more than one."""


@pytest.mark.parametrize("name", sorted({*NAMES} - OF_N - CHANCE))
@given(data=MIXED)
def test_every_row_twice_is_the_same_sample(name: str, data: Any) -> None:
    p, y = data
    once = metric(name)(confidence=p, correct=y)
    twice = metric(name)(confidence=np.repeat(p, 2), correct=np.repeat(y, 2))
    if name == "coverage_at_risk":
        assert twice >= once - 1e-12
    else:
        assert twice == pytest.approx(once, abs=1e-9)


@pytest.mark.parametrize("name", RANKS)
@given(data=MIXED)
def test_only_the_order_of_confidences_counts(name: str, data: Any) -> None:
    p, y = data
    assert metric(name)(confidence=np.exp(5 * p) - 7, correct=y) == metric(name)(confidence=p, correct=y)


@pytest.mark.parametrize("name", NAMES)
@given(data=MIXED, seed=st.integers(0, 9))
def test_a_replicate_is_measured_as_the_rows_it_stands_for(name: str, data: Any, seed: int) -> None:
    p, y = data
    times = np.random.default_rng(seed).integers(0, 3, (3, len(p)))
    times[:, [int(np.argmax(y)), int(np.argmin(y)), int(np.argmax(telling(p)))]] += 1
    cells = group(p, y)
    place = np.array([int(np.flatnonzero(cells.confidence == v)[0]) for v in p])
    right, wrong = np.zeros((3, len(cells.confidence))), np.zeros((3, len(cells.confidence)))
    for row in range(3):
        np.add.at(right[row], place[y], times[row][y])
        np.add.at(wrong[row], place[~y], times[row][~y])
    together = rule(name).kernel(type(cells)(cells.confidence, right, wrong))
    alone = [metric(name)(confidence=np.repeat(p, t), correct=np.repeat(y, t)) for t in times]
    assert together == pytest.approx(np.array(alone), abs=1e-7)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("convert", [list, tuple, np.array, pl.Series])
def test_every_kind_of_sequence_is_taken(name: str, convert: Callable[[Any], Any]) -> None:
    p, y = [0.2, 0.8, 0.6, 0.4], [0, 1, 1, 0]
    assert metric(name)(confidence=convert(p), correct=convert(y)) == metric(name)(
        confidence=p, correct=[bool(v) for v in y]
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("confidence", "correct", "complaint"),
    [
        ([0.5] * 17 + [float("nan"), 0.5], [True] * 19, r"confidence\[17\] is NaN"),
        ([0.5, float("inf")], [True, False], r"confidence\[1\] is inf"),
        ([0.5, None], [True, False], r"confidence\[1\] is None"),
        ([0.5, "high"], [True, False], r"confidence\[1\] is 'high'"),
        ([], [], "empty"),
        ([0.5, 0.6], [True], "2 values and correct has 1"),
        ([0.5, 0.5], [0.25, 1], r"correct\[0\] is 0.25"),
        ([[0.5]], [True], "2 dimensions"),
    ],
)
def test_bad_arrays_are_refused_by_position(name: str, confidence: Any, correct: Any, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint) as caught:
        metric(name)(confidence=confidence, correct=correct)
    assert caught.value.hint


@pytest.mark.parametrize("name", UNITS)
def test_confidences_outside_the_unit_interval_are_refused(name: str) -> None:
    with pytest.raises(DataError, match=r"confidence\[1\] is 90; 1 of 3 are outside \[0, 1\]"):
        metric(name)(confidence=[0.5, 90, 0.2], correct=[1, 0, 1])


@pytest.mark.parametrize("name", NAMES)
def test_swapped_arrays_are_refused(name: str) -> None:
    with pytest.raises(DataError, match=r"correct\[0\] is 0.9") as caught:
        metric(name)(confidence=[1, 0], correct=[0.9, 0.2])
    assert "swapped" in caught.value.hint


@pytest.mark.parametrize("name", NAMES)
def test_arrays_are_given_by_name_only(name: str) -> None:
    with pytest.raises(TypeError):
        metric(name)([0.5], [1])


@pytest.mark.parametrize("name", NAMES)
def test_a_metric_says_which_way_is_better_and_is_part_of_doxa_metrics(name: str) -> None:
    text = metric(name).__doc__ or ""
    assert any(word in text for word in ("lower is", "higher is", "zero is best", "neither high nor low"))
    assert rule(name).better in ("low", "high", "zero")
    assert getattr(doxa.metrics, name) is metric(name)
    assert ">>> " in text


UNDEFINED = {"spiegelhalter_z": [0.0, 0.5], "kernel_calibration_error": [0.5]}


@pytest.mark.parametrize("name", [name for name in NAMES if rule(name).undefined])
def test_what_does_not_exist_is_refused_with_the_reason(name: str) -> None:
    kind = "right" not in rule(name).undefined.replace("all answers are right", "")
    p = UNDEFINED.get(name, [0.2, 0.7])
    with pytest.raises(DataError, match="undefined: ") as caught:
        metric(name)(confidence=p, correct=[kind] * len(p))
    assert caught.value.hint


def test_an_unknown_metric_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'briar'"):
        _ = doxa.metrics.briar
