"""The likeliest option scored by whether it is right, wrong or no answer."""

from __future__ import annotations

from doxa.metrics.maths.columns import Column, Column_, Kind
from doxa.metrics.maths.form import Form, Statistic, Values
from doxa.metrics.maths.options import mean_over


def ternary_score(
    *,
    options: Values,
    gold: Values,
    idk: str = "",
    reward: float = 1.0,
    penalty: float = 1.0,
    logs: bool = True,
    normalise: bool = True,
) -> float:
    """Mean of `reward` where the likeliest option is right, −`penalty` where it is wrong, 0 where it is no answer.

    Range [−penalty, reward], higher is better. Where several are likeliest their mean counts. Columns and knobs are
    those of `distributional_correctness_score`, as is the source.

    >>> sure, silent = {"A": 0.6, "B": 0.3, "IDK": 0.1}, {"A": 0.2, "B": 0.2, "IDK": 0.6}
    >>> ternary_score(options=[sure, sure, silent, sure], gold=["A", "B", "A", "A"], logs=False)
    0.25
    """
    knobs = {"idk": idk, "reward": reward, "penalty": penalty, "logs": logs, "normalise": normalise}
    return FORM.value(options=options, gold=gold, **knobs)


def _statistic(
    options: Column_,
    gold: Column_,
    idk: str = "",
    reward: float = 1.0,
    penalty: float = 1.0,
    logs: bool = True,
    normalise: bool = True,
) -> Statistic:
    return mean_over(
        lambda m: reward * m.top_right - penalty * m.top_wrong, options, gold, idk=idk, logs=logs, normalise=normalise
    )


FORM = Form(
    _statistic,
    {"options": Column(Kind.OPTIONS), "gold": Column(Kind.LABELS)},
    better="high",
    knobs={"idk": "", "reward": 1.0, "penalty": 1.0, "logs": True, "normalise": True},
)
