"""How much more likely is the answer that is shown first?"""

from __future__ import annotations

import numpy as np

from doxa.metrics.maths.cells import ratio
from doxa.metrics.maths.columns import Column, Column_, Kind
from doxa.metrics.maths.form import Form, Statistic, Values
from doxa.metrics.maths.surveys import probabilities


def a_bias(*, question: Values, shown: Values) -> float:
    """Mean over questions of the probability of the answer shown first, minus 1/k for k answers.

    Range (-1, 1), zero is best: above 0 the model favours the first place (the letter A), whatever stands there. A row
    is a question shown in one order: `shown` is {answer: probability} in that order, from the next-token probabilities
    of the letters; they are made to add up to 1. All orders, or random ones, should be there for each question. Source:
    Questioning the Survey Responses of Large Language Models; socialfoundations/surveying-language-models.

    >>> rows = [{"yes": 0.75, "no": 0.25}, {"no": 0.75, "yes": 0.25}]
    >>> a_bias(question=["q", "q"], shown=rows)
    0.25
    """
    return FORM.value(question=question, shown=shown)


def _statistic(question: Column_, shown: Column_) -> Statistic:
    first = np.array([next(iter(row.values())) - 1 / len(row) for row in probabilities(shown)])
    _, of, times = np.unique(question, return_inverse=True, return_counts=True)
    share = 1 / times[of]
    return lambda weights: ratio(weights @ (share * first), weights @ share)


FORM = Form(
    _statistic,
    {"question": Column(Kind.LABEL), "shown": Column(Kind.OPTIONS)},
    better="zero",
    merges=False,
    bounds=(-1.0, 1.0),
    cluster="question",
    implements=("questioning-survey-responses",),
    coverage="partial: the adjusted answers and their measures; without the census questions and data",
)
