"""Survey answers in all orders: a planted favour for the first place is found, and does not touch what is adjusted."""

from __future__ import annotations

from itertools import permutations
from math import log
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy as scipy_entropy

from doxa.errors import DataError
from doxa.metrics import a_bias, closer_than_uniform, measure_table, survey_divergence, survey_entropy

BELIEF = {"a": 0.5, "b": 0.3, "c": 0.2}


def asked(belief: dict[str, float], favour: float) -> list[dict[str, float]]:
    """All orders of the answers, of a model that says the first with probability `favour` and else its belief."""
    rows = []
    for order in permutations(belief):
        rows.append({each: (1 - favour) * belief[each] + favour * (place == 0) for place, each in enumerate(order)})
    return rows


@given(favour=st.floats(0, 1))
def test_a_favour_for_the_first_place_is_found(favour: float) -> None:
    rows = asked(BELIEF, favour)
    # Averaged over all orders every answer is first equally often: P(first) = (1 − favour) / k + favour.
    assert a_bias(question=["q"] * 6, shown=rows) == pytest.approx(favour * (1 - 1 / 3), abs=1e-12)
    blended = [(1 - favour) * p + favour / 3 for p in BELIEF.values()]
    expected = scipy_entropy(blended) / log(3)
    assert survey_entropy(question=["q"] * 6, shown=rows) == pytest.approx(expected, abs=1e-12)


def test_the_bounds_of_the_bias() -> None:
    first, last = asked(BELIEF, 1), [{**dict.fromkeys(row, 0.0), list(row)[-1]: 1.0} for row in asked(BELIEF, 0)]
    assert a_bias(question=["q"] * 6, shown=first) == pytest.approx(1 - 1 / 3)
    assert a_bias(question=["q"] * 6, shown=last) == pytest.approx(-1 / 3)


def test_divergence_equals_scipy_in_bits_and_is_the_mean_over_questions() -> None:
    people = [{"a": 0.2, "b": 0.3, "c": 0.5}, {"y": 0.1, "n": 0.9}]
    rows = [*asked(BELIEF, 0.3), {"y": 0.4, "n": 0.6}]
    given_: dict[str, Any] = {
        "question": ["q"] * 6 + ["r"],
        "shown": rows,
        "human": [people[0]] * 6 + [people[1]],
    }
    blended = [0.7 * p + 0.1 for p in BELIEF.values()]
    each = [
        scipy_entropy(blended, list(people[0].values()), base=2),
        scipy_entropy([0.4, 0.6], [0.1, 0.9], base=2),
    ]
    assert survey_divergence(**given_) == pytest.approx(np.mean(each), abs=1e-12)
    guess = [scipy_entropy([1 / len(p)] * len(p), list(p.values()), base=2) for p in people]
    nearer = np.mean([own < uniform for own, uniform in zip(each, guess, strict=True)])
    assert closer_than_uniform(**given_) == nearer == 0.5


def test_an_answer_that_no_one_gave_is_infinitely_far() -> None:
    columns = {"question": ["q"], "shown": [{"a": 0.5, "b": 0.5}], "human": [{"a": 1.0, "b": 0.0}]}
    [far, nearer] = measure_table(columns, metrics=["survey_divergence", "closer_than_uniform"])
    assert far.value is None and "no one gave" in far.reason and nearer.value == 0
    columns["shown"] = [{"a": 1.0, "b": 0.0}]
    [far, nearer] = measure_table(columns, metrics=["survey_divergence", "closer_than_uniform"])
    assert far.value == 0 and nearer.value == 1


def test_questions_are_resampled_whole() -> None:
    rng = np.random.default_rng(0)
    questions, shown = [], []
    for number in range(30):
        belief = dict(zip("abc", rng.dirichlet(np.ones(3)).tolist(), strict=True))
        shown += asked(belief, 0.2)
        questions += [f"q{number}"] * 6
    bias, even = measure_table({"question": questions, "shown": shown}, metrics=["a_bias", "survey_entropy"])
    assert "30 units" in even.reason and even.low is not None and even.high is not None
    assert even.low < (even.value or 0) < even.high
    assert bias.value == pytest.approx(0.2 * 2 / 3) and (bias.high or 0.1334) - (bias.low or 0.1333) < 1e-3


def test_rows_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="rows of different answers"):
        survey_entropy(question=["q", "q"], shown=[{"a": 1, "b": 1}, {"a": 1, "c": 1}])
    with pytest.raises(DataError, match="no probabilities of answers"):
        a_bias(question=["q"], shown=[{"a": 1}])
    with pytest.raises(DataError, match="do not fit"):
        survey_divergence(question=["q"], shown=[{"a": 1, "b": 1}], human=[{"a": 1, "c": 1}])
    with pytest.raises(DataError, match="no shares of people"):
        survey_divergence(question=["q"], shown=[{"a": 1, "b": 1}], human=[{"a": 0, "b": 0}])
