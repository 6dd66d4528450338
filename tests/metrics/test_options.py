"""Scores of distributions over options: published values, the quirk of the released code, and SimBench."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from doxa.errors import DataError, UsageError
from doxa.metrics import (
    confidence_weighted_accuracy,
    distributional_correctness_score,
    measure_table,
    probability_mass,
    simbench_score,
    ternary_score,
)
from doxa.metrics.maths.options import distance, shares

LETTERS = ("A", "B", "C", "D", "IDK")
PUBLISHED = [
    ((0.31, 0.27, 0.40, 0.01, 0.01), -0.1881, -0.19),
    ((0.15, 0.05, 0.40, 0.01, 0.39), 0.1159, 0.19),
    ((0.25, 0.24, 0.26, 0.24, 0.01), -0.4653, -0.47),
    ((0.01, 0.01, 0.96, 0.01, 0.01), 0.9207, 0.93),
]


@pytest.mark.parametrize(("belief", "formula", "released"), PUBLISHED)
def test_published_beliefs(belief: tuple[float, ...], formula: float, released: float) -> None:
    given: dict[str, Any] = {"options": [dict(zip(LETTERS, map(log, belief), strict=True))], "gold": ["C"]}
    found = distributional_correctness_score(**given, normalise=False)
    assert found == pytest.approx(formula, abs=1e-4 / 2 + 1e-9)
    quirk = distributional_correctness_score(**given, normalise=False, as_released=True)
    assert quirk == pytest.approx(released, abs=1e-9)


@pytest.mark.parametrize(("idk", "seen"), [("IDK", False), (" ?", False), ("idk", True), ("?", True)])
def test_the_released_code_sees_only_keys_that_are_normalised_already(idk: str, seen: bool) -> None:
    given: dict[str, Any] = {"options": [{"A": 0.3, "B": 0.1, idk: 0.6}], "gold": ["A"], "logs": False}
    assert distributional_correctness_score(**given) == pytest.approx(0.2 * 0.4)
    quirk = distributional_correctness_score(**given, as_released=True)
    assert quirk == pytest.approx(0.2 * 0.4 if seen else 0.2)


def test_all_mass_on_one_kind_and_weights() -> None:
    for mass, expected in (((1, 0, 0), 2.0), ((0, 1, 0), -0.5), ((0, 0, 1), 0.0)):
        options = [dict(zip(("a", "b", "?"), mass, strict=True))]
        found = distributional_correctness_score(options=options, gold=["a"], reward=2.0, penalty=0.5, logs=False)
        assert found == expected
    with pytest.raises(UsageError, match="penalty 3"):
        distributional_correctness_score(options=[{"a": 1, "?": 1}], gold=["a"], penalty=3)


@given(scores=st.lists(st.floats(-20, 0), min_size=3, max_size=3))
def test_length_normalised_softmax_equals_scipy(scores: list[float]) -> None:
    texts = ["Paris", "New York", " ?"]
    found = shares(dict(zip(texts, scores, strict=True)), logs=True, normalise=True)
    assert found == pytest.approx(softmax(np.array(scores) / [5, 8, 2]), abs=1e-12)
    plain = shares(dict(zip(texts, scores, strict=True)), logs=True, normalise=False)
    assert plain == pytest.approx(softmax(scores), abs=1e-12)


def test_texts_are_compared_without_case_and_outer_spaces_and_several_may_be_right() -> None:
    options = [{" Paris": 0.5, "PARIS ": 0.2, "Rome": 0.2, "idk": 0.1}]
    assert probability_mass(options=options, gold=["paris"], logs=False) == pytest.approx(0.7)
    assert probability_mass(options=options, gold=[["Rome", "paris"]], logs=False) == pytest.approx(0.9)
    assert probability_mass(options=options, gold=["rome"], idk=" PARIS", logs=False) == pytest.approx(0.2)


def test_the_likeliest_option_decides_and_ties_count_in_parts() -> None:
    options = [{"a": 0.6, "b": 0.3, "?": 0.1}, {"a": 0.4, "b": 0.4, "?": 0.2}, {"a": 0.2, "b": 0.2, "?": 0.6}]
    made: dict[str, Any] = {"options": options, "gold": ["a", "a", "a"], "logs": False}
    assert ternary_score(**made) == pytest.approx((1 + 0 + 0) / 3)
    assert ternary_score(**made, penalty=0.5) == pytest.approx((1 + 0.25 + 0) / 3)
    assert confidence_weighted_accuracy(**made) == pytest.approx((0.6 + 0.2 + 0) / 3)


def test_options_without_the_right_one_or_the_silent_one_are_refused() -> None:
    with pytest.raises(DataError, match="'c' is none of the options"):
        probability_mass(options=[{"a": 1.0, "?": 0.0}], gold=["c"])
    with pytest.raises(DataError, match="'idk' is none of the options"):
        probability_mass(options=[{"a": 1.0, "?": 0.0}], gold=["a"], idk="IDK")
    with pytest.raises(DataError, match="are no probabilities"):
        probability_mass(options=[{"a": -1.0, "?": 2.0}], gold=["a"], logs=False)


def test_simbench_by_hand() -> None:
    people, model = {"A": 0.7, "B": 0.2, "C": 0.1}, {"C": 0.2, "A": 0.5, "B": 0.3}
    assert distance(people, model) == pytest.approx(0.2)
    assert distance(people, dict.fromkeys(people, 2)) == pytest.approx(0.36667, abs=1e-5)
    assert simbench_score(human=[people], model=[model]) == pytest.approx(45.4545, abs=1e-4)


def test_simbench_divides_by_the_mean_of_the_data_set() -> None:
    rng = np.random.default_rng(0)
    rows = [(dict(zip("ABC", rng.dirichlet(np.ones(3)), strict=True)), f"d{i % 2}") for i in range(40)]
    humans, names = [row[0] for row in rows], [row[1] for row in rows]
    models = [dict(zip("ABC", rng.dirichlet(np.ones(3)), strict=True)) for _ in rows]
    scores = []
    for name in ("d0", "d1"):
        inside = [i for i, each in enumerate(names) if each == name]
        base = np.mean([0.5 * sum(abs(p - 1 / 3) for p in humans[i].values()) for i in inside])
        for i in inside:
            apart = 0.5 * sum(abs(humans[i][label] - models[i][label]) for label in "ABC")
            scores.append(100 * (1 - apart / base))
    assert simbench_score(human=humans, model=models, dataset=names) == pytest.approx(np.mean(scores))
    uniform = [dict.fromkeys("ABC", 1.0)] * 40
    assert simbench_score(human=humans, model=uniform, dataset=names) == pytest.approx(0.0, abs=1e-9)
    assert simbench_score(human=humans, model=humans, dataset=names) == pytest.approx(100.0)


def test_simbench_leaves_out_what_no_one_answered() -> None:
    people, model = {"A": 0.7, "B": 0.2, "C": 0.1}, {"A": 0.5, "B": 0.3, "C": 0.2}
    unasked = dict.fromkeys(people, 0.0)
    both = simbench_score(human=[people, unasked], model=[model, model])
    assert both == pytest.approx(simbench_score(human=[people], model=[model]))


def test_simbench_leaves_out_other_labels_and_does_not_divide_by_nothing() -> None:
    people, other = {"A": 0.7, "B": 0.3}, {"A": 0.7, "C": 0.3}
    assert simbench_score(human=[people, people], model=[people, other]) == pytest.approx(100.0)
    [made] = measure_table({"human": [{"A": 1, "B": 1}], "model": [people]}, metrics=["simbench_score"])
    assert made.value is None and "uniformly" in made.reason
    [made] = measure_table({"human": [people], "model": [other]}, metrics=["simbench_score"])
    assert made.value is None
