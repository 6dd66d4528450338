"""How much of the belief is on right answers, on wrong ones, and on saying that one does not know?"""

from __future__ import annotations

from doxa.errors import UsageError
from doxa.metrics.maths.columns import Column, Column_, Kind
from doxa.metrics.maths.form import Form, Statistic, Values
from doxa.metrics.maths.options import mean_over


def distributional_correctness_score(
    *,
    options: Values,
    gold: Values,
    idk: str = "",
    reward: float = 1.0,
    penalty: float = 1.0,
    logs: bool = True,
    normalise: bool = True,
    as_released: bool = False,
) -> float:
    """Mean of (reward · right − penalty · wrong) · (1 − silent), of the probability on each kind of option.

    Range [−penalty, reward], higher is better: 1 is all belief on the right answer, −1 all on wrong ones, 0 all on "I
    don't know". `options` holds the log-likelihood of each option (probabilities with `logs=False`), from which a
    softmax is taken, each divided by the length of its text if `normalise`; `gold` the right option or options, `idk`
    the option of no answer, else the last one. It is not proper: for fixed odds between the others the best probability
    of `idk` is 0 or 1. `as_released` repeats the authors' code, which finds `idk` only if its text is in lower case
    without outer spaces, and else takes its probability as 0 in the last factor. Source: Measuring Language Model
    Hallucinations Through Distributional Correctness; aleph-alpha-research/eval-framework.

    >>> belief = {"A": 0.31, "B": 0.27, "C": 0.40, "D": 0.01, "IDK": 0.01}
    >>> round(distributional_correctness_score(options=[belief], gold=["C"], logs=False), 4)
    -0.1881
    """
    knobs = {"idk": idk, "reward": reward, "penalty": penalty, "logs": logs, "normalise": normalise}
    return FORM.value(options=options, gold=gold, as_released=as_released, **knobs)


def _statistic(
    options: Column_,
    gold: Column_,
    idk: str = "",
    reward: float = 1.0,
    penalty: float = 1.0,
    logs: bool = True,
    normalise: bool = True,
    as_released: bool = False,
) -> Statistic:
    if not 0 <= penalty <= reward:
        raise UsageError(f"reward is {reward} and penalty {penalty}", hint="reward is at least penalty, and that 0")
    return mean_over(
        lambda m: (reward * m.right - penalty * m.wrong) * (1 - m.silent),
        options,
        gold,
        idk=idk,
        logs=logs,
        normalise=normalise,
        blind=as_released,
    )


FORM = Form(
    _statistic,
    {"options": Column(Kind.OPTIONS), "gold": Column(Kind.LABELS)},
    better="high",
    knobs={
        "idk": "", "reward": 1.0, "penalty": 1.0, "logs": True, "normalise": True, "as_released": False,
    },
    implements=("distributional-correctness-score",),
    coverage="partial: scores of log-likelihoods that are there; without asking a model for them",
)  # fmt: skip
