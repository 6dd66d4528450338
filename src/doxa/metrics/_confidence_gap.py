"""How much surer than the model itself are people who read it?"""

from __future__ import annotations

from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.columns import Column, Kind
from doxa.metrics.maths.form import Form, Statistic, Values, mean_of


def confidence_gap(*, human: Values, model: Values) -> float:
    """Mean confidence of readers minus that of the model, about the same answers.

    Range [-1, 1], zero is best: above 0 readers are surer than the model was. Columns are those of `calibration_gap`,
    as is the source.

    >>> confidence_gap(human=[0.75, 1.0], model=[0.5, 0.75])
    0.25
    """
    return FORM.value(human=human, model=model)


def _statistic(human: Floats, model: Floats) -> Statistic:
    return mean_of(human - model)


FORM = Form(
    _statistic,
    {"human": Column(Kind.SHARE), "model": Column(Kind.SHARE)},
    better="zero",
    bounds=(-1.0, 1.0),
)
