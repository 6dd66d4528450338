"""How much of the evidence for an answer do the ratings of confidence show?"""

from __future__ import annotations

import numpy as np

from doxa.metrics.maths.checks import Bools, Floats
from doxa.metrics.maths.columns import Column, Kind
from doxa.metrics.maths.form import Form, Statistic, Values
from doxa.metrics.maths.signal import of_counts


def meta_d_prime(*, stimulus: Values, response: Values, rating: Values, ratings: int = 0, pad: bool = True) -> float:
    """The d' at which an ideal observer's ratings of confidence would tell right from wrong answers as these do.

    Any number, higher is better: 0 is ratings that know nothing, d' itself ratings that use all the evidence there is
    for the answers. For questions of two kinds, say statements that are true or false: `stimulus` is which kind it is,
    `response` which the model says, `rating` its confidence on a scale of few steps (KEEP and WITHDRAW, as 1 and 0, are
    two); `ratings=4` cuts a finer scale into four groups of even size. Its free criteria make it independent of how
    boldly a model rates, which the AUROC of confidence for correctness (`auroc`, known as type-2 AUROC) is not, nor of
    d'. `pad` adds 1 / (2 · number of ratings) to every count. The likeliest value is found numerically; the interval
    rests on 200 replicates. Undefined where stimuli are all of one kind, or answers are no better than chance. Source:
    Maniscalco and Lau 2012.

    >>> counts = {(0, 0, 1): 40, (0, 0, 0): 30, (0, 1, 0): 20, (0, 1, 1): 10}
    >>> rows = [each for each, times in counts.items() for _ in range(times)]
    >>> rows += [(1 - stimulus, 1 - response, rating) for stimulus, response, rating in rows]
    >>> stimulus, response, rating = zip(*rows)
    >>> round(meta_d_prime(stimulus=stimulus, response=response, rating=rating), 2)
    0.99
    """
    return FORM.value(stimulus=stimulus, response=response, rating=rating, ratings=ratings, pad=pad)


def _statistic(stimulus: Bools, response: Bools, rating: Floats, ratings: int = 0, pad: bool = True) -> Statistic:
    return of_counts(stimulus, response, rating, ratings, pad, lambda found: found.meta)


FORM = Form(
    _statistic,
    {"stimulus": Column(Kind.TRUTH), "response": Column(Kind.TRUTH), "rating": Column(Kind.SCORE)},
    better="high",
    merges=False,
    bounds=(-np.inf, np.inf),
    undefined="stimuli are of one kind, answers of one kind, or hits are as frequent as false alarms",
    times=200,
    knobs={"ratings": 0, "pad": True},
)
