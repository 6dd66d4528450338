"""Does the model, told a confidence target, answer only where it is right often enough?"""

from __future__ import annotations

import numpy as np

from doxa.metrics.maths.cells import ratio
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.columns import Column, Column_, Kind
from doxa.metrics.maths.form import Form, Statistic, Values
from doxa.metrics.maths.targets import OUTCOMES, stakes


def target_shortfall(*, outcome: Values, target: Values) -> float:
    """Mean over the targets t of how far the accuracy of what is answered at t falls below t.

    Range [0, 1], lower is better: 0 is behavioural calibration, an accuracy of at least t at every t. Targets at which
    nothing is answered fall short of nothing. Columns are those of `confidence_target_score`; every target that occurs
    counts alike. The paper words the condition; the mean shortfall is our measure of it. Source: Why Language Models
    Hallucinate.

    >>> round(target_shortfall(outcome=["correct", "wrong", "correct", "abstain"], target=[0.9, 0.9, 0.5, 0.5]), 6)
    0.2
    """
    return FORM.value(outcome=outcome, target=target)


def _statistic(outcome: Column_, target: Floats) -> Statistic:
    levels, of = np.unique(stakes(target), return_inverse=True)
    at = of[:, None] == np.arange(len(levels))
    asked = at.astype(np.float64)
    right, wrong = ((at & (outcome == kind)[:, None]).astype(np.float64) for kind in ("correct", "wrong"))

    def mean_shortfall(weights: Floats) -> Floats:
        correct, answered = weights @ right, weights @ (right + wrong)
        short = np.maximum(0.0, levels - ratio(correct, answered, 1.0))
        there = weights @ asked > 0
        return ratio((short * there).sum(-1), there.sum(-1).astype(np.float64))

    return mean_shortfall


FORM = Form(
    _statistic,
    {"outcome": Column(Kind.LABEL, among=OUTCOMES), "target": Column(Kind.SHARE)},
    better="low",
    bounds=(0.0, 1.0),
    implements=("why-lms-hallucinate",),
    coverage="partial: scores of outcomes at a target; without stating it to a model",
)
