"""How much worse calibrated are people who read a model than the model itself?"""

from __future__ import annotations

from doxa.metrics.maths.checks import Bools, Floats
from doxa.metrics.maths.columns import Column, Kind
from doxa.metrics.maths.form import Form, Statistic, Values, cells_of
from doxa.metrics.maths.rule import rule


def calibration_gap(*, human: Values, model: Values, correct: Values) -> float:
    """Expected calibration error of the readers' confidence minus that of the model's own, both of ten equal bins.

    Range [-1, 1], lower is better: above 0 the explanation makes readers worse judges than the model is; 0 is no gap.
    `human` is how sure a reader of the model's answer is that it is right, `model` how sure the model was, `correct`
    whether it is; all about the same answers. Their mean difference is `confidence_gap`. Source: The Calibration Gap
    between Model and Human Confidence in Large Language Models.

    The error is biased upwards on few answers, on both sides alike.

    >>> round(calibration_gap(human=[0.9, 0.9], model=[0.6, 0.4], correct=[True, False]), 6)
    0.0
    """
    return FORM.value(human=human, model=model, correct=correct)


def _statistic(human: Floats, model: Floats, correct: Bools) -> Statistic:
    error, people, own = rule("ece").kernel, cells_of(human, correct), cells_of(model, correct)
    return lambda weights: error(people(weights)) - error(own(weights))


FORM = Form(
    _statistic,
    {"human": Column(Kind.SHARE), "model": Column(Kind.SHARE), "correct": Column(Kind.TRUTH)},
    better="low",
    bounds=(-1.0, 1.0),
)
