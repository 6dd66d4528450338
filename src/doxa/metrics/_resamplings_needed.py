"""Over how many wordings of a prompt must a score be averaged to be reliable?"""

from __future__ import annotations

from typing import Literal

import numpy as np

from doxa.errors import UsageError
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.columns import Column, Kind
from doxa.metrics.maths.form import Form, Statistic, Values
from doxa.metrics.maths.resampling import draws, needed

Moment = Literal["mean", "variance"]
ROUNDING = 1e-12
"""Errors of sums of decimals, which must not decide whether a limit is met."""


def resamplings_needed(
    *,
    score: Values,
    epsilon: float = 0.01,
    delta: float = 0.1,
    moment: Moment = "mean",
    replace: bool = False,
    as_released: bool = False,
) -> float:
    """Least number of wordings whose mean score is within epsilon of that of all, with probability 1 − delta.

    From 1 to the number of wordings, lower is better: a stable model needs few. A row holds the score of one wording;
    `moment="variance"` asks the same of their variance. Subsets of each size are drawn at random (5,000; of one and of
    two wordings all). A subset of a finite pool errs by 0 once it is the whole, so that the number is too low where it
    exceeds about a third of the pool: `replace` draws with replacement instead, and then none may suffice.
    `as_released` repeats the authors' code, which takes the percentile int(100 · (1 − delta / 2)) of the absolute error
    and so spends half of delta, and wants it below epsilon. The interval rests on 200 replicates. Undefined where no
    number suffices. Source: ReliableEval: A Recipe for Stochastic LLM Evaluation via Method of Moments;
    SLAB-NLP/Reliable-Eval.

    >>> resamplings_needed(score=[0.5, 0.5, 0.5, 0.6], epsilon=0.03)
    2.0
    """
    knobs = {"epsilon": epsilon, "delta": delta, "moment": moment, "replace": replace, "as_released": as_released}
    return FORM.value(score=score, **knobs)


def _statistic(
    score: Floats,
    epsilon: float = 0.01,
    delta: float = 0.1,
    moment: Moment = "mean",
    replace: bool = False,
    as_released: bool = False,
) -> Statistic:
    if not (epsilon > 0 and 0 < delta < 1) or moment not in ("mean", "variance"):
        hint = "epsilon is above 0, delta between 0 and 1, moment mean or variance"
        raise UsageError(f"epsilon is {epsilon}, delta {delta}, moment {moment!r}", hint=hint)

    def enough(errors: Floats) -> bool:
        if as_released:
            return bool(np.percentile(errors, int(100 * (1 - delta / 2))) < epsilon)
        return bool((errors <= epsilon + ROUNDING).mean() >= 1 - delta)

    def number(weights: Floats) -> Floats:
        pools = [np.repeat(score, each.astype(np.intp)) for each in weights]
        drawn = {n: draws(n, replace, seed=0) for n in {len(pool) for pool in pools}}
        return np.array([needed(pool, drawn[len(pool)], moment == "variance", replace, enough) for pool in pools])

    return number


FORM = Form(
    _statistic,
    {"score": Column(Kind.NUMBER)},
    better="low",
    merges=False,
    bounds=(1.0, np.inf),
    undefined="no number of wordings up to all of them suffices",
    times=200,
    knobs={"epsilon": 0.01, "delta": 0.1, "moment": "mean", "replace": False, "as_released": False},
    implements=("reliableeval",),
    coverage="partial: how many wordings are needed, from scores that are there; without making the wordings",
)
