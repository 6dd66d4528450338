"""How near does a model's distribution of answers come to that of people?"""

from __future__ import annotations

import numpy as np

from doxa.metrics.maths.checks import Floats
from doxa.metrics.maths.columns import Column, Column_, Kind
from doxa.metrics.maths.form import Form, Statistic, Values
from doxa.metrics.maths.options import distance


def simbench_score(*, human: Values, model: Values, dataset: Values | None = None) -> float:
    """Mean of 100 · (1 − distance to people / distance of the uniform guess to people), by total variation.

    At most 100, higher is better: 100 is people's distribution, 0 the uniform guess on average, less is possible.
    `human` and `model` hold {answer: share}. The lower distance is the mean over the questions of the same `dataset`,
    so that a uniform guess on one question is not exactly 0. Questions whose model answers are others than people's, or
    weigh nothing, are left out of the mean, and questions that no one answered of both. Undefined where people's
    answers of a data set are uniform throughout. Source: SimBench; pitehu/SimBench_release.

    >>> people, model = {"A": 0.7, "B": 0.2, "C": 0.1}, {"A": 0.5, "B": 0.3, "C": 0.2}
    >>> round(simbench_score(human=[people], model=[model]), 4)
    45.4545
    """
    return FORM.value(human=human, model=model, dataset=dataset)


def _statistic(human: Column_, model: Column_, dataset: Column_ | None = None) -> Statistic:
    apart = np.array([distance(people, guess) for people, guess in zip(human, model, strict=True)])
    uniform = np.array([distance(people, dict.fromkeys(people, 1.0)) for people in human])
    _, of = np.unique(np.zeros(len(human)) if dataset is None else dataset, return_inverse=True)
    inside = (of[:, None] == np.arange(of.max() + 1)).astype(np.float64)
    there, asked = ~np.isnan(apart), ~np.isnan(uniform)
    apart, uniform = np.where(there, apart, 0.0), np.where(asked, uniform, 0.0)

    def score(weights: Floats) -> Floats:
        rows, counted = weights @ (inside * asked[:, None]), weights @ (inside * there[:, None])
        far = weights @ (inside * uniform[:, None])
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(counted > 0, weights @ (inside * apart[:, None]) * rows / far, 0.0)
            value = 100 * (1 - ratio.sum(-1) / counted.sum(-1))
        return np.where(np.isfinite(value), value, np.nan)

    return score


FORM = Form(
    _statistic,
    {
        "human": Column(Kind.OPTIONS),
        "model": Column(Kind.OPTIONS),
        "dataset": Column(Kind.LABEL, optional=True),
    },
    better="high",
    bounds=(-np.inf, 100.0),
    undefined="people answer uniformly throughout a data set, or the model's answers are never those of people",
    implements=("simbench",),
    coverage="partial: the score of distributions that are there; without the data sets and their prompts",
)
