"""How far are a model's answers to a survey from people's, once the order of options plays no part?"""

from __future__ import annotations

import numpy as np

from doxa.metrics.maths.checks import Bools
from doxa.metrics.maths.columns import Column, Column_, Kind
from doxa.metrics.maths.form import Form, Statistic, Values
from doxa.metrics.maths.surveys import Score, adjusted, divergence, reference


def survey_divergence(*, question: Values, shown: Values, human: Values) -> float:
    """Mean over questions of the Kullback-Leibler divergence of the adjusted answers from people's, in bits.

    At least 0, lower is better. `human` is people's {answer: share}, weighted as the survey says, and repeated in every
    row of the question; the other columns are those of `a_bias`, as is the source. Undefined where the model gives an
    answer that no one gave.

    >>> rows = [{"yes": 0.75, "no": 0.25}, {"no": 0.75, "yes": 0.25}]
    >>> round(survey_divergence(question=["q", "q"], shown=rows, human=[{"yes": 0.25, "no": 0.75}] * 2), 6)
    0.207519
    """
    return FORM.value(question=question, shown=shown, human=human)


def _statistic(question: Column_, shown: Column_, human: Column_) -> Statistic:
    def score(answers: list[str], own: Bools) -> Score:
        people = reference(human, own, answers)
        return lambda p: divergence(p, people)

    return adjusted(question, shown, score)


FORM = Form(
    _statistic,
    {"question": Column(Kind.LABEL), "shown": Column(Kind.OPTIONS), "human": Column(Kind.OPTIONS)},
    better="low",
    merges=False,
    bounds=(0.0, np.inf),
    undefined="the model gives an answer that no one gave",
    cluster="question",
    implements=("questioning-survey-responses",),
    coverage="partial: the adjusted answers and their measures; without the census questions and data",
)
