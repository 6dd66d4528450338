"""What are answers worth where an error costs what a confidence target says?"""

from __future__ import annotations

import numpy as np

from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.columns import Column, Column_, Kind
from doxa.metrics.maths.form import Form, Statistic, Values, mean_of
from doxa.metrics.maths.targets import OUTCOMES, points, stakes


def confidence_target_score(*, outcome: Values, target: Values | None = None, at: float = 0.5) -> float:
    """Mean of 1 for a correct answer, 0 for abstaining and −t / (1 − t) for a wrong one, where t is the target.

    At most 1, higher is better. Whoever answers just what is right with a probability above t, does best; the mean is
    then never below 0, the score of silence. `outcome` is correct, abstain or wrong; `target` the t in [0, 1) that the
    prompt stated, else all rows are scored at `at`. The penalties of 0, 0.5, 0.75 and 0.9 are 0, 1, 3 and 9 (the paper
    lists 2 for 0.75, which its formula gives for 2/3). At 0 abstaining never beats guessing. Source: Why Language
    Models Hallucinate.

    >>> outcomes = ["correct"] * 60 + ["abstain"] * 20 + ["wrong"] * 20
    >>> [round(confidence_target_score(outcome=outcomes, at=t), 6) for t in (0.5, 0.75, 0.9)]
    [0.4, 0.0, -1.2]
    """
    return FORM.value(outcome=outcome, target=target, at=at)


def _statistic(outcome: Column_, target: Floats | None = None, at: float = 0.5) -> Statistic:
    t = stakes(np.full(len(outcome), at) if target is None else target)
    return mean_of(points(outcome, t))


FORM = Form(
    _statistic,
    {"outcome": Column(Kind.LABEL, among=OUTCOMES), "target": Column(Kind.SHARE, optional=True)},
    better="high",
    bounds=(-np.inf, 1.0),
    knobs={"at": 0.5},
    implements=("why-lms-hallucinate",),
    coverage="partial: scores of outcomes at a target; without stating it to a model",
)
