"""Does the model abstain just where its own probability is not above the confidence target?"""

from __future__ import annotations

import numpy as np

from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.columns import Column, Column_, Kind
from doxa.metrics.maths.form import Form, Statistic, Values, mean_of
from doxa.metrics.maths.targets import OUTCOMES, stakes


def target_agreement(*, outcome: Values, target: Values, belief: Values) -> float:
    """Share of questions that are answered where the model's probability exceeds the target, else not.

    Range [0, 1], higher is better. `belief` is its probability of being right, measured otherwise than by asking for
    the answer at this target; the other columns are those of `confidence_target_score`. Source: Why Language Models
    Hallucinate.

    >>> outcome = ["wrong", "abstain", "correct", "abstain"]
    >>> target_agreement(outcome=outcome, target=[0.5] * 4, belief=[0.8, 0.3, 0.4, 0.5])
    0.75
    """
    return FORM.value(outcome=outcome, target=target, belief=belief)


def _statistic(outcome: Column_, target: Floats, belief: Floats) -> Statistic:
    return mean_of(np.where((outcome != "abstain") == (belief > stakes(target)), 1.0, 0.0))


FORM = Form(
    _statistic,
    {"outcome": Column(Kind.LABEL, among=OUTCOMES), "target": Column(Kind.SHARE), "belief": Column(Kind.SHARE)},
    better="high",
    bounds=(0.0, 1.0),
    implements=("why-lms-hallucinate",),
    coverage="partial: scores of outcomes at a target; without stating it to a model",
)
