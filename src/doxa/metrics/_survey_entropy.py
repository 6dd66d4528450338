"""How even are a model's answers to a survey, once the order of options plays no part?"""

from __future__ import annotations

from doxa.metrics.maths.columns import Column, Column_, Kind
from doxa.metrics.maths.form import Form, Statistic, Values
from doxa.metrics.maths.surveys import adjusted, entropy


def survey_entropy(*, question: Values, shown: Values) -> float:
    """Mean over questions of the entropy of the adjusted answers, over that of a uniform guess.

    Range [0, 1], neither high nor low is better: 1 says nothing but chance, as people's answers rarely do. The adjusted
    distribution of a question is the mean over the orders it was shown in. Columns are those of `a_bias`, as is the
    source.

    >>> rows = [{"yes": 0.75, "no": 0.25}, {"no": 0.75, "yes": 0.25}]
    >>> survey_entropy(question=["q", "q"], shown=rows)
    1.0
    """
    return FORM.value(question=question, shown=shown)


def _statistic(question: Column_, shown: Column_) -> Statistic:
    return adjusted(question, shown, lambda answers, own: entropy)


FORM = Form(
    _statistic,
    {"question": Column(Kind.LABEL), "shown": Column(Kind.OPTIONS)},
    better="zero",
    merges=False,
    bounds=(0.0, 1.0),
    cluster="question",
    implements=("questioning-survey-responses",),
    coverage="partial: the adjusted answers and their measures; without the census questions and data",
)
