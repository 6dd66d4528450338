"""How much worse do people who read a model tell its right from its wrong answers?"""

from __future__ import annotations

from doxa.metrics.maths.checks import Bools, Floats
from doxa.metrics.maths.columns import Column, Kind
from doxa.metrics.maths.form import Form, Statistic, Values, cells_of
from doxa.metrics.maths.rule import rule


def discrimination_gap(*, human: Values, model: Values, correct: Values) -> float:
    """AUROC of the model's confidence minus that of its readers', about the same answers.

    Range [-1, 1], lower is better: above 0 the model knows more than its explanation tells; 0 is no gap. Columns are
    those of `calibration_gap`, as is the source. Undefined unless some answers are right and some wrong.

    >>> discrimination_gap(human=[0.9, 0.9, 0.8], model=[0.9, 0.6, 0.5], correct=[True, False, False])
    0.25
    """
    return FORM.value(human=human, model=model, correct=correct)


def _statistic(human: Floats, model: Floats, correct: Bools) -> Statistic:
    area, people, own = rule("auroc").kernel, cells_of(human, correct), cells_of(model, correct)
    return lambda weights: area(own(weights)) - area(people(weights))


FORM = Form(
    _statistic,
    {"human": Column(Kind.SHARE), "model": Column(Kind.SHARE), "correct": Column(Kind.TRUTH)},
    better="low",
    bounds=(-1.0, 1.0),
    undefined="all answers are right, or all are wrong",
)
