"""Does a benchmark rank models as other benchmarks do?"""

from __future__ import annotations

from typing import Literal

import numpy as np

from doxa.errors import UsageError
from doxa.metrics.maths.benchmarks import Trial, agreements, grid
from doxa.metrics.maths.checks import Bools, Floats
from doxa.metrics.maths.columns import Column, Column_, Kind
from doxa.metrics.maths.form import Form, Statistic, Values

Report = Literal["mean", "sd", "z"]


def benchmark_agreement(  # noqa: PLR0913 - columns and knobs
    *,
    model: Values,
    scenario: Values,
    score: Values,
    lower: Values | None = None,
    of: str = "",
    select: str = "random",
    size: int = 10,
    trials: int = 10,
    method: str = "kendall",
    report: Report = "mean",
) -> float:
    """Rank correlation of the models' scores on a benchmark with their mean win rate over all others.

    Range [-1, 1], higher is better. A row is a model's score on a scenario; rows in which `lower` is true are better if
    lower. `of` names the scenario tested; without it every one is, and the mean over them counts. Each trial takes
    `size` of the models: at `random`, the `top`, `middle` or `bottom` of the reference's ranking, or a `window` of it
    that is drawn. `method` is kendall (tau-b) or pearson. `report="sd"` gives the standard deviation over the trials,
    `"z"` how many standard deviations the agreement of `of` lies above the mean of all scenarios. Take ten models or
    more: agreement over few, or over models of like strength, says little. The interval resamples models, with 200
    replicates. Undefined where fewer than five models share a scenario and the others, or their scores do not vary.
    Source: Benchmark Agreement Testing Done Right; IBM/benchbench.

    >>> models, scores = list("abcdef"), [1, 2, 3, 4, 5, 6]
    >>> rows = {"model": models * 2, "scenario": ["x"] * 6 + ["y"] * 6, "score": [*scores, 1, 2, 3, 4, 6, 5]}
    >>> round(benchmark_agreement(**rows, of="y"), 4)
    0.8667
    """
    knobs = {"of": of, "select": select, "size": size, "trials": trials, "method": method, "report": report}
    return FORM.value(model=model, scenario=scenario, score=score, lower=lower, **knobs)


def _statistic(  # noqa: PLR0913 - columns and knobs
    model: Column_,
    scenario: Column_,
    score: Floats,
    lower: Bools | None = None,
    of: str = "",
    select: str = "random",
    size: int = 10,
    trials: int = 10,
    method: str = "kendall",
    report: Report = "mean",
) -> Statistic:
    how = Trial(select, size, trials, method).check()
    table, row_model, names = grid(model, scenario, score, lower)
    if (of and of not in names) or report not in ("mean", "sd", "z") or (report == "z" and not of):
        raise UsageError(f"cannot report {report!r} of {of!r}", hint=f"mean, sd, or z of one of: {', '.join(names)}")

    def number(times: Floats) -> float:
        drawn = np.repeat(table, times.astype(np.intp), axis=0)
        tested = range(len(names)) if report == "z" or not of else [names.index(of)]
        found = {names[each]: agreements(drawn, each, how, seed=0) for each in tested}
        means = {name: float(values.mean()) for name, values in found.items() if len(values)}
        if (of or not means) and of not in means:
            return float("nan")
        if report == "sd":
            return float(np.mean([values.std() for values in found.values() if len(values)]))
        if report == "mean":
            return float(np.mean(list(means.values())))
        spread = float(np.std(list(means.values())))
        return (means[of] - float(np.mean(list(means.values())))) / spread if spread else float("nan")

    def statistic(weights: Floats) -> Floats:
        counts = np.zeros((len(weights), len(table)))
        for place in range(len(table)):
            counts[:, place] = weights[:, row_model == place].max(-1)
        return np.array([number(each) for each in counts])

    return statistic


FORM = Form(
    _statistic,
    {
        "model": Column(Kind.LABEL),
        "scenario": Column(Kind.LABEL),
        "score": Column(Kind.NUMBER),
        "lower": Column(Kind.TRUTH, optional=True),
    },
    better="high",
    merges=False,
    undefined="fewer than five models share a scenario with the others, or scores do not vary",
    cluster="model",
    times=200,
    knobs={"of": "", "select": "random", "size": 10, "trials": 10, "method": "kendall", "report": "mean"},
    implements=("benchbench-bat",),
)
