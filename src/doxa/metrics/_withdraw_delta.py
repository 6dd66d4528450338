"""Does the model withdraw its wrong answers rather than its right ones?"""

from __future__ import annotations

import numpy as np

from doxa.metrics.maths.checks import Bools
from doxa.metrics.maths.columns import Column, Column_, Kind
from doxa.metrics.maths.form import Form, Statistic, Values, mean_of


def withdraw_delta(*, correct: Values, act: Values, keep: str = "KEEP") -> float:
    """Withdrawn share of the wrong answers minus that of the right ones, in percentage points.

    Range [-100, 100], higher is better: 100 is keeping just what is right, 0 is withdrawing without regard to it. Every
    `act` but `keep` (in any case) counts as withdrawn; with `act` a column of bets and `keep="BET"` it is the bet
    delta. Undefined unless some answers are right and some wrong. Source: The Metacognitive Monitoring Battery;
    synthiumjp/metacognitive-monitoring-battery.

    >>> withdraw_delta(correct=[1, 1, 1, 1, 0, 0], act=["KEEP"] * 3 + ["WITHDRAW"] + ["KEEP", "WITHDRAW"])
    25.0
    """
    return FORM.value(correct=correct, act=act, keep=keep)


def _statistic(correct: Bools, act: Column_, keep: str = "KEEP") -> Statistic:
    withdrawn = np.array([each.casefold() != keep.casefold() for each in act], dtype=np.float64)
    of_wrong, of_right = mean_of(np.where(correct, np.nan, withdrawn)), mean_of(np.where(correct, withdrawn, np.nan))
    return lambda weights: 100 * (of_wrong(weights) - of_right(weights))


FORM = Form(
    _statistic,
    {"correct": Column(Kind.TRUTH), "act": Column(Kind.LABEL)},
    better="high",
    bounds=(-100.0, 100.0),
    undefined="all answers are right, or all are wrong",
    knobs={"keep": "KEEP"},
    implements=("metacognitive-battery",),
    coverage="partial: the withdraw and bet deltas of acts that are there; without the items and the dialogue",
)
