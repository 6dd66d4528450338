"""On how many survey questions is a model nearer to people than a uniform guess is?"""

from __future__ import annotations

import numpy as np

from doxa.metrics.maths.checks import Bools
from doxa.metrics.maths.columns import Column, Column_, Kind
from doxa.metrics.maths.form import Form, Statistic, Values
from doxa.metrics.maths.surveys import Score, adjusted, divergence, reference


def closer_than_uniform(*, question: Values, shown: Values, human: Values) -> float:
    """Share of questions whose adjusted answers diverge less from people's than a uniform guess does.

    Range [0, 1], higher is better. A question counts as not nearer where the model gives an answer that no one gave;
    where the guess does so too, both are infinitely far. Columns are those of `survey_divergence`, as is the source.

    >>> rows, people = [{"yes": 0.6, "no": 0.4}], [{"yes": 0.75, "no": 0.25}]
    >>> closer_than_uniform(question=["q"], shown=rows, human=people)
    1.0
    """
    return FORM.value(question=question, shown=shown, human=human)


def _statistic(question: Column_, shown: Column_, human: Column_) -> Statistic:
    def score(answers: list[str], own: Bools) -> Score:
        people = reference(human, own, answers)
        guess = np.nan_to_num(divergence(np.full(len(answers), 1 / len(answers)), people), nan=np.inf)
        return lambda p: (np.nan_to_num(divergence(p, people), nan=np.inf) < guess).astype(np.float64)

    return adjusted(question, shown, score)


FORM = Form(
    _statistic,
    {"question": Column(Kind.LABEL), "shown": Column(Kind.OPTIONS), "human": Column(Kind.OPTIONS)},
    better="high",
    merges=False,
    bounds=(0.0, 1.0),
    cluster="question",
    implements=("questioning-survey-responses",),
    coverage="partial: the adjusted answers and their measures; without the census questions and data",
)
