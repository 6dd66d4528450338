"""Does the model refuse the questions that it would get wrong?"""

from __future__ import annotations

from typing import Literal

import numpy as np

from doxa.errors import UsageError
from doxa.metrics.maths.checks import Bools, Floats
from doxa.metrics.maths.columns import Column, Kind
from doxa.metrics.maths.form import Form, Statistic, Values
from doxa.metrics.maths.refusal import correlation, rank_correlation

Silent = Literal["wrong", "drop"]


def refusal_index(*, refused: Values, wrong: Values, silent: Silent = "wrong") -> float:
    """Rank correlation of how likely a question is refused and how likely it is wrong if answered.

    Range [-1, 1], higher is better: 0 is refusing at random. `refused` is whether the model, allowed to, refused at
    first; `wrong` whether its answer is wrong, for refused questions the one it gave when it had to answer. Both are
    one draw each, taken as normals cut at a threshold, whose correlation rho gives 6/pi * asin(rho/2). A question
    refused twice has no `wrong`: it counts as wrong, or is dropped with `silent="drop"`. Undefined where all or none
    are refused, or wrong. Source: Can LLMs Refuse Questions They Do Not Know? (ICLR 2026).

    >>> round(refusal_index(refused=[1] * 200 + [0] * 800, wrong=[1] * 150 + [0] * 50 + [1] * 250 + [0] * 550), 4)
    0.5749
    """
    return FORM.value(refused=refused, wrong=wrong, silent=silent)


def _statistic(refused: Bools, wrong: Floats, silent: Silent = "wrong") -> Statistic:
    if silent not in ("wrong", "drop"):
        raise UsageError(f"silent is {silent!r}", hint="what a second refusal counts as: wrong, or drop")
    asked_twice = refused & np.isnan(wrong)
    failed = (wrong == 1) | (asked_twice & (silent == "wrong"))
    counted = ~np.isnan(wrong) | (asked_twice & (silent == "wrong"))
    kinds = np.stack([refused & failed, refused & ~failed, ~refused & failed, ~refused & ~failed], axis=1)
    table = (kinds & counted[:, None]).astype(np.float64)
    return lambda weights: rank_correlation(correlation(weights @ table))


FORM = Form(
    _statistic,
    {"refused": Column(Kind.TRUTH), "wrong": Column(Kind.TRUTH, empty=True)},
    better="high",
    bounds=(-1.0, 1.0),
    undefined="all or none of the questions are refused, or wrong",
    knobs={"silent": "wrong"},
    implements=("refusal-index",),
    coverage="partial: the index from the outcomes of both passes; without asking them",
)
