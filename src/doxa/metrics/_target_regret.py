"""How much of what is at stake does the model lose by answering or abstaining against its own belief?"""

from __future__ import annotations

import numpy as np

from doxa.metrics.maths.cells import ratio
from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.columns import Column, Column_, Kind
from doxa.metrics.maths.form import Form, Statistic, Values
from doxa.metrics.maths.targets import OUTCOMES, stakes


def target_regret(*, outcome: Values, target: Values, belief: Values) -> float:
    """Expected score lost against answering where the belief exceeds the target, over what could be lost at worst.

    Range [0, 1], lower is better: 0 is acting on its belief throughout, 1 against it. Answering with a belief p is
    worth (p − t) / (1 − t) more than silence, and so its size is lost by the wrong act. Undefined where every belief
    equals its target. Columns are those of `target_agreement`; the paper compares with the same ideal, the scale from 0
    to 1 is ours. Source: Why Language Models Hallucinate.

    >>> round(target_regret(outcome=["wrong", "correct"], target=[0.5, 0.5], belief=[0.4, 0.9]), 6)
    0.2
    """
    return FORM.value(outcome=outcome, target=target, belief=belief)


def _statistic(outcome: Column_, target: Floats, belief: Floats) -> Statistic:
    t = stakes(target)
    worth = (belief - t) / (1 - t)
    lost = np.where((outcome != "abstain") == (worth > 0), 0.0, np.abs(worth))
    return lambda weights: ratio(weights @ lost, weights @ np.abs(worth))


FORM = Form(
    _statistic,
    {"outcome": Column(Kind.LABEL, among=OUTCOMES), "target": Column(Kind.SHARE), "belief": Column(Kind.SHARE)},
    better="low",
    bounds=(0.0, 1.0),
    undefined="every belief equals its target, so that nothing is at stake",
    implements=("why-lms-hallucinate",),
    coverage="partial: scores of outcomes at a target; without stating it to a model",
)
