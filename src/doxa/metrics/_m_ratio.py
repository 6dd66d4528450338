"""How much of what the model knows reaches its confidence?"""

from __future__ import annotations

import numpy as np

from doxa.metrics.maths.checks import Bools, Floats
from doxa.metrics.maths.columns import Column, Kind
from doxa.metrics.maths.form import Form, Statistic, Values
from doxa.metrics.maths.signal import Sensitivity, of_counts


def m_ratio(*, stimulus: Values, response: Values, rating: Values, ratings: int = 0, pad: bool = True) -> float:
    """Metacognitive efficiency: meta-d' over d'.

    Any number, higher is better: 1 is confidence that uses all the evidence the answers use, 0 none; above 1 it knows
    more than the answers show. Columns and knobs are those of `meta_d_prime`, as is the source. Undefined besides where
    answers are no better than chance, d' being 0 or less.

    >>> counts = {(0, 0, 1): 40, (0, 0, 0): 30, (0, 1, 0): 20, (0, 1, 1): 10}
    >>> rows = [each for each, times in counts.items() for _ in range(times)]
    >>> rows += [(1 - stimulus, 1 - response, rating) for stimulus, response, rating in rows]
    >>> stimulus, response, rating = zip(*rows)
    >>> round(m_ratio(stimulus=stimulus, response=response, rating=rating), 2)
    0.95
    """
    return FORM.value(stimulus=stimulus, response=response, rating=rating, ratings=ratings, pad=pad)


def _statistic(stimulus: Bools, response: Bools, rating: Floats, ratings: int = 0, pad: bool = True) -> Statistic:
    return of_counts(stimulus, response, rating, ratings, pad, _ratio)


def _ratio(found: Sensitivity) -> float:
    return found.meta / found.d if found.d > 0 else float("nan")


FORM = Form(
    _statistic,
    {"stimulus": Column(Kind.TRUTH), "response": Column(Kind.TRUTH), "rating": Column(Kind.SCORE)},
    better="high",
    merges=False,
    bounds=(-np.inf, np.inf),
    undefined="stimuli are of one kind, answers of one kind, or answers are no better than chance",
    times=200,
    knobs={"ratings": 0, "pad": True},
)
